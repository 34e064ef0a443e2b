"""What is told of all values of a column at once, beside how many lay in which cell: sums, extremes, missing ones.

`sketches` counts a column part by part and adds these up; `sketched` bounds figures by them where no cell does.
"""

import math

import msgspec
import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import Ints
from headgate.monitors.comparison.grids import Axis


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the values of a column, and their extremes.

    >>> Totals(missing=1, maximum=3.0).plus(Totals(missing=2, maximum=9.0)).maximum
    9.0
    """

    missing: int = 0
    """Nulls and NaN."""
    negative_infinite: int = 0
    infinite: int = 0
    astray: int = 0
    """Values with more decimal places than the grid has cells for; they share a cell with others."""
    total: float = 0.0
    """Sum of the finite values' distances from the grid's anchor."""
    squares: float = 0.0
    """Sum of the squares of those."""
    below: float = 0.0
    """Sum of the distances by which values lie below the grid."""
    above: float = 0.0
    """And above it."""
    minimum: float = math.inf
    """Of the finite values; infinity while there is none."""
    maximum: float = -math.inf

    def plus(self, other: "Totals") -> "Totals":
        """The totals of both columns together; sums of distances are rounded, all else is exact."""
        return Totals(
            missing=self.missing + other.missing,
            negative_infinite=self.negative_infinite + other.negative_infinite,
            infinite=self.infinite + other.infinite,
            astray=self.astray + other.astray,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            below=self.below + other.below,
            above=self.above + other.above,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
        )


def totals_of_finite(values: Floats, places: Ints, axis: Axis) -> Totals:
    """The totals of finite values, at least one, that lie in these places of an axis.

    >>> from headgate.monitors.comparison.grids import Even
    >>> values, axis = np.array([0.5, 9.0]), Even(0.0, 1.0, 4)
    >>> found = totals_of_finite(values, axis.places(values), axis)
    >>> found.total, found.above
    (9.5, 5.0)
    """
    distances, low, high = values - axis.anchor, places == 0, places == axis.cells + 1
    return Totals(
        astray=axis.astray(values),
        total=float(distances.sum()),
        # No dot product: BLAS would wake its threads.
        squares=float(np.einsum("i,i->", distances, distances)),
        below=float((axis.edges[0] - values[low]).sum()) if low.any() else 0.0,
        above=float((values[high] - axis.edges[-1]).sum()) if high.any() else 0.0,
        minimum=float(values.min()),
        maximum=float(values.max()),
    )


def totals_of_others(values: Floats) -> Totals:
    """The totals of values none of which is finite.

    >>> totals_of_others(np.array([np.nan, np.inf])).missing
    1
    """
    return Totals(
        missing=int(np.isnan(values).sum()),
        negative_infinite=int((values == -math.inf).sum()),
        infinite=int((values == math.inf).sum()),
    )
