"""The bins that distances of numbers are counted in, by the names of those who cut them so.

A distance over bins means nothing without them: on the same rows Evidently's and NannyML's Jensen-Shannon differ by
their bins alone. Ours are the reference's deciles; the others are there so that a figure can be compared with another
tool's.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.comparison.distances import Counts

BINS: Final = 10
"""As in credit risk, where PSI comes from."""


class Binning(StrEnum):
    """How numbers become bins."""

    DECILES = "deciles"
    """The reference's deciles, open at both ends, as in credit risk; equal deciles are one bin.

    Of a constant reference: what is below it, equal to it, and above it.
    """
    EQUAL_WIDTH = "equal_width"
    """Ten bins of one width over the reference's range, the outer ones open."""
    EVIDENTLY = "evidently"
    """Sturges' bins over both samples together; up to 20 distinct values in the reference are categories."""
    NANNYML = "nannyml"
    """Doane's bins over the reference and one for rows outside; few distinct values are categories."""


def binned(reference: Floats, current: Floats, binning: Binning = Binning.DECILES) -> tuple[Counts, Counts]:
    """Rows of both samples in each bin; both finite and not empty, in any order.

    Raises BadInput when a sample is empty or has a value that is not finite.

    >>> before, after = binned(np.arange(100.0), np.arange(50.0))
    >>> before.tolist(), after.tolist()
    ([10, 10, 10, 10, 10, 10, 10, 10, 10, 10], [10, 10, 10, 10, 10, 0, 0, 0, 0, 0])
    """
    for name, values in (("reference", reference), ("current", current)):
        if not len(values):
            raise BadInput(name, "empty", "has no values to count")
        if not bool(np.isfinite(values).all()):
            raise BadInput(name, "finite", "has values that are missing or infinite; leave them out")
    return _COUNTED[binning](reference, current)


def _decile_edges(ordered: Floats) -> Floats:
    """The inner edges of `BINS` bins of equally many values of a sorted sample, each distinct value once."""
    if ordered[0] == ordered[-1]:
        return np.array([np.nextafter(ordered[0], -np.inf), ordered[0]])
    places = np.ceil(np.arange(1, BINS) * len(ordered) / BINS).astype(np.int64) - 1
    edges = np.unique(ordered[places])
    inner: Floats = edges[edges < ordered[-1]]
    return inner


def _up_to(ordered: Floats, edges: Floats) -> Counts:
    """Values of a sorted sample in (-inf, first edge], (first, second] and so on to infinity."""
    below = np.searchsorted(ordered, edges, side="right")
    return np.diff(np.concatenate(([0], below, [len(ordered)])))


def _deciles(reference: Floats, current: Floats) -> tuple[Counts, Counts]:
    ordered = np.sort(reference)
    edges = _decile_edges(ordered)
    return _up_to(ordered, edges), _up_to(np.sort(current), edges)


def _equal_width(reference: Floats, current: Floats) -> tuple[Counts, Counts]:
    edges = np.unique(np.linspace(reference.min(), reference.max(), BINS + 1)[1:-1])
    return _up_to(np.sort(reference), edges), _up_to(np.sort(current), edges)


def _evidently(reference: Floats, current: Floats) -> tuple[Counts, Counts]:
    if len(np.unique(reference)) <= 20:
        return _by_value(reference, current, np.union1d(reference, current))
    edges = np.histogram_bin_edges(np.concatenate((reference, current)), bins="sturges")
    return np.histogram(reference, edges)[0], np.histogram(current, edges)[0]


def _nannyml(reference: Floats, current: Floats) -> tuple[Counts, Counts]:
    values = np.unique(reference)
    if len(values) > 50 or len(values) / len(reference) > 0.1:
        edges = np.histogram_bin_edges(reference, bins="doane")
        before, after = np.histogram(reference, edges)[0], np.histogram(current, edges)[0]
    else:
        before, after = _by_value(reference, current, values)
    return np.append(before, len(reference) - before.sum()), np.append(after, len(current) - after.sum())


def _by_value(reference: Floats, current: Floats, values: Floats) -> tuple[Counts, Counts]:
    return _occurrences(reference, values), _occurrences(current, values)


def _occurrences(sample: Floats, values: Floats) -> Counts:
    """How often each of the sorted, distinct `values` occurs."""
    ordered = np.sort(sample)
    return np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values, side="left")


_COUNTED: Final[dict[Binning, Callable[[Floats, Floats], tuple[Any, Any]]]] = {
    Binning.DECILES: _deciles,
    Binning.EQUAL_WIDTH: _equal_width,
    Binning.EVIDENTLY: _evidently,
    Binning.NANNYML: _nannyml,
}
