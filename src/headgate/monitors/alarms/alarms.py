"""What a monitor says at a look: all is as it was, an alarm, not enough to go by, or that it could not be measured.

`risk` and `drift` make these. What they have in common is here: their clock, and their part of how often alarms may be
false, which is `evidence.false_alarms`. Nothing is decided here and nobody is told; a monitor returns values.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.vocabulary import Micros


class Standing(StrEnum):
    """How a monitor stands after a look."""

    STEADY = "steady"
    """Nothing speaks for a change with the certainty that was asked for."""
    ALARM = "alarm"
    """There was a change, or one of the false alarms that were allowed."""
    UNDECIDED = "undecided"
    """There is not enough to compare with; `reason` says what is missing."""
    BROKEN = "broken"
    """The measurement itself failed; `reason` says why, and the state is as it was."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What one look of a monitor at one of its members found."""

    monitor: str
    """``risk``, ``input`` or ``score``, with its segment where it has one."""
    member: str
    """What is looked at: a field, an output, the loss."""
    standing: Standing
    reason: str = ""
    """In plain words, why it is undecided or broken; empty otherwise."""
    alarms: tuple[Micros, ...] = ()
    """Moments of the observations at which there was one, in order."""
    level: float = 0.0
    """What speaks for a change since the last alarm, in the unit of `limit`."""
    limit: float = 0.0
    """Where the level raises an alarm: days, or a number where nothing is counted in days."""
    observations: int = 0
    """In this look."""
    warnings: tuple[str, ...] = ()
    """What a reader must know of how far the stated rate can be relied upon."""


class Clock(msgspec.Struct, frozen=True):
    """When a monitor began and how far it has come, in event time.

    >>> Clock.at(Micros(5)).moved(np.array([9, 7])).latest
    9
    """

    began: Micros
    latest: Micros

    @classmethod
    def at(cls, began: Micros) -> "Clock":
        """The clock of a monitor that begins."""
        return cls(began, began)

    def moved(self, at: Ints) -> "Clock":
        """After observations at these moments; time never goes back."""
        return Clock(self.began, Micros(max(self.latest, int(at.max()))) if len(at) else self.latest)


def steps(policy: FalseAlarms, clock: Clock, at: Ints, seen: int) -> Iterator[tuple[slice, Floats, bool]]:
    """Observations as detectors take them: which they are, what joins before each, and whether all begins anew first.

    `seen` is how many were before.

    >>> [(rows, joins.tolist()) for rows, joins, _ in steps(FalseAlarms(), Clock.at(0), np.array([86_400_000_000]), 0)]
    [(slice(0, 1, None), [1.0])]
    """
    for origin, rows, is_new in policy.stretches(clock.began, clock.latest, at):
        yield rows, policy.joins(origin, at[rows], seen + rows.start), is_new


def check_moments(at: Ints, count: int) -> None:
    """Raises BadInput unless there is a moment of each of `count` observations, in whole microseconds."""
    if len(at) != count:
        raise BadInput("at", "length", "must be one moment per observation")
    if not np.issubdtype(np.asarray(at).dtype, np.integer):
        raise BadInput("at", "type", "must be whole microseconds")
