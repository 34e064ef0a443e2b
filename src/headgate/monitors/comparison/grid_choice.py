"""Which grid a reference is to be counted in: the one whose fullest cell holds the fewest rows.

What lies within a cell is told apart no more, so the fullest one limits how close a sketch comes to the truth. Values
that are whole numbers, or have a few decimal places, get a cell each where there are not too many of them: nothing is
lost then.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.monitors.comparison.grids import CELLS, Axis, Even, Grid, Widening, even_over, has_decimals

_OUTSIDE: Final = 1e-4
"""Share of the reference on either side that a grid need not reach."""
_WIDENED: Final = 0.25
"""Share of the range added on either side: windows go further than references."""
_DECIMALS: Final = 4
"""Decimal places up to which values may have cells of their own."""
_ATOMS: Final = 16
"""Single values that are counted by themselves, at most."""
_ATOM_SHARE: Final = 1 / 512
"""A single value that is at least as frequent is counted by itself."""
_WHOLE: Final = 2.0**45
"""Units up to which values get cells of their own; further out, floats hit the middle of a cell too coarsely."""
_LARGEST: Final = 1e300
"""Cells reach no further, so that the width of all of them together is a float."""
_FINEST: Final = 2.0**-40
"""The least unit of a widening axis, in ranges of the reference,"""
_COARSEST: Final = 2.0**-30
"""and in centres, so that floats there are finer than its narrowest cells."""
_LOOKED_AT: Final = 1 << 15
"""Values of the reference that grids are tried on, evenly taken by rank."""


@np.errstate(over="ignore", invalid="ignore")
def grid_for(ordered: Floats, cells: int = CELLS) -> Grid:
    """The grid for a sorted, finite reference; of one without a value, that of a single 0.

    >>> grid_for(np.arange(10.0)).axis.digits
    0
    >>> type(grid_for(np.sort(np.random.default_rng(0).normal(size=2000))).axis).__name__
    'Even'
    >>> type(grid_for(np.sort(np.random.default_rng(0).lognormal(0, 4, size=2000))).axis).__name__
    'Widening'
    """
    ordered = ordered if len(ordered) else np.zeros(1)
    if (axis := _one_value_each(ordered, cells)) is not None:
        return Grid(axis)
    atoms = _frequent(ordered)
    some = ordered[np.linspace(0, len(ordered) - 1, min(len(ordered), _LOOKED_AT)).astype(np.int64)]
    some = some[~np.isin(some, atoms)] if len(atoms) else some
    best: Axis = _even(ordered, cells)
    # Only where at most half as full: even cells bound the Wasserstein distance more tightly, and are quicker.
    least = _fullest(best, some) / 2
    for each in _widening(some, *_ends(ordered, 0), cells):
        if (rows := _fullest(each, some)) < least:
            best, least = each, rows
    places = best.places(atoms)
    return Grid(best, tuple(atoms[(places > 0) & (places <= best.cells)].tolist()))


def _one_value_each(ordered: Floats, cells: int) -> Even | None:
    """Cells for single values, where all have at most a few decimal places and they fit; None else."""
    some = ordered[np.linspace(0, len(ordered) - 1, min(len(ordered), 256)).astype(np.int64)]
    for digits in range(_DECIMALS + 1):
        unit = 10.0**digits
        first, last = np.round(ordered[0] * unit), np.round(ordered[-1] * unit)
        if not (max(abs(first), abs(last)) < _WHOLE and last - first < cells):
            return None
        if has_decimals(some, digits) and has_decimals(ordered, digits):
            spare = min(int((cells - 1 - (last - first)) // 2), max(64, int(last - first)))
            low = (first - spare - 0.5) / unit
            return Even(float(low), 1 / unit, int(last - first) + 1 + 2 * spare, digits)
    return None


def _frequent(ordered: Floats) -> Floats:
    """The most frequent single values, ascending."""
    # A value as frequent as this stands at two neighbouring places of those looked at.
    step = max(1, int(len(ordered) * _ATOM_SHARE / 2))
    looked = ordered[::step]
    values = np.unique(looked[1:][looked[1:] == looked[:-1]])
    counts = np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values, side="left")
    values, counts = values[counts >= len(ordered) * _ATOM_SHARE], counts[counts >= len(ordered) * _ATOM_SHARE]
    return np.sort(values[np.argsort(-counts, kind="stable")[:_ATOMS]])


def _even(ordered: Floats, cells: int) -> Even:
    low, high = _ends(ordered, int(len(ordered) * _OUTSIDE))
    span = high - low
    return even_over(low - _WIDENED * span, high + _WIDENED * span, cells)


def _ends(ordered: Floats, outside: int) -> tuple[float, float]:
    """The least and the largest value but for so many outside on either side."""
    ends = np.clip((ordered[outside], ordered[len(ordered) - 1 - outside]), -_LARGEST, _LARGEST)
    return float(ends[0]), float(ends[1])


def _widening(some: Floats, low: float, high: float, cells: int) -> Iterator[Widening]:
    """Around zero, around the median, and from the lower end on; all of them over the whole range."""
    if not len(some) or some[0] == some[-1] or low == high:
        return
    median = min(max(float(some[len(some) // 2]), low), high)
    for centre in dict.fromkeys((0.0, median, low)):
        distances = np.abs(some - centre)
        distances = np.sort(distances[distances > 0])
        unit = max(float(distances[len(distances) // 100]), (high - low) * _FINEST, abs(centre) * _COARSEST)
        if not 0 < 1 / unit < math.inf:
            continue
        below, above = _doublings((centre - low) / unit), _doublings((high - centre) / unit)
        bits = math.floor(math.log2(cells / (below + above)))
        if bits >= 1:
            yield Widening(centre, unit, bits, below << bits, above << bits)


def _doublings(reach: float) -> int:
    """How often a distance of one unit doubles up to `reach` units, and once more."""
    return math.ceil(math.log2(1 + reach)) + 1 if reach > 0 else 0


def _fullest(axis: Axis, some: Floats) -> int:
    return int(np.bincount(axis.places(some)).max()) if len(some) else 0
