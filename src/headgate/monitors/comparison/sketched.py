"""Two sketches compared, each figure with the bounds between which the truth lies.

The bounds are no estimates. Cells say between which two values every row lies; the figure of the rows themselves can be
nowhere but between the bounds, whatever the rows are, but for the rounding of floats. Where each cell holds one value
alone both bounds are the figure.
"""

from dataclasses import dataclass

import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.comparison.binnings import BINS
from headgate.monitors.comparison.distances import Counts
from headgate.monitors.comparison.sketches import NumberSketch


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which a figure of the rows lies.

    >>> bounds = Bounds(0.25, 0.75)
    >>> bounds.value, bounds.error
    (0.5, 0.25)
    """

    low: float
    high: float

    @property
    def value(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def error(self) -> float:
        """How far from the middle the truth is at most."""
        return (self.high - self.low) / 2


def ks_bounds(reference: NumberSketch, current: NumberSketch) -> Bounds:
    """Bounds of the Kolmogorov-Smirnov statistic of the rows of two sketches.

    At the end of every cell both distribution functions are known: the largest difference there is the lower bound.
    Within a cell each of them lies between what it is at both ends, which bounds their difference. All rows of a
    frequent value lie at it, so that only the other rows of its cell may lie anywhere.

    >>> from headgate.monitors.comparison.grids import Even, Grid
    >>> from headgate.monitors.comparison.sketches import sketch_of
    >>> grid = Grid(Even(0.0, 1.0, 10))
    >>> before, after = sketch_of(np.arange(0.5, 10), grid), sketch_of(np.arange(2.5, 10), grid)
    >>> bounds = ks_bounds(before, after)
    >>> round(bounds.low, 3), round(bounds.high, 3)
    (0.2, 0.3)
    """
    ours, theirs = _check(reference, current)
    before, after = np.cumsum(reference.counts) / ours, np.cumsum(current.counts) / theirs
    starts_before, starts_after = (np.concatenate(([0.0], each[:-1])) for each in (before, after))
    low = float(np.abs(before - after).max())
    within = np.maximum(before - starts_after, after - starts_before)
    if _one_value_each(reference, current):
        within[1:-1] = np.abs(before - after)[1:-1]
    for place in np.unique(reference.grid.atom_places):
        jumps, rest, other_rest = _around_atoms(reference, current, int(place))
        here_low, here_high = _spread(starts_before[place] - starts_after[place] + jumps, rest, other_rest)
        low, within[place] = max(low, here_low), here_high
    return Bounds(low, max(low, float(within.max())))


def _around_atoms(reference: NumberSketch, current: NumberSketch, place: int) -> tuple[Floats, float, float]:
    """By how much the frequent values of one cell, up to each, raise the difference; the shares of its other rows."""
    chosen = reference.grid.atom_places == place
    jumps, rest = [], []
    for each in (reference, current):
        jumps.append(np.concatenate(([0.0], np.cumsum(each.atoms[chosen]) / each.rows)))
        rest.append(float(each.counts[place] - each.atoms[chosen].sum()) / each.rows)
    return jumps[0] - jumps[1], rest[0], rest[1]


def _spread(difference: Floats, rest: float, other_rest: float) -> tuple[float, float]:
    """Bounds of the largest difference in a cell: the other rows may lie on either side of a frequent value."""
    high = float(np.maximum(difference + rest, other_rest - difference).max())
    low = float(np.maximum(difference - other_rest, -difference - rest).max())
    return max(0.0, low), high


@np.errstate(over="ignore", invalid="ignore")
def wasserstein_bounds(reference: NumberSketch, current: NumberSketch) -> Bounds:
    """Bounds of the first Wasserstein distance of the rows of two sketches, in the column's own unit.

    Each row is moved to what stands for its cell: the middle, a frequent value itself, or the mean of what lies
    outside the grid. Moving rows by r on average changes the distance by r at most (the triangle inequality), and
    half a cell is as far as a row is moved. Outside, rows between the grid's end and the extreme, with a known mean,
    are moved by no more on average than if all stood at either.
    """
    _check(reference, current)
    beyond = [*_outside(reference), *((at, -share) for at, share in _outside(current))]
    where = np.concatenate((reference.grid.axis.centres, reference.grid.atoms, [at for at, _ in beyond]))
    cells = _others(reference) / reference.rows - _others(current) / current.rows
    atoms = reference.atoms / reference.rows - current.atoms / current.rows
    order = np.argsort(where, kind="stable")
    gap = np.cumsum(np.concatenate((cells, atoms, [share for _, share in beyond]))[order])
    value = float((np.abs(gap[:-1]) * np.diff(where[order])).sum())
    moved = _moved(reference) + _moved(current)
    return Bounds(max(0.0, value - moved), value + moved)


def _others(sketch: NumberSketch) -> Floats:
    """Rows in each cell of the grid but for the frequent values."""
    left = sketch.counts.astype(np.float64)
    np.subtract.at(left, sketch.grid.atom_places, sketch.atoms)
    return left[1:-1]


def _moved(sketch: NumberSketch) -> float:
    """How far a row is moved on average, at most, when all stand where their cells do."""
    axis, totals = sketch.grid.axis, sketch.totals
    exact = axis.digits is not None and not totals.astray
    within = 0.0 if exact else float((_others(sketch) * np.diff(axis.edges)).sum()) / 2
    reaches = (
        (sketch.counts[0], totals.below, axis.edges[0] - totals.minimum),
        (sketch.counts[-1], totals.above, totals.maximum - axis.edges[-1]),
    )
    outside = sum(2 * total * (1 - total / rows / reach) for rows, total, reach in reaches if rows and reach > 0)
    return float(within + max(0.0, outside)) / sketch.rows


def _outside(sketch: NumberSketch) -> list[tuple[float, float]]:
    """Where the rows beyond each end of the grid are on average, and their share."""
    edges, below, above = sketch.grid.axis.edges, int(sketch.counts[0]), int(sketch.counts[-1])
    ends = []
    if below:
        ends.append((float(edges[0]) - sketch.totals.below / below, below / sketch.rows))
    if above:
        ends.append((float(edges[-1]) + sketch.totals.above / above, above / sketch.rows))
    return ends


def decile_counts(reference: NumberSketch, current: NumberSketch) -> tuple[Counts, Counts]:
    """Rows of both in ten bins that hold equally many of the reference's, as nearly as its cells allow.

    The bins' edges are edges of cells, so the counts themselves are exact; the same cells make the same bins whatever
    the window.

    >>> from headgate.monitors.comparison.grids import Even, Grid
    >>> from headgate.monitors.comparison.sketches import sketch_of
    >>> sketch = sketch_of(np.arange(100.0), Grid(Even(-0.5, 1.0, 100)))
    >>> decile_counts(sketch, sketch)[0].tolist()
    [10, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    """
    ours, _ = _check(reference, current)
    reached = np.cumsum(reference.counts)
    wanted = np.arange(1, BINS) * ours / BINS
    above = np.searchsorted(reached, wanted)
    nearer = np.abs(reached[np.maximum(above - 1, 0)] - wanted) < np.abs(reached[above] - wanted)
    ends = np.unique(np.where(nearer, above - 1, above)) + 1
    starts = np.concatenate(([0], ends[ends < len(reached)]))
    before, after = (np.add.reduceat(each.counts, starts) for each in (reference, current))
    return before, after


def _one_value_each(reference: NumberSketch, current: NumberSketch) -> bool:
    return reference.grid.axis.digits is not None and not (reference.totals.astray or current.totals.astray)


def _check(reference: NumberSketch, current: NumberSketch) -> tuple[int, int]:
    """Rows of both."""
    if reference.grid != current.grid:
        raise BadInput("current", "grid", "was counted on another grid than the reference")
    for name, each in (("reference", reference), ("current", current)):
        if not each.rows:
            raise BadInput(name, "empty", "has no finite values")
    return reference.rows, current.rows
