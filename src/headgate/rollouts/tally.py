"""What a guard has counted and weighed so far, as a value: with new rows it becomes another, without the old ones.

Nothing in a tally depends on when somebody looked: rows taken one by one or all at once give the same but for rounding.
"""

from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evidence.blocks import Rest
from headgate.evidence.mixture import Mixture

_DIGITS: Final = 10
"""Binary digits to which times are kept: a median is right to a thousandth."""


class Mean(msgspec.Struct, frozen=True, tag="mean"):
    """The mean of some numbers.

    >>> Mean().after(np.array([1.0, 2.0])).after(np.array([6.0])).value
    3.0
    """

    count: int = 0
    total: float = 0.0

    @property
    def value(self) -> float | None:
        """None of none."""
        return self.total / self.count if self.count else None

    def after(self, values: Floats) -> "Mean":
        """Of more of them."""
        return Mean(self.count + len(values), self.total + float(values.sum()))


class Median(msgspec.Struct, frozen=True, tag="median"):
    """The median of some times, in microseconds, right to a thousandth.

    >>> Median().after(np.array([30.0, 10.0])).after(np.array([20.0, 90.0])).value
    25.0
    """

    counts: dict[int, int] = {}
    """How many there were, by time: whole microseconds, of large ones the first digits."""

    @property
    def value(self) -> float | None:
        """None of none, the mean of the two in the middle of an even number."""
        if not self.counts:
            return None
        times = np.array(sorted(self.counts))
        until = np.cumsum([self.counts[each] for each in times.tolist()])
        middle = [(until[-1] - 1) // 2, until[-1] // 2]
        return float(times[np.searchsorted(until, middle, side="right")].mean())

    def after(self, values: Floats) -> "Median":
        """Of more of them."""
        beyond = np.maximum(np.frexp(values)[1] - _DIGITS, 0).astype(np.int64)
        found, counted = np.unique(values.astype(np.int64) >> beyond << beyond, return_counts=True)
        counts = dict(self.counts)
        for time, count in zip(found.tolist(), counted.tolist(), strict=True):
            counts[time] = counts.get(time, 0) + count
        return Median(counts)


class Tally(msgspec.Struct, frozen=True):
    """What a guard, or one group of it, has in one source."""

    worse: Mixture
    """Evidence against "it is no worse"."""
    fine: tuple[Mixture, ...]
    """Evidence against "it is worse by the margin"; where there are several, all have to say so."""
    live: Mean | Median
    """The live version's figure: a mean loss, or the median of its times."""
    candidate: Mean | Median
    rows: int = 0
    """Inputs, blocks or events that spoke."""
    rest: Rest = Rest()
    """Where inputs are divided: those that fill no block yet."""


class Group(msgspec.Struct, frozen=True):
    """The rows that share a value of the field by which a guard asks."""

    count: int
    """Of its rows, whether they spoke or not."""
    tally: Tally


Groups = dict[str, Group]
"""By value, in the order in which values appeared; a guard that does not ask by a field has one, named ''."""
