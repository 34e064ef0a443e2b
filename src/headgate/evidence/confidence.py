"""Intervals that hold at every look at once: all the hypotheses the evidence does not speak against.

Report them instead of a point: whatever is stopped early because it looks large looks larger than it is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.errors import BadInput
from headgate.evidence.allocation import AllocationTest, Bools
from headgate.evidence.betting import BETS, BOLDEST, TIMIDEST, check_values
from headgate.evidence.mixture import Floats, check_alpha, log_mean

_STEPS: Final = 40
"""Halvings of where a bound may lie: to a millionth of a millionth of the range."""
_WIDEST: Final = math.log(1e6)
"""Logarithm of the largest ratio that is told from an infinite one."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where something lies, at every look at once but for a probability of `alpha`."""

    low: float
    high: float
    alpha: float


def mean_interval(values: Floats, *, low: float, high: float, alpha: float) -> Interval:
    """A confidence sequence for the mean of values in [low, high], by inversion of the betting test.

    Waudby-Smith and Ramdas 2024, section 4.2: every mean against which a test at alpha / 2 to either side never got
    its evidence. Raises BadInput for values outside, an empty range, or no error rate.

    >>> mean_interval(np.zeros(0), low=0.0, high=1.0, alpha=0.05)
    Interval(low=0.0, high=1.0, alpha=0.05)
    >>> found = mean_interval(np.tile([0.0, 1.0], 500), low=0.0, high=1.0, alpha=0.05)
    >>> 0.42 < found.low < 0.5 < found.high < 0.58
    True
    """
    check_alpha(alpha)
    if not low < high:
        raise BadInput("low", "range", "must be less than the largest value there can be")
    check_values(values, low, high)
    # Many values are alike: 0-1 losses and their differences have two or three.
    distinct, counted = np.unique(values, return_counts=True)
    counts = counted.astype(np.float64)
    stakes = np.geomspace(TIMIDEST, 1.0, BETS) * (BOLDEST / (high - low))

    def greater(mean: float) -> float:
        return float(log_mean(counts @ np.log1p(np.multiply.outer(distinct - mean, stakes))))

    def less(mean: float) -> float:
        return float(log_mean(counts @ np.log1p(np.multiply.outer(mean - distinct, stakes))))

    limit = math.log(2 / alpha)
    return Interval(_bound(greater, low, high, limit), _bound(less, high, low, limit), alpha)


def ratio_interval(candidate: Bools, shares: Floats, *, alpha: float) -> Interval:
    """A confidence sequence for the candidate's rate of events as a multiple of the live version's.

    By inversion of the allocation test, alpha / 2 to either side; 0 or infinity where nothing bounds it. Arguments as
    in `AllocationTest.update`.

    >>> ratio_interval(np.zeros(0, np.bool_), np.zeros(0), alpha=0.05)
    Interval(low=0.0, high=inf, alpha=0.05)
    >>> found = ratio_interval(np.tile([True, False], 500), np.full(1000, 0.5), alpha=0.05)
    >>> 0.7 < found.low < 1 < found.high < 1.4
    True
    """
    check_alpha(alpha)
    limit = math.log(2 / alpha)
    low = _lowest_ratio(candidate, shares, limit)
    high = _lowest_ratio(~candidate, 1.0 - shares, limit)
    return Interval(low, math.inf if high == 0 else 1 / high, alpha)


def _lowest_ratio(candidate: Bools, shares: Floats, limit: float) -> float:
    # Shares change with the steps of a rollout and hardly otherwise: few events differ.
    found, counted = np.unique(np.stack((candidate.astype(np.float64), shares), axis=1), axis=0, return_counts=True)
    ours: Bools = found[:, 0] == 1
    share: Floats = found[:, 1]
    counts: Floats = counted.astype(np.float64)

    def worse(log_ratio: float) -> float:
        return float(log_mean(counts @ AllocationTest.worse(math.exp(log_ratio)).gains(ours, share)))

    lowest = _bound(worse, -_WIDEST, _WIDEST, limit)
    return 0.0 if lowest == -_WIDEST else math.exp(lowest)


def _bound(evidence: Callable[[float], float], start: float, end: float, limit: float) -> float:
    """From `start` on, the first value against which the evidence, falling all the way to `end`, is below `limit`."""
    if evidence(start) < limit:
        return start
    inside, outside = end, start
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if evidence(middle) < limit else (inside, middle)
    return outside
