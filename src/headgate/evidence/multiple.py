"""Several pieces of evidence at once: when any of them rolls back, and which of them hold together.

Promoting needs no correction: it asks that every one of them holds, and that is no easier for there being many.
"""

import math
from collections.abc import Sequence

import numpy as np

from headgate.errors import BadInput
from headgate.evidence.mixture import check_alpha, log_mean


def bonferroni(log_peaks: Sequence[float], alpha: float) -> list[int]:
    """Places of the nulls to reject so that any is rejected wrongly with probability `alpha` at most.

    Each has to reach M / alpha at some moment; valid whatever they share.

    >>> bonferroni([math.log(150), math.log(120)], 0.01)
    []
    >>> bonferroni([math.log(500), math.log(250)], 0.01)
    [0, 1]
    """
    check_alpha(alpha)
    limit = math.log(len(log_peaks) / alpha) if log_peaks else 0.0
    return [place for place, each in enumerate(log_peaks) if each >= limit]


def average(log_es: Sequence[float]) -> float:
    """Logarithm of the mean of several pieces of evidence at one moment: evidence against all nulls holding.

    >>> round(math.exp(average([math.log(3.0), 0.0])), 6)
    2.0
    """
    return float(log_mean(np.array(log_es)))


def benjamini_hochberg(log_es: Sequence[float], alpha: float) -> list[int]:
    """Places of the nulls to reject so that of those rejected a share of at most `alpha` is expected to be true.

    The e-BH procedure of Wang and Ramdas 2022, "False discovery rate control with e-values": for several challengers
    judged side by side; valid whatever they share.

    >>> benjamini_hochberg([math.log(30.0), math.log(45.0), 0.0], 0.1)
    [0, 1]
    """
    check_alpha(alpha)
    order = sorted(range(len(log_es)), key=lambda place: -log_es[place])
    limit = math.log(len(log_es) / alpha) if log_es else 0.0
    counts = [count for count, place in enumerate(order, 1) if log_es[place] + math.log(count) >= limit]
    return sorted(order[: max(counts, default=0)])


def adjusted_p_values(p_values: Sequence[float]) -> list[float]:
    """For each p-value the smallest false discovery rate at which its null is among those rejected.

    The step-up procedure of Benjamini and Hochberg 1995, "Controlling the false discovery rate", for tests that are
    independent or positively dependent: reject where this is at most alpha. `benjamini_hochberg` is its sibling for
    evidence.

    Raises BadInput when a p-value is no number from 0 to 1: a test that failed must not be read as one that passed.

    >>> [round(each, 6) for each in adjusted_p_values([0.01, 0.04, 0.03, 0.5])]
    [0.04, 0.053333, 0.053333, 0.5]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise BadInput("p_values", "range", "must lie between 0 and 1; leave out tests without a result")
    order = np.argsort(values)[::-1]
    ranks = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum.accumulate(np.minimum(values[order] * len(values) / ranks, 1.0))
    found: list[float] = adjusted.tolist()
    return found
