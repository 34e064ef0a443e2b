"""How far apart two distributions lie whose rows were counted in the same bins or categories.

Effects, not tests: a distance says how much has changed, and of chance it knows nothing. The one exception is PSI,
whose size without drift is known well enough for a critical value. Every function takes counts, one per bin and in
the same order on both sides, and raises BadInput where they are no counts; how bins are cut is in `binnings`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats, Undefined

Counts = NDArray[Any]
"""Rows per bin."""

ROWS_PER_BIN: Final = 10
"""So many rows for each bin PSI needs: with fewer its size is chance (at 5, most windows pass the usual 0.1)."""


class Zeros(StrEnum):
    """What PSI does about a bin that is empty on one side, where its formula divides by zero."""

    HALF = "half"
    """Half a row more in every bin of both sides, as soon as one is empty (Haldane 1956; Anscombe 1956)."""
    EVIDENTLY = "evidently"
    """An empty bin has a share of 0.0001, or a millionth of its side's smallest one if that is no larger."""
    DEEPCHECKS = "deepchecks"
    """No share is below 0.01."""
    SMALLEST = "smallest"
    """An empty bin has the smallest share a float can have: one empty bin and PSI explodes (Frouros)."""


def psi(reference: Counts, current: Counts, zeros: Zeros = Zeros.HALF) -> float:
    """The population stability index, sum of (c - r) ln(c / r) over the bins' shares r and c; 0 without a difference.

    It is the symmetric Kullback-Leibler divergence (Jeffreys 1946); under 0.1 is called stable and above 0.25 a large
    shift in credit risk, at whatever size of sample. Its value depends on the bins and on the rule for empty ones, so
    name both beside it.

    >>> round(psi(np.array([50, 50]), np.array([60, 40])), 4)
    0.0405
    """
    before, after = _without_zeros(*_counts(reference, current), zeros)
    return float(((after - before) * np.log(after / before)).sum())


def _without_zeros(before: Floats, after: Floats, zeros: Zeros) -> tuple[Floats, Floats]:
    if zeros is Zeros.HALF:
        seen = (before > 0) | (after > 0)
        before, after = before[seen], after[seen]
        if not (before.all() and after.all()):
            before, after = before + 0.5, after + 0.5
    before, after = before / before.sum(), after / after.sum()
    match zeros:
        case Zeros.EVIDENTLY:
            return _evidently(before), _evidently(after)
        case Zeros.DEEPCHECKS:
            return np.maximum(before, 0.01), np.maximum(after, 0.01)
        case Zeros.SMALLEST:
            smallest = np.finfo(np.float64).tiny
            return np.maximum(before, smallest), np.maximum(after, smallest)
    return before, after


def _evidently(shares: Floats) -> Floats:
    least = float(shares[shares > 0].min())
    return np.where(shares == 0, least / 1e6 if least <= 1e-4 else 1e-4, shares)


@dataclass(frozen=True, slots=True)
class Psi:
    """A PSI with what chance alone would make of it."""

    value: float
    critical: float
    """What it exceeds without drift in a share alpha of windows, at most."""
    critical_published: float
    """The same by the first term of the series alone, as it is published; small samples exceed it more often."""


def psi_of_size(reference: Counts, current: Counts, *, alpha: float = 0.05) -> Psi | Undefined:
    """PSI with the critical values that fit the numbers of rows, or why there are too few of them.

    As published (Yurdakul 2018, "Statistical properties of population stability index"): without drift PSI is, to first
    order, N = 1/n + 1/m times chi-square with B - 1 degrees of freedom, for n rows now, m in the reference and B bins,
    so its mean is N (B - 1). Windows with few rows exceed that critical value too often: of drawn ones, at 5 %, 6 to 9
    in a hundred with ten rows per bin, 6 with twenty, 5.1 with two hundred.

    `critical` therefore adds the next term. It raises the mean by s = (sum of 1/p - B)(1/n² + 1/m²)/2 for shares p, and
    the quantile at 5 % by 1.1 to 1.5 times as large a part (expanded as Read 1984 does for power divergences, of two of
    which PSI is the mean). 2 s is added, since that leaves nothing to the third term: of drawn windows with five to
    twenty bins 4.2 to 5 in a hundred exceed it, from ten rows per bin on; with 1.1 to 1.5 s it would be up to 6.

    >>> psi_of_size(np.array([100] * 10), np.array([5] * 10))
    Undefined(reason='PSI over 10 bins needs 100 rows on either side, and the smaller one has 50')
    >>> found = psi_of_size(np.array([500] * 10), np.array([50] * 10))
    >>> found.value, round(found.critical, 3), round(found.critical_published, 3)
    (0.0, 0.038, 0.037)
    """
    before, after = _counts(reference, current)
    seen = (before > 0) | (after > 0)
    before, after = before[seen], after[seen]
    bins, rows = len(before), float(min(before.sum(), after.sum()))
    if bins < 2:
        return Undefined("PSI needs two bins, and all rows lie in one")
    if rows < ROWS_PER_BIN * bins:
        needed = ROWS_PER_BIN * bins
        return Undefined(f"PSI over {bins} bins needs {needed} rows on either side, and the smaller one has {rows:.0f}")
    quantile, (first, second) = float(chdtri(bins - 1, alpha)) / (bins - 1), _means(before, after)
    return Psi(psi(before, after), quantile * (first + 2 * second), quantile * first)


