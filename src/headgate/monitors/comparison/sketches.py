"""What is kept of a column of numbers: how many lay in which cell of a grid. Windows add up, and nothing is lost by it.

A sketch is a few kilobytes whatever it was made of. Two sketches on one grid are compared in `sketched`, which says
between which bounds the truth lies. Counting reads every value once and sorts nothing.
"""

import math
import zlib
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import Ints
from headgate.monitors.comparison.grid_choice import has_decimals
from headgate.monitors.comparison.grids import Even, Grid

_AT_ONCE: Final = 1 << 15
"""Values counted at once: what is computed of them fits a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberSketch:
    """Numbers of one column, counted.

    >>> grid = Grid(Even(0.0, 1.0, 4))
    >>> monday, tuesday = (sketch_of(np.array(each), grid) for each in ([0.5, 9.0], [1.5, np.nan]))
    >>> both = monday.merged(tuesday)
    >>> both.counts.tolist(), both.rows, both.missing, both.maximum
    ([0, 1, 1, 0, 0, 1], 3, 1, 9.0)
    """

    grid: Grid
    counts: Ints
    """Finite values by place: below the grid, in each of its cells, above it; frequent values among them."""
    atoms: Ints
    """How often each of the grid's frequent values came."""
    missing: int = 0
    """Nulls and NaN."""
    negative_infinite: int = 0
    infinite: int = 0
    astray: int = 0
    """Values with more decimal places than the grid has cells for; they share a cell."""
    total: float = 0.0
    """Sum of the finite values' distances from the reference's lower end; sums alone are rounded in merging."""
    squares: float = 0.0
    """Sum of their squares."""
    below: float = 0.0
    """Sum of the distances by which values lie below the grid."""
    above: float = 0.0
    minimum: float = math.inf
    """Of the finite values; infinity while there is none."""
    maximum: float = -math.inf

    @property
    def rows(self) -> int:
        """Finite values."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Of the finite values; NaN without one."""
        return anchor(self.grid) + self.total / self.rows if self.rows else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation of the finite values, dividing by their number; NaN without one, and beyond the floats."""
        if self.minimum == self.maximum:
            return 0.0
        if not (self.rows and math.isfinite(self.squares)):
            return math.nan
        return math.sqrt(max(0.0, self.squares / self.rows - (self.total / self.rows) ** 2))

    def merged(self, other: "NumberSketch") -> "NumberSketch":
        """The sketch of both columns together, the same as if they had been counted as one.

        Raises BadInput when the grids are not the same.
        """
        if self.grid != other.grid:
            raise BadInput("grid", "equal", "sketches are added up on one grid; count both against one reference")
        names = ("missing", "negative_infinite", "infinite", "astray", "total", "squares", "below", "above")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return NumberSketch(
            self.grid,
            self.counts + other.counts,
            self.atoms + other.atoms,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            **sums,
        )

    def to_bytes(self) -> bytes:
        """The sketch as MessagePack, its counts compressed."""
        return msgspec.msgpack.encode(
            _Kept(
                self.grid,
                zlib.compress(self.counts.astype("<i8").tobytes(), 1),
                tuple(self.atoms.tolist()),
                **{name: getattr(self, name) for name in _FIGURES},
            )
        )


class _Kept(msgspec.Struct, frozen=True):
    """A sketch as it is stored."""

    grid: Grid
    counts: bytes
    atoms: tuple[int, ...]
    missing: int
    negative_infinite: int
    infinite: int
    astray: int
    total: float
    squares: float
    below: float
    above: float
    minimum: float
    maximum: float


_FIGURES: Final = tuple(each for each in _Kept.__struct_fields__ if each not in ("grid", "counts", "atoms"))


def read_sketch(kept: bytes) -> NumberSketch:
    """The sketch that `NumberSketch.to_bytes` wrote; BadInput when these are no such bytes.

    >>> kept = sketch_of(np.array([0.5, 9.0]), Grid(Even(0.0, 1.0, 4))).to_bytes()
    >>> read_sketch(kept).counts.tolist()
    [0, 1, 0, 0, 0, 1]
    """
    try:
        read = msgspec.msgpack.decode(kept, type=_Kept)
        counts = np.frombuffer(zlib.decompress(read.counts), "<i8").astype(np.int64)
    except (msgspec.DecodeError, zlib.error, ValueError) as error:
        raise BadInput("sketch", "unreadable", "these bytes are no sketch of numbers") from error
    if len(counts) != read.grid.axis.cells + 2 or len(read.atoms) != len(read.grid.atoms):
        raise BadInput("sketch", "length", "has other cells than its grid")
    figures = {name: getattr(read, name) for name in _FIGURES}
    return NumberSketch(read.grid, counts, np.array(read.atoms, np.int64), **figures)


@np.errstate(over="ignore", invalid="ignore")
def sketch_of(values: Floats, grid: Grid, places: NDArray[np.uint32] | None = None) -> NumberSketch:
    """The numbers of a column counted on `grid`; NaN counts as missing, and infinite values by themselves.

    With `places`, an array as long as `values`, the cell of each is written there; all have to be finite then.

    >>> sketch_of(np.array([np.nan, np.inf, 1.0]), Grid(Even(0.0, 1.0, 4))).infinite
    1
    """
    found = empty(grid)
    counts, atoms = found.counts.copy(), found.atoms.copy()
    for start in range(0, len(values), _AT_ONCE):
        part = values[start : start + _AT_ONCE]
        finite = np.isfinite(part)
        if not finite.all():
            found = _beside(found, part[~finite])
            part = part[finite]
        if len(part):
            cells = grid.axis.places(part)
            found = _counted(found, part, cells, atoms)
            if places is None:
                counts += np.bincount(cells, minlength=len(counts))
            else:
                places[start : start + _AT_ONCE] = cells
    if places is not None:
        counts = np.bincount(places, minlength=len(counts))
    return replace(found, counts=counts, atoms=atoms)


def empty(grid: Grid) -> NumberSketch:
    """The sketch of no rows.

    >>> empty(Grid(Even(0.0, 1.0, 4))).rows
    0
    """
    return NumberSketch(grid, np.zeros(grid.axis.cells + 2, np.int64), np.zeros(len(grid.atoms), np.int64))


def anchor(grid: Grid) -> float:
    """From where distances are summed: a point of the reference, so that few digits cancel.

    >>> anchor(Grid(Even(2.0, 1.0, 4)))
    2.0
    """
    return grid.axis.low if isinstance(grid.axis, Even) else grid.axis.centre


def _beside(found: NumberSketch, odd: Floats) -> NumberSketch:
    """With values that are not finite."""
    return replace(
        found,
        missing=found.missing + int(np.isnan(odd).sum()),
        negative_infinite=found.negative_infinite + int((odd == -math.inf).sum()),
        infinite=found.infinite + int((odd == math.inf).sum()),
    )


def _counted(found: NumberSketch, part: Floats, places: Ints, atoms: Ints) -> NumberSketch:
    """With finite values, all but the cells they lie in; `atoms` grow in place."""
    axis, distances = found.grid.axis, part - anchor(found.grid)
    for place, each in enumerate(found.grid.atoms):
        atoms[place] += np.count_nonzero(part == each)
    astray = 0
    if axis.digits is not None and not has_decimals(part, axis.digits):
        unit = 10.0**axis.digits
        astray = int((np.round(part * unit) / unit != part).sum())
    low, high = places == 0, places == axis.cells + 1
    return replace(
        found,
        astray=found.astray + astray,
        total=found.total + float(distances.sum()),
        squares=found.squares + float(np.einsum("i,i->", distances, distances)),
        below=found.below + (float((axis.edges[0] - part[low]).sum()) if low.any() else 0.0),
        above=found.above + (float((part[high] - axis.edges[-1]).sum()) if high.any() else 0.0),
        minimum=min(found.minimum, float(part.min())),
        maximum=max(found.maximum, float(part.max())),
    )
