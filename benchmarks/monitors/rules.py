"""Rules that say that a column has drifted: those of other tools by their published formulas, and ours.

A rule looks at samples that were drawn elsewhere and says whether it alarms. Those of other tools are written anew,
from the formulas and default thresholds that their projects publish.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from headgate.evaluation.estimate import Undefined
from headgate.evidence.multiple import adjusted_p_values
from headgate.monitors.comparison.binnings import Binning, binned
from headgate.monitors.comparison.contingency import table_test
from headgate.monitors.comparison.distances import jensen_shannon, psi, psi_of_size
from headgate.monitors.comparison.p_values import ks_p_value
from headgate.monitors.two_samples import ks_statistic, wasserstein

Sample = NDArray[np.float64]
Counts = NDArray[np.int64]
Rule = Callable[[Any, Any], bool]
ALPHA: Final = 0.05
THREE_SIGMA: Final = 0.0027
"""What a limit of three standard deviations promises."""


def evidently_chi_square(reference: Counts, current: Counts) -> bool:
    """Chi-square of the window against the reference's shares as if those were the truth, p < 0.05."""
    expected = reference * (current.sum() / reference.sum())
    if bool((expected == 0).any()):
        return True
    statistic = float((np.square(current - expected) / expected).sum())
    return bool(chi2.sf(statistic, len(current) - 1) < ALPHA)


def evidently_wasserstein(reference: Sample, current: Sample) -> bool:
    """Wasserstein over the reference's standard deviation, 0.001 at least, at 0.1 or more."""
    return wasserstein(np.sort(reference), np.sort(current)) / max(float(reference.std()), 0.001) >= 0.1


def evidently_jensen_shannon(reference: Counts, current: Counts) -> bool:
    """The distance in nats at 0.1 or more."""
    return jensen_shannon(reference, current).natural_distance >= 0.1


def psi_above(limit: float) -> Rule:
    """PSI over the reference's deciles above a limit that knows nothing of the number of rows."""
    return lambda reference, current: psi(*binned(reference, current)) > limit


def nannyml_three_sigma(chunks: Sample, current: Sample) -> bool:
    """Jensen-Shannon in bits over Doane's bins, above the mean and three deviations of the reference's own chunks.

    Each chunk is compared with the whole reference, which it is part of.
    """
    whole = chunks.ravel()
    own = [_nannyml(whole, each) for each in chunks]
    return bool(_nannyml(whole, current) > np.mean(own) + 3 * np.std(own))


def _nannyml(reference: Sample, current: Sample) -> float:
    return jensen_shannon(*binned(reference, current, Binning.NANNYML)).distance


def our_categories(reference: Counts, current: Counts) -> bool:
    """Chi-square of the table of both samples, its rare categories together, p <= 0.05."""
    found = table_test(reference, current)
    return not isinstance(found, Undefined) and found.p <= ALPHA


def our_numbers(reference: Sample, current: Sample) -> bool:
    """Kolmogorov-Smirnov, p <= 0.05."""
    return ks_p(reference, current) <= ALPHA


def our_numbers_at_three_sigma(chunks: Sample, current: Sample) -> bool:
    """Kolmogorov-Smirnov, p <= 0.0027."""
    return ks_p(chunks.ravel(), current) <= THREE_SIGMA


def our_psi(reference: Sample, current: Sample) -> bool:
    """PSI over the reference's deciles above the critical value of so many rows; refused where they are too few."""
    found = psi_of_size(*binned(reference, current), alpha=ALPHA)
    return not isinstance(found, Undefined) and found.value > found.critical


def any_of(rule: Rule) -> Rule:
    """Whether a rule alarms for any column; columns are the last axis."""
    return lambda reference, current: any(rule(*each) for each in zip(reference.T, current.T, strict=True))


def our_columns(reference: Sample, current: Sample) -> bool:
    """Kolmogorov-Smirnov of every column, Benjamini and Hochberg's correction, 0.05."""
    p_values = [ks_p(*each) for each in zip(reference.T, current.T, strict=True)]
    return min(adjusted_p_values(p_values)) <= ALPHA


def plain_ks(reference: Sample, current: Sample) -> bool:
    """Kolmogorov-Smirnov, p < 0.05, as one column's rule."""
    return ks_p(reference, current) < ALPHA


def ks_p(reference: Sample, current: Sample) -> float:
    """The p-value of two samples in any order."""
    return ks_p_value(ks_statistic(np.sort(reference), np.sort(current)), len(reference), len(current))


def with_chance(rate: float, runs: int) -> float:
    """How often a rule that keeps `rate` is seen to alarm in `runs` runs, three standard errors included."""
    return rate + 3 * math.sqrt(rate * (1 - rate) / runs)
