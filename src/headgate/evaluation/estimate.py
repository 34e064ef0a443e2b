"""A figure with its uncertainty, and the few ways an interval is made.

Metrics return a `Reading` (value, interval and how much each row moved it); everybody outside this room sees
an `Estimate`. One convention holds for all of them: the sampling variance of a value measured on n rows is
``sum(influence ** 2) / (n * (n - 1))``. It makes the paired difference of two models one subtraction, because
the influence of a difference is the difference of the influences (Hampel 1974, "The influence curve").
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput

Floats = NDArray[np.float64]


class Estimate(msgspec.Struct, frozen=True):
    """What was measured, its interval, and on how many rows; or why it could not be.

    >>> Estimate("auc", 0.71, 0.69, 0.73, 2000).known
    True
    >>> Estimate("auc", None, None, None, 0, "no labelled rows").known
    False
    """

    name: str
    value: float | None
    """None when the metric has no value on these rows; `reason` says why."""
    low: float | None
    """Lower bound of the interval; None when there is no value or too few rows for an interval."""
    high: float | None
    rows: int
    """Labelled rows it was measured on."""
    reason: str = ""
    """Why there is no value or no interval; empty when there are both."""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A metric's value on some rows, its interval, and how far each row moved the value."""

    value: float
    low: float | None
    high: float | None
    influence: Floats
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Undefined:
    """A metric has no value on these rows, for this reason."""

    reason: str


def quantile_of(confidence: float) -> float:
    """The normal quantile of a two-sided interval; headgate.errors.BadInput for a confidence outside 0 to 1.

    >>> round(quantile_of(0.95), 4)
    1.96
    """
    if not 0.0 < confidence < 1.0:
        raise BadInput("confidence", "range", "confidence must lie between 0 and 1, such as 0.95")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: float, trials: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); never outside 0..1, honest at both ends.

    >>> low, high = wilson(10, 10, 1.96)
    >>> round(low, 3), high
    (0.722, 1.0)
    """
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # The two ends are exact in theory and off by a rounding error in floating point.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def proportion(name: str, hits: int, rows: int, z: float) -> Estimate:
    """A share of rows with Wilson's interval; without rows it has no value.

    >>> proportion("nulls", 1, 4, 1.96).value, proportion("nulls", 0, 0, 1.96).reason
    (0.25, 'there are no rows')
    """
    if rows == 0:
        return Estimate(name, None, None, None, 0, "there are no rows")
    return Estimate(name, hits / rows, *wilson(hits, rows, z), rows)


def standard_error(influence: Floats) -> float | None:
    """Standard error of a value from its influences; None below two rows.

    >>> standard_error(np.array([-1.0, 1.0]))
    1.0
    """
    rows = len(influence)
    if rows < 2:
        return None
    # A sum, not a dot product: BLAS would wake its threads, which on a busy machine costs a hundred times more.
    return math.sqrt(float(np.square(influence).sum()) / (rows * (rows - 1)))


def around(
    value: float, influence: Floats, z: float, *, floor: float = -math.inf, ceiling: float = math.inf
) -> Reading:
    """The value with its normal interval, cut to what the metric can be."""
    error = standard_error(influence)
    if error is None:
        return Reading(value, None, None, influence, "an interval needs at least two rows")
    return Reading(value, max(floor, value - z * error), min(ceiling, value + z * error), influence)


def mean_of(losses: Floats, z: float, *, ceiling: float = math.inf) -> Reading:
    """The mean of one non-negative loss per row, with its normal interval.

    >>> reading = mean_of(np.array([0.0, 1.0, 2.0]), 1.96)
    >>> reading.value, round(reading.high, 3)
    (1.0, 2.132)
    """
    value = float(losses.mean())
    return around(value, losses - value, z, floor=0.0, ceiling=ceiling)


def ratio(numerator: Floats, denominator: Floats) -> tuple[float, Floats]:
    """The ratio of two sums and each row's influence on it (delta method); zero where nothing was summed."""
    total = float(denominator.sum())
    if total == 0:
        return 0.0, np.zeros(len(numerator))
    value = float(numerator.sum()) / total
    return value, (numerator - value * denominator) * (len(numerator) / total)


def estimate(name: str, reading: Reading | Undefined, rows: int) -> Estimate:
    """A reading as the value everybody outside sees."""
    match reading:
        case Undefined(reason):
            return Estimate(name, None, None, None, rows, reason)
        case Reading():
            return Estimate(name, reading.value, reading.low, reading.high, rows, reading.reason)


def difference(name: str, ours: Reading | Undefined, theirs: Reading | Undefined, rows: int, z: float) -> Estimate:
    """Ours minus theirs, measured on the same rows in the same order, with the interval of the pair.

    For AUC this is DeLong's test for correlated curves, for mean losses the paired t interval with a normal
    quantile, for everything else the delta method.
    """
    if isinstance(ours, Undefined):
        return Estimate(name, None, None, None, rows, ours.reason)
    if isinstance(theirs, Undefined):
        return Estimate(name, None, None, None, rows, f"the other side: {theirs.reason}")
    if ours.low is None or theirs.low is None:
        return Estimate(name, ours.value - theirs.value, None, None, rows, ours.reason or theirs.reason)
    paired = around(ours.value - theirs.value, ours.influence - theirs.influence, z)
    return Estimate(name, paired.value, paired.low, paired.high, rows, paired.reason)
