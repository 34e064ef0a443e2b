"""Kolmogorov-Smirnov and Wasserstein of two samples in any order, exactly, and without sorting large ones.

Large samples are counted in cells first. In most cells it is then plain which distribution function is the larger one,
and the area between them follows from the cell's sum; hardly any cell can hold the largest difference. Only the rows of
the others are sorted, a few in a hundred. The figures are those of the sorted samples but for rounding.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import Bools, Ints
from headgate.monitors.comparison.grid_choice import grid_for
from headgate.monitors.comparison.grids import Grid
from headgate.monitors.comparison.sketched import ks_bounds, wasserstein_bounds
from headgate.monitors.comparison.sketches import NumberSketch, sketch_of
from headgate.monitors.two_samples import ks_statistic, wasserstein

_SORTED: Final = 1 << 14
"""Values of either sample up to which both are sorted, which is the quicker way then."""
_CELLS: Final = 1 << 18
"""Cells for larger ones: with more of them, fewer rows have to be sorted."""
_FEWEST: Final = 1 << 12
"""Cells for a small reference, which more of them would only slow down."""
_LOOKED_AT: Final = 1 << 15
"""Values of the reference from which the cells are chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """Both figures, and sketches of both samples on one grid."""

    ks: float
    """The Kolmogorov-Smirnov statistic."""
    wasserstein: float
    """In the samples' own unit; infinity beyond the floats."""
    reference: NumberSketch
    current: NumberSketch


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One sample in its cells."""

    values: Floats
    places: NDArray[np.uint32]
    """The cell of each, where a frequent value has one of its own and its cell is two, below and above."""
    sketch: NumberSketch
    counts: Ints
    starts: Floats
    """The distribution function where each cell begins."""
    ends: Floats
    """And where it ends."""


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """The sorted values of some cells."""

    values: Floats
    cells: Ints
    """The cell of each."""
    ranks: Ints
    """How many values of the whole sample are no larger, the last of equal values told rightly."""
    skipped: Ints
    """By cell: values in the cells before it that were not opened."""
    rows: int
    """Values of the whole sample."""


def exact_comparison(reference: Floats, current: Floats) -> Exact:
    """The figures of `two_samples` for two finite samples in any order; BadInput when one is empty or not finite.

    >>> found = exact_comparison(np.array([2.0, 1.0]), np.array([3.0, 2.0]))
    >>> found.ks, found.wasserstein
    (0.5, 1.0)
    """
    for name, values in (("reference", reference), ("current", current)):
        if not len(values) or not bool(np.isfinite(values).all()):
            raise BadInput(name, "finite", "needs values, all of them finite")
    if max(len(reference), len(current)) <= _SORTED:
        return _sorted(reference, current)
    return in_cells(reference, current)


def _sorted(reference: Floats, current: Floats) -> Exact:
    first, second = np.sort(reference), np.sort(current)
    grid = grid_for(first)
    sketches = sketch_of(reference, grid), sketch_of(current, grid)
    return Exact(ks_statistic(first, second), wasserstein(first, second), *sketches)


def in_cells(reference: Floats, current: Floats) -> Exact:
    """The same of large samples, finite and not empty, by their cells.

    >>> in_cells(np.array([2.0, 1.0]), np.array([3.0, 2.0])).ks
    0.5
    """
    looked_at = np.sort(reference[:: max(1, len(reference) // _LOOKED_AT)])
    grid = grid_for(looked_at, min(_CELLS, max(_FEWEST, len(reference))))
    ours, theirs = _side(reference, grid), _side(current, grid)
    if grid.axis.digits is not None:
        ks, area = ks_bounds(ours.sketch, theirs.sketch), wasserstein_bounds(ours.sketch, theirs.sketch)
        if ks.error == 0 and area.error == 0:
            return Exact(ks.low, area.low, ours.sketch, theirs.sketch)
    with np.errstate(over="ignore", invalid="ignore"):
        statistic, distance = _resolved(ours, theirs)
    if not math.isfinite(distance):
        distance = wasserstein(np.sort(reference), np.sort(current))
    return Exact(statistic, distance, ours.sketch, theirs.sketch)


def _side(values: Floats, grid: Grid) -> _Side:
    places = np.empty(len(values), np.uint32)
    sketch = sketch_of(values, grid, places)
    counts = sketch.counts
    if grid.atoms:
        _split(values, places, grid)
        counts = np.bincount(places, minlength=len(counts) + 2 * len(grid.atoms))
    ends = np.cumsum(counts)
    return _Side(values, places, sketch, counts, (ends - counts) / len(values), ends / len(values))


def _split(values: Floats, places: NDArray[np.uint32], grid: Grid) -> None:
    """Give each frequent value a cell of its own, in place: those after it move on by two."""
    atoms, at = np.array(grid.atoms), grid.atom_places
    holds = np.zeros(grid.axis.cells + 2, np.bool_)
    holds[at] = True
    inside = np.flatnonzero(holds[places])
    # Twice the frequent values below, and one for a value that is one of them.
    found = values[inside]
    moved = np.searchsorted(atoms, found, side="left") + np.searchsorted(atoms, found, side="right")
    split = places[inside] + moved
    places += (2 * np.searchsorted(at, np.arange(len(holds)), side="left")).astype(np.uint32)[places]
    places[inside] = split


def _resolved(ours: _Side, theirs: _Side) -> tuple[float, float]:
    """Both figures, from cells where those tell, and from the sorted rows of the other cells."""
    grid = ours.sketch.grid
    best = float(np.abs(ours.ends - theirs.ends).max())
    above, below = ours.ends - theirs.starts, theirs.ends - ours.starts
    # One function is the larger one all over a cell where even its start is above the other's end.
    unclear = ((above > 0) & (below > 0)) | (np.maximum(above, below) > best)
    single = grid.atom_places + 2 * np.arange(len(grid.atoms)) + 1
    unclear[single] = False
    first, second = _opened(ours, unclear), _opened(theirs, unclear)
    ks = max(best, _excess(first, second), _excess(second, first))
    edges = _edges(ours.sketch, theirs.sketch)
    clear = _areas(ours, edges) - _areas(theirs, edges)
    clear[single] = 0.0  # a single value has no width
    gaps = ours.starts - theirs.starts
    return ks, float(np.abs(clear[~unclear]).sum()) + _area_between(first, second, edges, gaps, grid.axis.anchor)


def _opened(side: _Side, cells: Bools) -> _Opened:
    counts = side.counts
    values = np.sort(side.values[cells[side.places]])
    owners = np.repeat(np.flatnonzero(cells), counts[cells])
    skipped = np.cumsum(np.where(cells, 0, counts))
    return _Opened(values, owners, np.arange(1, len(values) + 1) + skipped[owners], skipped, len(side.values))


def _excess(sample: _Opened, other: _Opened) -> float:
    """The largest F(x) - G(x) over the values of the sample's opened cells, or less than none."""
    found = np.searchsorted(other.values, sample.values, side="right") + other.skipped[sample.cells]
    return float((sample.ranks / sample.rows - found / other.rows).max(initial=-1.0))