def _means(before: Floats, after: Floats) -> tuple[float, float]:
    """The first two terms of PSI's mean without drift."""
    size, other = float(after.sum()), float(before.sum())
    shares = (before + after) / (size + other)
    first = (1 / size + 1 / other) * (len(shares) - 1)
    return first, (float((1 / shares).sum()) - len(shares)) * (1 / size**2 + 1 / other**2) / 2


@dataclass(frozen=True, slots=True)
class JensenShannon:
    """One divergence in the conventions that are in use, which no threshold survives a change of.

    >>> near = JensenShannon(0.01)
    >>> round(near.distance, 3), round(near.natural_distance, 3)
    (0.1, 0.083)
    """

    divergence: float
    """In bits, 0 to 1: what TFDV and Vertex call Jensen-Shannon."""

    @property
    def distance(self) -> float:
        """Square root of the divergence in bits, 0 to 1; NannyML's convention and ours."""
        return math.sqrt(self.divergence)

    @property
    def natural_distance(self) -> float:
        """Square root of the divergence in nats, 0 to 0.833; Evidently's and SciPy's default."""
        return math.sqrt(self.divergence * math.log(2))


def jensen_shannon(reference: Counts, current: Counts) -> JensenShannon:
    """The mean divergence of two distributions from their average (Lin 1991); defined where bins are empty.

    >>> jensen_shannon(np.array([1, 0]), np.array([0, 1])).distance
    1.0
    """
    before, after = _shares(reference, current)
    middle = (before + after) / 2
    return JensenShannon(min(1.0, max(0.0, (_bits(before, middle) + _bits(after, middle)) / 2)))


def _bits(of: Floats, against: Floats) -> float:
    """Kullback-Leibler divergence in bits."""
    here = of > 0
    return float((of[here] * np.log2(of[here] / against[here])).sum())


def hellinger(reference: Counts, current: Counts) -> float:
    """The distance of the square roots of the shares over the square root of two, 0 to 1 (Hellinger 1909).

    >>> hellinger(np.array([1, 0]), np.array([0, 1]))
    1.0
    """
    before, after = _shares(reference, current)
    return min(1.0, math.sqrt(float(np.square(np.sqrt(before) - np.sqrt(after)).sum()) / 2))


def l_infinity(reference: Counts, current: Counts) -> float:
    """The largest difference of any bin's share, 0 to 1.

    >>> l_infinity(np.array([3, 1]), np.array([1, 1]))
    0.25
    """
    before, after = _shares(reference, current)
    return float(np.abs(before - after).max())


def _shares(reference: Counts, current: Counts) -> tuple[Floats, Floats]:
    before, after = _counts(reference, current)
    return before / before.sum(), after / after.sum()


def _counts(reference: Counts, current: Counts) -> tuple[Floats, Floats]:
    before, after = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    if before.shape != after.shape or before.ndim != 1:
        raise BadInput("current", "length", "must have one count for each bin of the reference")
    for name, counts in (("reference", before), ("current", after)):
        if not (bool(np.isfinite(counts).all()) and bool((counts >= 0).all())):
            raise BadInput(name, "range", "counts are finite and not negative")
        if counts.sum() <= 0:
            raise BadInput(name, "empty", "has no rows in any bin")
    return before, after
