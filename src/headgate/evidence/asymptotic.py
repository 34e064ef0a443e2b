"""An interval for means of numbers that nothing bounds, to be shown and not to be decided by.

Its error rate holds at every look in the limit of many values alone. Losses in the unit of a label have no bound that
anybody would state beforehand; clipped, they are values for `betting`.
"""

import math
from typing import Final

from headgate.evidence.confidence import Interval
from headgate.evidence.mixture import Floats, check_alpha

NARROWEST: Final = 1000
"""Values at which it is narrowest for what it is; far from there, on both sides, it is wider than it could be."""


def asymptotic_interval(values: Floats, *, alpha: float) -> Interval:
    """Where the mean of `values` lies at every look at once, for many values; everywhere where there is no telling.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence
    sequences", theorem 2.2. Raises BadInput where `alpha` is no error rate.

    >>> import numpy as np
    >>> found = asymptotic_interval(np.tile([-1.0, 1.0], 500), alpha=0.05)
    >>> round(found.low, 2), round(found.high, 2)
    (-0.1, 0.1)
    >>> asymptotic_interval(np.zeros(1), alpha=0.05).high
    inf
    """
    check_alpha(alpha)
    count = len(values)
    deviation = float(values.std(ddof=1)) if count > 1 else 0.0
    if deviation == 0.0:
        return Interval(-math.inf, math.inf, alpha)
    squared = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / NARROWEST
    grown = count * squared + 1
    half = deviation * math.sqrt(2 * grown / (count * count * squared) * math.log(math.sqrt(grown) / alpha))
    mean = float(values.mean())
    return Interval(mean - half, mean + half, alpha)
