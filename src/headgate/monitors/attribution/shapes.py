"""Shapes that a change may have over periods: a step and ramps, as templates whose fit to a series is one product.

`courses` fits them by weighted least squares. The weight of a period is how many rows its value is the mean of, so that
errors times the root of it are of one variance.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats

EDGE: Final = 2
"""Periods that every level, and every spell, lasts at least."""
RAMP: Final = 5
"""Periods that a ramp takes at least; a shorter one is a step."""


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Shapes from 0 to 1, centred and scaled so that a product with the weighted values is what they explain."""

    begins: NDArray[np.intp]
    """The first different period of each, ascending."""
    shapes: Floats
    """(templates, periods), from 0 before the change to 1 after it."""
    scaled: Floats

    def explained(self, values: Floats, weights: Floats) -> Floats:
        """Sum of squares that each template explains, of one series or, row by row, of several."""
        squares: Floats = ((values * weights) @ self.scaled.T) ** 2
        return squares

    def most(self, values: Floats, weights: Floats) -> Floats:
        """The most that any template explains which begins at each period; of several series, row by row.

        There is a place for every period and one behind the last; where no template begins it is minus infinity.
        """
        explained = self.explained(values, weights)
        found = np.full((len(explained), values.shape[1] + 1), -np.inf)
        firsts = np.flatnonzero(np.diff(self.begins, prepend=-1))
        found[:, self.begins[firsts]] = np.maximum.reduceat(explained, firsts, axis=1)
        return found


def templates(begins: NDArray[np.intp], lengths: NDArray[np.intp], weights: Floats) -> Templates:
    """Ramps whose first different period is `begins`, ascending, and that take so many periods; a step takes one.

    >>> templates(np.array([1]), np.array([2]), np.ones(4)).shapes.tolist()
    [[0.0, 0.5, 1.0, 1.0]]
    """
    periods = np.arange(len(weights))
    shapes = np.clip((periods - begins[:, None] + 1) / lengths[:, None], 0.0, 1.0)
    centred = shapes - ((shapes @ weights) / weights.sum())[:, None]
    norms = np.sqrt((centred**2) @ weights)
    return Templates(begins, shapes, centred / norms[:, None])


def steps(weights: Floats) -> Templates:
    """Every step that leaves `EDGE` periods on either side."""
    begins = np.arange(EDGE, len(weights) - EDGE + 1)
    return templates(begins, np.ones(len(begins), np.intp), weights)


def ramps(weights: Floats) -> Templates:
    """Every ramp of `RAMP` periods or more that begins after `EDGE` periods and ends before the last."""
    count = len(weights)
    pairs = [(begin, length) for begin in range(EDGE, count - RAMP) for length in range(RAMP, count - begin)]
    begins, lengths = np.array(pairs, np.intp).T
    return templates(begins, lengths, weights)
