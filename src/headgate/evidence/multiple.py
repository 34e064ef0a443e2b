"""Several pieces of evidence at once: when any of them rolls back, and which of them hold together.

Promoting needs no correction: it asks that every one of them holds, and that is no easier for there being many.
"""

import math
from collections.abc import Sequence

import numpy as np

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
