"""Cells that numbers are counted in, so that windows can be added up: even ones, or ones that widen with the distance.

A grid is made from a reference once and kept; every window is counted in the same cells. Finding a number's cell
takes a few operations on whole arrays and no search, which is what makes a sketch cheap: a search among quantiles
would cost ten times as much. `grid_choice` says which grid fits a reference.
"""

from functools import cached_property
from typing import ClassVar, Final, TypeAlias

import msgspec
import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import Ints

CELLS: Final = 1 << 14
"""Cells of a grid at most, and two more for what lies outside."""
_ONE: Final = 0x3FF0_0000_0000_0000
"""1.0 as its 64 bits (IEEE 754), the exponent in front: as whole numbers, positive floats keep their order."""
_MANTISSA: Final = 52
_FINEST: Final = 2.0**-48
"""The narrowest cells in largest values: sixteen floats or more in each, so that a value is not taken for another's."""
_NARROWEST: Final = 2.0**-1000
"""Any narrower, and one over a width is no float."""
_AROUND: Final = 2.0**-20
"""Width of the cells around a single value, in that value."""


class Even(msgspec.Struct, frozen=True, tag="even", dict=True):
    """Cells of one width. With `digits`, values are multiples of 10^-digits and each of them has a cell of its own.

    >>> axis = Even(low=0.0, width=0.5, cells=4)
    >>> axis.places(np.array([-9.0, 0.0, 0.6, 1.9, 9.0])).tolist()
    [0, 1, 2, 4, 5]
    """

    low: float
    """Where the first cell begins; what is smaller lies in place 0."""
    width: float
    cells: int
    digits: int | None = None
    """Decimal places of all values, where every cell holds one value alone."""

    @property
    def anchor(self) -> float:
        """From where distances are summed: a point near the reference, so that few digits cancel."""
        return self.low

    @cached_property
    def edges(self) -> Floats:
        """Where cells begin and end, cells + 1 of them, ascending."""
        edges: Floats = self.low + self.width * np.arange(self.cells + 1, dtype=np.float64)
        return edges

    @cached_property
    def centres(self) -> Floats:
        """What stands for the values of each cell."""
        places = np.arange(self.cells, dtype=np.float64)
        if self.digits is None:
            middles: Floats = self.low + self.width * (places + 0.5)
            return middles
        unit = 10.0**self.digits
        values: Floats = (float(np.round(self.low * unit + 0.5)) + places) / unit
        return values

    def places(self, values: Floats) -> Ints:
        """The cell of each finite value: 1 to cells, 0 below and cells + 1 above."""
        moved = values - (self.low - self.width)
        moved *= 1 / self.width
        np.clip(moved, 0.0, self.cells + 1, out=moved)
        found: Ints = moved.astype(np.int64)
        return found

    def astray(self, values: Floats) -> int:
        """How many values have more decimal places than `digits`, so that they share a cell with others."""
        if self.digits is None or has_decimals(values, self.digits):
            return 0
        unit = 10.0**self.digits
        return int((np.round(values * unit) / unit != values).sum())


class Widening(msgspec.Struct, frozen=True, tag="widening", dict=True):
    """Cells that double in width whenever the distance from a centre doubles, as in an HDR histogram, on both sides.

    With z the distance in units, the cell is given by the first bits of 1 + |z| as a float: exponent and some of its
    mantissa. For samples whose bulk is narrow and whose tails are long.

    >>> axis = Widening(centre=0.0, unit=1.0, bits=1, below=0, above=6)
    >>> axis.edges.tolist()
    [0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0]
    >>> axis.places(np.array([-0.1, 0.2, 4.9, 5.0, 9.0])).tolist()
    [0, 1, 5, 6, 7]
    """

    centre: float
    unit: float
    """Distance from the centre within which cells are of one width."""
    bits: int
    """Of the mantissa: 2^bits cells for every doubling of the distance."""
    below: int
    """Cells below the centre."""
    above: int
    digits: ClassVar[None] = None
    """These cells hold intervals, never one value alone."""

    @property
    def anchor(self) -> float:
        """From where distances are summed."""
        return self.centre

    @property
    def cells(self) -> int:
        """All of them."""
        return self.below + self.above

    @cached_property
    def edges(self) -> Floats:
        """Where cells begin and end, cells + 1 of them, ascending."""
        shift = _MANTISSA - self.bits
        codes = (np.arange(max(self.below, self.above) + 1) << shift) + _ONE
        distances = (codes.view(np.float64) - 1) * self.unit
        return np.concatenate((self.centre - distances[self.below : 0 : -1], self.centre + distances[: self.above + 1]))

    @cached_property
    def centres(self) -> Floats:
        """What stands for the values of each cell."""
        middles: Floats = (self.edges[:-1] + self.edges[1:]) / 2
        return middles

    def places(self, values: Floats) -> Ints:
        """The cell of each finite value: 1 to cells, 0 below and cells + 1 above."""
        moved = values - self.centre
        moved *= 1 / self.unit
        left = moved < 0
        np.abs(moved, out=moved)
        moved += 1.0
        codes = moved.view(np.int64) - _ONE
        codes >>= _MANTISSA - self.bits
        np.minimum(codes, self.cells + 1, out=codes)
        codes = np.where(left, self.below - codes, codes + (self.below + 1))
        np.clip(codes, 0, self.cells + 1, out=codes)
        return codes

    def astray(self, values: Floats) -> int:
        """None: values share cells here."""
        return 0


Axis: TypeAlias = Even | Widening


class Grid(msgspec.Struct, frozen=True, dict=True):
    """An axis, and the single values that are so frequent that they are counted by themselves.

    >>> Grid(Even(0.0, 1.0, 4), atoms=(2.5,)).atom_places.tolist()
    [3]
    """

    axis: Axis
    atoms: tuple[float, ...] = ()
    """Ascending."""

    @cached_property
    def atom_places(self) -> Ints:
        """The cell each frequent value lies in."""
        return self.axis.places(np.array(self.atoms, np.float64))


def has_decimals(values: Floats, digits: int) -> bool:
    """Whether no value has more decimal places.

    >>> has_decimals(np.array([0.1, 0.25]), 2), has_decimals(np.array([0.1, 1 / 3]), 2)
    (True, False)
    """
    unit = 10.0**digits
    return bool((np.round(values * unit) / unit == values).all())


def even_over(low: float, high: float, cells: int) -> Even:
    """Cells of one width over a range, or over a wider one where floats are too coarse for so many.

    A range of no width gets one around it.

    >>> even_over(0.0, 4.0, 4).edges.tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    >>> even_over(2.0**60 - 4096, 2.0**60, 4).width
    4096.0
    """
    largest = max(abs(low), abs(high))
    narrowest = max(largest * _FINEST, _NARROWEST)
    width = max(largest, 1.0) * _AROUND if low == high else max((high - low) / cells, narrowest)
    middle = low / 2 + high / 2
    return Even(middle - width * cells / 2, width, cells)
