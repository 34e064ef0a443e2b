"""What is kept of a column of numbers: how many lay in which cell of a grid. Windows add up, and nothing is lost by it.

A sketch is a few kilobytes whatever it was made of. Two sketches on one grid are compared in `sketched`, which says
between which bounds the truth lies. Counting reads every value once and sorts nothing.
"""

import math
import zlib
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import Ints
from headgate.monitors.comparison.grids import Grid
from headgate.monitors.comparison.totals import Totals, totals_of_finite, totals_of_others
from headgate.vocabulary import readable

_AT_ONCE: Final = 1 << 15
"""Values counted at once: what is computed of them fits a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberSketch:
    """Numbers of one column, counted.

    >>> from headgate.monitors.comparison.grids import Even
    >>> grid = Grid(Even(0.0, 1.0, 4))
    >>> monday, tuesday = (sketch_of(np.array(each), grid) for each in ([0.5, 9.0], [1.5, np.nan]))
    >>> both = monday.merged(tuesday)
    >>> both.counts.tolist(), both.rows, both.totals.missing, both.totals.maximum
    ([0, 1, 1, 0, 0, 1], 3, 1, 9.0)
    """

    grid: Grid
    counts: Ints
    """Finite values by place: below the grid, in each of its cells, above it; frequent values among them."""
    atoms: Ints
    """How often each of the grid's frequent values came."""
    totals: Totals

    @property
    def rows(self) -> int:
        """Finite values."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Of the finite values; NaN without one."""
        return self.grid.axis.anchor + self.totals.total / self.rows if self.rows else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation of the finite values, dividing by their number; NaN without one, and beyond the floats."""
        totals, rows = self.totals, self.rows
        if totals.minimum == totals.maximum:
            return 0.0
        if not (rows and math.isfinite(totals.squares)):
            return math.nan
        return math.sqrt(max(0.0, totals.squares / rows - (totals.total / rows) ** 2))

    def merged(self, other: "NumberSketch") -> "NumberSketch":
        """The sketch of both columns together, the same as if they had been counted as one but for rounded sums.

        Raises BadInput when the grids are not the same.
        """
        if self.grid != other.grid:
            raise BadInput("grid", "equal", "sketches are added up on one grid; count both against one reference")
        totals = self.totals.plus(other.totals)
        return NumberSketch(self.grid, self.counts + other.counts, self.atoms + other.atoms, totals)

    def to_bytes(self) -> bytes:
        """The sketch as MessagePack, its counts compressed."""
        counts = zlib.compress(self.counts.astype("<i8").tobytes(), 1)
        return msgspec.msgpack.encode(_Kept(self.grid, counts, tuple(self.atoms.tolist()), self.totals))


@readable
class _Kept(msgspec.Struct, frozen=True):
    """A sketch as it is stored."""

    grid: Grid
    counts: bytes
    """Little-endian 64-bit numbers, compressed by zlib."""
    atoms: tuple[int, ...]
    totals: Totals


def read_sketch(kept: bytes) -> NumberSketch:
    """The sketch that `NumberSketch.to_bytes` wrote; BadInput when these are no such bytes.

    >>> from headgate.monitors.comparison.grids import Even
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
    return NumberSketch(read.grid, counts, np.array(read.atoms, np.int64), read.totals)


@np.errstate(over="ignore", invalid="ignore")
def sketch_of(values: Floats, grid: Grid, places: NDArray[np.uint32] | None = None) -> NumberSketch:
    """The numbers of a column counted on `grid`; NaN counts as missing, and infinite values by themselves.

    With `places`, an array as long as `values`, the cell of each is written there; all have to be finite then.

    >>> from headgate.monitors.comparison.grids import Even
    >>> sketch_of(np.array([np.nan, np.inf, 1.0]), Grid(Even(0.0, 1.0, 4))).totals.infinite
    1
    """
    axis, totals = grid.axis, Totals()
    counts, atoms = np.zeros(axis.cells + 2, np.int64), np.zeros(len(grid.atoms), np.int64)
    for start in range(0, len(values), _AT_ONCE):
        part = values[start : start + _AT_ONCE]
        finite = np.isfinite(part)
        if not finite.all():
            totals = totals.plus(totals_of_others(part[~finite]))
            part = part[finite]
        if not len(part):
            continue
        cells = axis.places(part)
        totals = totals.plus(totals_of_finite(part, cells, axis))
        for place, each in enumerate(grid.atoms):
            atoms[place] += np.count_nonzero(part == each)
        if places is None:
            counts += np.bincount(cells, minlength=len(counts))
        else:
            places[start : start + _AT_ONCE] = cells
    if places is not None:
        # Whoever asks for places has many cells, and adding them all up for every part would take longest.
        counts = np.bincount(places, minlength=len(counts))
    return NumberSketch(grid, counts, atoms, totals)
