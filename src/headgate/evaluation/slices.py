"""The parts of a data set a model is also judged on: one per category, truth value or range of a number.

`report` measures each slice; gates may speak of every slice of a field.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.figures import Figures
from headgate.evaluation.metrics import metric
from headgate.evaluation.rows import Column, absent, spelled
from headgate.vocabulary import Task

SMALLEST: Final = 50
"""Rows below which a slice is named but not measured: its figures would be noise."""
MOST: Final = 50
"""Categories of one field that get a slice of their own; the rarer ones share ``(others)``."""
BINS: Final = 4
"""Ranges a number is cut into, each with about as many rows."""
MISSING: Final = "(missing)"
OTHERS: Final = "(others)"

HEADLINE: Final = {
    Task.BINARY: ("auc", "accuracy"),
    Task.MULTICLASS: ("accuracy", "auc"),
    Task.REGRESSION: ("mae", "rmse"),
    Task.TENSOR: (),
}
"""The metric that says which slice is worst; the second where the first has no value."""


class Slice(Figures, frozen=True, kw_only=True):
    """The figures of one slice; without estimates when it has fewer rows than a slice needs."""

    field: str
    value: str
    """A category, ``true`` or ``false``, or a range such as ``0 to 12.5``."""

    @property
    def measured(self) -> bool:
        """Whether it had enough rows."""
        return bool(self.estimates)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which slice of one field each row belongs to."""

    names: tuple[str, ...]
    codes: NDArray[np.intp]
    """Position in `names` per row."""


def groups(column: Column) -> Groups:
    """The slices of a field: categories and truth values as they are, numbers by quantile ranges.

    A number with at most ten different values counts as a category. None and NaN share a slice.

    >>> groups(["b", "a", None, "b"]).names
    ('(missing)', 'a', 'b')
    >>> groups([float(each) for each in range(100)]).names
    ('0 to 24.75', '24.75 to 49.5', '49.5 to 74.25', '74.25 to 99')
    """
    array = np.asarray(column)
    if array.dtype.kind == "b":
        return Groups(("false", "true"), array.astype(np.intp))
    if array.dtype.kind == "O":
        array = narrowed(array)
    if array.dtype.kind in "iufM":
        return _ranges(array)
    return _categories(array)


def narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Objects as numbers or moments (NaN, NaT for None) when all of them are, as text otherwise.

    >>> narrowed(np.array([1, None], dtype=object)).tolist(), narrowed(np.array([1, "a"], dtype=object)).tolist()
    ([1.0, nan], ['1', 'a'])
    """
    values = array.tolist()
    present = [each for each in values if not absent(each)]
    if present and all(_is_number(each) for each in present):
        return np.array([np.nan if absent(each) else float(each) for each in values])
    if present and all(isinstance(each, date) for each in present):
        return np.array([None if absent(each) else _in_utc(each) for each in values], dtype="datetime64[us]")
    return np.array([MISSING if absent(each) else spelled(each) for each in values])


def _is_number(value: object) -> bool:
    """Whether a float can hold it; a whole number of more than 308 digits is a name."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**1023
    return isinstance(value, float | Decimal | np.integer | np.floating)


def _in_utc(moment: date) -> date:
    """A moment without its zone, on the clocks of UTC; a day as it is."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment


def _categories(array: NDArray[Any]) -> Groups:
    values, codes, counts = np.unique(array.astype(str), return_inverse=True, return_counts=True)
    names = [str(each) for each in values]
    if len(names) <= MOST:
        return Groups(tuple(names), codes)
    kept = np.sort(np.argsort(-counts, kind="stable")[: MOST - 1])
    places = np.full(len(names), len(kept))
    places[kept] = np.arange(len(kept))
    return Groups((*(names[each] for each in kept), OTHERS), places[codes])


def _ranges(array: NDArray[Any]) -> Groups:
    absent = np.isnat(array) if array.dtype.kind == "M" else np.isnan(array.astype(np.float64))
    present = array[~absent]
    distinct = np.unique(present)
    if len(distinct) <= 10:
        names, codes = tuple(_edge(each) for each in distinct), np.searchsorted(distinct, array)
    else:
        plain = present.astype("datetime64[s]").astype(np.int64) if array.dtype.kind == "M" else present
        edges = np.unique(np.quantile(_finite(plain), np.linspace(0, 1, BINS + 1)))
        if len(edges) == 1:  # whole numbers so large that no float tells them apart
            edges = np.repeat(edges, 2)
        shown = edges.astype("datetime64[s]") if array.dtype.kind == "M" else edges
        names = tuple(f"{_edge(low)} to {_edge(high)}" for low, high in pairwise(shown))
        whole = array.astype("datetime64[s]").astype(np.int64) if array.dtype.kind == "M" else array
        codes = np.searchsorted(edges[1:-1], whole, side="right")
    if bool(absent.any()):
        codes = np.where(absent, len(names), codes)
        names = (*names, MISSING)
    return Groups(names, codes.astype(np.intp))


def _finite(numbers: NDArray[Any]) -> NDArray[Any]:
    """The numbers, infinite ones as the outermost finite: there is no range between a number and infinity."""
    if numbers.dtype.kind != "f" or bool(np.isfinite(numbers).all()):
        return numbers
    finite = numbers[np.isfinite(numbers)]
    inside: NDArray[Any] = np.clip(numbers, finite.min(), finite.max())
    return inside


def _edge(value: Any) -> str:
    return str(value) if isinstance(value, np.datetime64) else f"{float(value):.6g}"


def worst_first(task: Task, slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """The slices in ascending order of quality, those without a value last.

    >>> def slice_of(value, auc):
    ...     return Slice(field="carrier", value=value, rows=90, estimates={"auc": Estimate("auc", auc, 0.0, 1.0, 90)})
    >>> [each.value for each in worst_first(Task.BINARY, [slice_of("AA", 0.7), slice_of("UA", 0.6)])]
    ['UA', 'AA']
    """
    headline = next((name for name in HEADLINE[task] if any(_value(each, name) is not None for each in slices)), "")

    def badness(each: Slice) -> tuple[bool, float, str, str]:
        value = _value(each, headline)
        return (value is None, 0.0 if value is None else metric(headline).better(value), each.field, each.value)

    return tuple(sorted(slices, key=badness))


def _value(figures: Figures, name: str) -> float | None:
    found = figures.estimates.get(name, Estimate(name, None, None, None, 0))
    return found.value
