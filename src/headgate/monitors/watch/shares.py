"""Whether a share of a day's inputs is another than usual, where inputs of an hour are alike and days differ.

Newcombe's interval (1998, method 10) of the share less what is expected takes inputs for independent. Often whole hours
lack a field together, so the day is taken for as many inputs as it is worth: with x of n inputs in each of H hours and
r the share of the day, its rows are divided by

    H / (H - 1) sum (x - r n)^2 / (rows r (1 - r)),    at least 1,

the variance of a ratio of sums over clusters over that of independent rows (Cochran 1977, "Sampling techniques",
section 9A). And where days differ among themselves, z times 1.4826 times the median deviation of the last days' shares
from their median is added to the interval, as the root of the sum of squares. Before seven days are known nothing is
said.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import msgspec

from headgate.monitors.columns import Ints
from headgate.monitors.quality.excess import excess

BORNE: Final = 0.01
"""How much a share may differ from what is expected; or half of that, where it is more."""
DAYS: Final = 28
"""Days whose shares are held."""
KNOWN: Final = 7
"""Days before nothing is said, since nobody knows how much they differ."""
_NORMAL: Final = 1.4826
"""Standard deviations that the median deviation of a normal law is, turned round."""


class Seen(msgspec.Struct, frozen=True):
    """Of how many inputs of a day something was true, and how unevenly over its hours.

    >>> Seen().after(2, 10).after(0, 5)
    Seen(count=2, squares=4, crossed=20)
    """

    count: int = 0
    squares: int = 0
    """Sum of the squares of the hours' counts."""
    crossed: int = 0
    """Sum of the products of the hours' counts and their inputs."""

    def after(self, count: int, inputs: int) -> "Seen":
        """With one more hour, in which it was true of `count` of so many inputs."""
        return Seen(self.count + count, self.squares + count * count, self.crossed + count * inputs)

    def over(self, counts: Ints, inputs: Ints) -> "Seen":
        """With several more hours, of which these are the counts and the inputs.

        >>> import numpy as np
        >>> Seen().over(np.array([2, 0]), np.array([10, 5])) == Seen().after(2, 10).after(0, 5)
        True
        """
        squares, crossed = self.squares + int(counts @ counts), self.crossed + int(counts @ inputs)
        return Seen(self.count + int(counts.sum()), squares, crossed)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a day that are asked about."""

    rows: int
    squares: int
    """Sum of the squares of the hours' inputs."""
    hours: int
    """Those in which any came."""


def clustering(seen: Seen, inputs: Inputs) -> float:
    """How many inputs of the day count as one, since those of an hour are alike.

    >>> hours = Inputs(rows=40, squares=800, hours=2)
    >>> clustering(Seen().after(10, 20).after(10, 20), hours), clustering(Seen().after(20, 20).after(0, 20), hours)
    (1.0, 40.0)
    """
    share = seen.count / inputs.rows if inputs.rows else 0.0
    if inputs.hours < 2 or not 0.0 < share < 1.0:
        return 1.0
    apart = seen.squares - 2 * share * seen.crossed + share * share * inputs.squares
    return max(1.0, apart * inputs.hours / (inputs.hours - 1) / (inputs.rows * share * (1 - share)))


def unusual(
    seen: Seen,
    inputs: Inputs,
    expected: float,
    before: Sequence[float],
    *,
    reference_rows: int | None,
    chance: float,
    only_more: bool = False,
) -> bool:
    """Whether a share is surely beyond the `expected` one by more than is borne, but for this chance.

    `expected` was measured on `reference_rows`, or is exact where they are None; `before` are shares of the last days.

    >>> day = Inputs(rows=200, squares=40_000, hours=1)
    >>> [unusual(Seen().after(each, 200), day, 0.1, [0.1] * 7, reference_rows=2000, chance=1e-4) for each in (25, 80)]
    [False, True]
    """
    if not inputs.rows or len(before) < KNOWN:
        return False
    z, alike = -NormalDist().inv_cdf(chance / 2), clustering(seen, inputs)
    reference = None if reference_rows is None else max(1.0, reference_rows / alike)
    found = excess("share", seen.count / alike, inputs.rows / alike, expected, reference_rows=reference, z=z)
    if found.value is None or found.low is None or found.high is None:
        return False
    days = z * _NORMAL * _deviation(before)
    low = found.value - math.hypot(found.value - found.low, days)
    high = found.value + math.hypot(found.high - found.value, days)
    borne = max(BORNE, expected / 2)
    return low > borne or (not only_more and high < -borne)


def _deviation(values: Sequence[float]) -> float:
    middle = statistics.median(values)
    return statistics.median(abs(each - middle) for each in values)