def _edges(ours: NumberSketch, theirs: NumberSketch) -> Floats:
    """Where all cells begin and end, those outside the grid at the extremes, as distances from the anchor."""
    inner = ours.grid.axis.edges
    low = min(ours.totals.minimum, theirs.totals.minimum, inner[0])
    high = max(ours.totals.maximum, theirs.totals.maximum, inner[-1])
    around = np.repeat(ours.grid.atom_places + 1, 2), np.repeat(np.array(ours.grid.atoms), 2)
    return np.insert(np.concatenate(([low], inner, [high])), *around) - ours.grid.axis.anchor


def _areas(side: _Side, edges: Floats) -> Floats:
    """The area under the distribution function in each cell: a row adds what lies between it and the cell's end."""
    distances = side.values - side.sketch.grid.axis.anchor
    sums = np.bincount(side.places, weights=distances, minlength=len(side.starts))
    areas: Floats = side.starts * np.diff(edges) + (edges[1:] * side.counts - sums) / len(side.values)
    return areas


def _area_between(ours: _Opened, theirs: _Opened, edges: Floats, gaps: Floats, origin: float) -> float:
    """The area between both functions in the opened cells; `gaps` are their differences where cells begin."""
    if not len(ours.values) + len(theirs.values):
        return 0.0
    values = np.concatenate((ours.values, theirs.values))
    order = np.argsort(values, kind="stable")
    points, owners = values[order] - origin, np.concatenate((ours.cells, theirs.cells))[order]
    seen = np.cumsum(order < len(ours.values))
    others = np.arange(1, len(points) + 1) - seen
    gap = np.abs((seen + ours.skipped[owners]) / ours.rows - (others + theirs.skipped[owners]) / theirs.rows)
    is_last = np.append(owners[1:] != owners[:-1], True)
    until = np.append(points[1:], 0.0)
    until[is_last] = edges[owners[is_last] + 1]
    firsts = np.append(0, np.flatnonzero(is_last)[:-1] + 1)
    before = np.abs(gaps[owners[firsts]]) * (points[firsts] - edges[owners[firsts]])
    return float((gap * (until - points)).sum() + before.sum())
