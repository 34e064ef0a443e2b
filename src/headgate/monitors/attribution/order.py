"""Whether periods stand in an order that chance does not explain, and how much neighbours lean on each other.

`changepoint` asks before it looks for a course, and again of what a course leaves over.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.attribution.shapes import EDGE

SHUFFLES: Final = 399
"""Of the periods; twice one in 400 is the smallest chance that can be told, half of what a change has to be."""


def chance_of_none(residuals: Floats, weights: Floats, random: np.random.Generator) -> float:
    """Chance of as much order as there is, if periods are exchangeable; `residuals` are of one variance.

    Two things are looked at, in the series and in `SHUFFLES` shuffled ones: the stretch that differs most from the rest
    (Olshen, Venkatraman, Lucito & Wigler 2004), which sees a change that stays, and the products of neighbours (von
    Neumann 1941, with Wald & Wolfowitz 1943), which see what comes and goes. The chance is twice the smaller of the two
    (Bonferroni).
    """
    shuffled = random.permuted(np.tile(residuals, (SHUFFLES + 1, 1)), axis=1)
    shuffled[0] = residuals
    alike = (shuffled[:, 1:] * shuffled[:, :-1]).sum(axis=1)
    return min(1.0, 2 * min(_rank(_most_different(shuffled, weights)), _rank(alike)))


def _rank(measures: Floats) -> float:
    """Share of series that measure no less than the first; equal up to rounding is no less."""
    slack = 1e-9 * abs(float(measures[0]))
    return float((measures >= measures[0] - slack).mean())


def _most_different(residuals: Floats, weights: Floats) -> Floats:
    """The largest sum of squares between any stretch and the rest, series by row."""
    weighted = residuals * np.sqrt(weights)
    weighted -= weights * (weighted.sum(axis=1, keepdims=True) / weights.sum())
    sums = np.pad(np.cumsum(weighted, axis=1), ((0, 0), (1, 0)))
    masses = np.pad(np.cumsum(weights), (1, 0))
    firsts, lasts = _stretches(len(weights))
    inside = masses[lasts] - masses[firsts]
    largest: Floats = ((sums[:, lasts] - sums[:, firsts]) ** 2 / (inside * (1 - inside / masses[-1]))).max(axis=1)
    return largest


def _stretches(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First period of every stretch and the first one behind it, `EDGE` periods or more inside and outside."""
    firsts, lasts = np.triu_indices(count + 1, EDGE)
    wanted = lasts - firsts <= count - EDGE
    return firsts[wanted], lasts[wanted]


def leaning(errors: Floats, weights: Floats) -> float:
    """Correlation of neighbouring errors, -1 to 1; 0 where there are none.

    >>> leaning(np.array([1.0, -1.0, 1.0, -1.0]), np.ones(4))
    -0.75
    """
    scaled = errors * np.sqrt(weights)
    squares = float((scaled**2).sum())
    return float((scaled[1:] * scaled[:-1]).sum()) / squares if squares > 0 else 0.0
