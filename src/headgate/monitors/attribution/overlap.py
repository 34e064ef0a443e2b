"""Where both windows have rows, and whether their rows can be made to look alike there; for `pair`.

A classifier is asked which window a row is from. Its chance e(x), out of fold and calibrated, is a density ratio:
q(x) / p(x) = e(x) / (1 - e(x)) times the reference's rows per current row (Bickel, Brueckner & Scheffer 2007). The rows
where it is neither very large nor very small are shared. There, reference rows weighted by e(x) and current rows by
1 - e(x) have one and the same distribution, p q / (p + q) for windows of one size: that of the rows that could be from
either (Li, Morgan & Zaslavsky 2018, "Balancing covariates via propensity score weighting"; Cai, Namkoong & Yadlowsky
2023). Those weights lie between 0 and 1, so nothing needs to be cut.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.evaluation.ranking import auc_by_group
from headgate.evaluation.rows import Ranking
from headgate.evaluation.weighted import effective
from headgate.monitors.attribution import regression

FARTHEST: Final = 20.0
"""Density ratio beyond which, or below whose inverse, a row has no counterpart in the other window."""
FEWEST: Final = 100.0
"""Effective rows of either window below which nothing is said of the relation."""
UNBALANCED: Final = 0.1
"""Standardised difference of means after weighting that speaks against the weights (Austin 2009)."""
UNCALIBRATED: Final = 0.03
"""Mean gap between stated and seen shares of current rows, beyond twice what chance would show, that speaks against the
classifier."""
_NOISE: Final = 4.0
"""Standard errors by which a difference of means must exceed the bound: chance
alone takes the largest of 150 columns to 3."""
_BINS: Final = 10
"""Of about as many rows each, in which stated and seen shares are compared."""


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """What the weights were judged by; `failed` says in words what speaks against them."""

    separation: float
    """AUC of the classifier out of fold: 0.5 where the windows cannot be told apart, 1 where always."""
    slope: float
    """What its log odds had to be multiplied by to be right; 1 is perfect, 0 says they were noise."""
    calibration_error: float
    """Mean gap between stated and seen shares of current rows, 0 to 1, in ten bins of about as many rows."""
    reference_share: float
    """Share of the reference's rows that have a counterpart now, 0 to 1."""
    current_share: float
    """Share of the current rows that have a counterpart in the reference, 0 to 1."""
    reference_rows: float
    """Effective rows of the reference under its weights, (sum w)^2 / sum w^2 (Kish 1965)."""
    current_rows: float
    imbalance_before: float
    """Largest standardised difference of means of any column between the windows."""
    imbalance_after: float
    """The same on the shared rows under their weights."""
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Both windows' rows, the reference's first: which are shared, and the chance of each to be current."""

    is_current: NDArray[np.bool_]
    chance: Floats
    shared: NDArray[np.bool_]
    fold: NDArray[np.intp]
    checks: Checks

    @property
    def weights(self) -> Floats:
        """What makes the shared rows of both windows look alike; 0 for the others."""
        return overlap_weights(self.is_current, self.chance, self.shared)


def overlap_weights(is_current: NDArray[np.bool_], chance: Floats, shared: NDArray[np.bool_]) -> Floats:
    """1 - e(x) for current rows, e(x) for the reference's, 0 for rows that are not shared."""
    return np.where(is_current, 1 - chance, chance) * shared.astype(np.float64)


def overlap(matrix: Floats, is_current: NDArray[np.bool_], seed: int) -> Overlap:
    """The shared rows of two windows whose columns are those of `matrix`; the same seed gives the same folds.

    >>> column = np.random.default_rng(1).normal(size=(2000, 1))
    >>> found = overlap(column, np.arange(2000) < 1000, 0)
    >>> float(found.shared.mean()), found.checks.failed
    (1.0, ())
    """
    fold = regression.folds(is_current, seed)
    odds, slope = regression.calibrated(regression.logistic(matrix, is_current, fold), is_current)
    here = int(is_current.sum())
    shared = np.abs(odds - math.log(here / (len(odds) - here))) <= math.log(FARTHEST)
    chance = regression.sigmoid(odds)
    return Overlap(is_current, chance, shared, fold, _checks(matrix, is_current, chance, shared, slope))


def _checks(
    matrix: Floats, is_current: NDArray[np.bool_], chance: Floats, shared: NDArray[np.bool_], slope: float
) -> Checks:
    weights = overlap_weights(is_current, chance, shared)
    error, by_chance = _calibration(chance, is_current)
    made = Checks(
        separation=auc_by_group(Ranking.of(chance, is_current))[0],
        slope=slope,
        calibration_error=error,
        reference_share=float(shared[~is_current].mean()),
        current_share=float(shared[is_current].mean()),
        reference_rows=effective(weights[~is_current]),
        current_rows=effective(weights[is_current]),
        imbalance_before=_imbalance(matrix, is_current, np.ones(len(chance))),
        imbalance_after=_imbalance(matrix, is_current, weights),
    )
    return msgspec.structs.replace(made, failed=tuple(_against(made, by_chance)))


def _against(made: Checks, by_chance: float) -> Iterator[str]:
    """What speaks against the weights, in words; `by_chance` is the calibration error that chance alone would show."""
    fewest = min(made.reference_rows, made.current_rows)
    if fewest < FEWEST:
        yield f"the windows have too little in common: {fewest:.0f} effective rows, {FEWEST:.0f} are needed"
        shares = f"{made.current_share:.0%} of the current rows and {made.reference_share:.0%} of the reference's"
        yield f"{shares} have a counterpart in the other window"
        return
    if made.calibration_error > UNCALIBRATED + 2 * by_chance:
        yield f"which window a row is from is foretold wrongly by {made.calibration_error:.2f} on average"
    if made.imbalance_after > UNBALANCED + _NOISE * math.sqrt(1 / made.reference_rows + 1 / made.current_rows):
        yield f"weights leave the windows {made.imbalance_after:.2f} standard deviations apart in some column"


def _calibration(chance: Floats, is_current: NDArray[np.bool_]) -> tuple[float, float]:
    """Mean gap between stated and seen shares, and what chance alone would show of it."""
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, _BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, chance, side="right")  # rows of one chance share a bin, whichever window they are of
    gaps = np.abs(np.bincount(bins, weights=is_current - chance))
    noise = np.sqrt(2 / math.pi * np.bincount(bins, weights=chance * (1 - chance)))
    return float(gaps.sum()) / len(chance), float(noise.sum()) / len(chance)


def _imbalance(matrix: Floats, is_current: NDArray[np.bool_], weights: Floats) -> float:
    """The largest difference of weighted means of any column; columns have the standard deviation 1."""
    sides = [weights * side for side in (is_current, ~is_current)]
    if matrix.shape[1] == 0 or min(float(each.sum()) for each in sides) <= 0:
        return 0.0
    means = [(each @ matrix) / each.sum() for each in sides]
    return float(np.abs(means[0] - means[1]).max())
