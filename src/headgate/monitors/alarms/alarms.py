"""What a monitor says at a look: all is as it was, an alarm, not enough to go by, or that it could not be measured.

`risk` and `scores` make these. What they have in common is here: measurements, and the clock they go by.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.mixture import Floats
from headgate.evidence.multiple import benjamini_hochberg
from headgate.evidence.ranks import Ints
from headgate.monitors.standing import Shortfall, Standing
from headgate.vocabulary import DAY, Micros

_FARTHEST: Final = 8000 * 365 * DAY
"""Moments beyond have no date in four digits."""
ALIKE: Final = (
    "rows of the reference that follow each other are alike, so that alarms may come more often than stated; compare "
    "within a season, or hand over one row of each subject"
)


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What one look of a monitor at one of its members found."""

    monitor: str
    """Its name in the budget, such as ``input`` or ``risk of north``."""
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
    """Where the level raises an alarm, in days, or a number where days do not count; 0 where nothing is watched."""
    joined: float = 0.0
    """All that may have joined the level so far: without a change level / joined is 1 on average, at most."""
    observations: int = 0
    """In this look."""
    warnings: tuple[str, ...] = ()
    """What a reader must know of how far the stated rate can be relied upon."""


def unwatched(monitor: str, member: str, why: Shortfall) -> Measurement:
    """What is said of a member that cannot be looked at."""
    return Measurement(monitor=monitor, member=member, standing=why.standing, reason=why.reason)


def changed(found: Sequence[Measurement], share: float) -> list[Measurement]:
    """Those of several members that have changed, of which a `share` is expected to be named wrongly, at most.

    For a report at a moment that was fixed beforehand, such as every morning's: level / joined is an e-value then, and
    the e-BH procedure does the rest, whatever the members share. It names more than the alarms do, and sooner, because
    a share of what it names may be wrong. At the moment of an alarm it says nothing: whose alarm it was is named by it.

    >>> levels = {"km": 4000.0, "kind": 30.0, "age": 0.5}
    >>> found = [Measurement(monitor="input", member=name, standing=Standing.STEADY, level=level, joined=10.0)
    ...     for name, level in levels.items()]
    >>> [each.member for each in changed(found, 0.1)]
    ['km']
    """
    known = [each for each in found if each.joined > 0 and each.level > 0]
    # Those that hold nothing are counted too: the more there are, the more it takes.
    logs = [math.log(each.level / each.joined) for each in known] + [-math.inf] * (len(found) - len(known))
    return [known[place] for place in benjamini_hochberg(logs, share)]


class Clock(msgspec.Struct, frozen=True):
    """When a monitor began, how far it has come in event time, and how many observations it has seen.

    >>> Clock.at(Micros(5)).moved(np.array([9, 7]))
    Clock(began=5, latest=9, seen=2)
    """

    began: Micros
    latest: Micros
    seen: int = 0

    @classmethod
    def at(cls, began: Micros) -> "Clock":
        """The clock of a monitor that begins."""
        return cls(began, began)

    def moved(self, at: Ints) -> "Clock":
        """After observations at these moments; time never goes back."""
        if not len(at):
            return self
        return Clock(self.began, Micros(max(self.latest, int(at.max()))), self.seen + len(at))

    def joined(self, policy: FalseAlarms) -> float:
        """What may have joined a level by now."""
        return policy.joined(self.began, self.latest, self.seen)


def steps(policy: FalseAlarms, clock: Clock, at: Ints) -> Iterator[tuple[slice, Floats, bool]]:
    """Observations as detectors take them: which they are, what joins before each, and whether all begins anew first.

    >>> found = steps(FalseAlarms(), Clock.at(Micros(0)), np.array([43_200_000_000]))
    >>> [(rows, joins.tolist()) for rows, joins, _ in found]
    [(slice(0, 1, None), [0.5])]
    """
    for origin, rows, is_new in policy.stretches(clock.began, clock.latest, at):
        yield rows, policy.joins(origin, at[rows], clock.seen + rows.start), is_new


def faulty(at: Ints, count: int) -> str:
    """What is wrong with the moments of `count` observations, in words; empty where nothing is.

    >>> faulty(np.array([1, 2]), 3)
    'there are 2 moments of 3 observations'
    """
    if len(at) != count:
        return f"there are {len(at):,} moments of {count:,} observations"
    if not np.issubdtype(np.asarray(at).dtype, np.integer):
        return "moments are not whole microseconds"
    beyond = int(((at < -_FARTHEST) | (at > _FARTHEST)).sum())
    return f"{beyond:,} of {count:,} moments are thousands of years away" if beyond else ""
