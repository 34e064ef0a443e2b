"""A window beside a reference, column by column: exactly from all rows, or from what was kept of them.

Columns are read one after the other and none of them is held longer than it takes, so that memory does not grow with
their number. A column that cannot be measured is said to be broken, and why; the others are measured all the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from headgate.contracts.contract import Kind
from headgate.evaluation.estimate import Floats
from headgate.monitors.comparison.category_sketches import CategorySketch, category_sketch
from headgate.monitors.comparison.compared import ComparedColumn, Comparison, unmeasured
from headgate.monitors.comparison.grid_choice import grid_for
from headgate.monitors.comparison.judgement import ALPHA, judged
from headgate.monitors.comparison.measured import compared_categories, compared_numbers
from headgate.monitors.comparison.observed import Aspect, Categories, Numbers, aspect_of, kind_of, observe
from headgate.monitors.comparison.sketched import Bounds
from headgate.monitors.comparison.sketches import NumberSketch, sketch_of
from headgate.monitors.comparison.sources import Source
from headgate.monitors.comparison.summaries import Column, Summary, reason_of
from headgate.monitors.comparison.totals import totals_of_others
from headgate.monitors.comparison.unsorted_samples import exact_comparison
from headgate.monitors.standing import broken

_UNLIMITED: Final = 1 << 62
_APART: Final = broken("numbers and categories cannot be compared")


def compare(
    reference: Source, current: Source, *, kinds: Mapping[str, Kind] | None = None, alpha: float = ALPHA
) -> Comparison:
    """Every column of the reference beside the window's, from all rows: KS and Wasserstein are SciPy's.

    `kinds` are those of a contract; where it names none, the reference's type decides.

    >>> import pyarrow as pa
    >>> from headgate.monitors.comparison.sources import TableSource
    >>> table = pa.table({"a": np.arange(100.0), "b": ["x", "y"] * 50})
    >>> moved = pa.table({"a": np.arange(100.0) + 50, "b": ["x", "y"] * 50})
    >>> found = compare(TableSource(table), TableSource(moved))
    >>> [(each.name, each.standing.value) for each in found.columns], found.named("a").statistic.value
    ([('a', 'alarm'), ('b', 'steady')], 0.5)
    """
    found = [_column(reference, current, name, (kinds or {}).get(name)) for name in reference.names]
    new = broken("the reference has no such column")
    extra = [unmeasured(name, new) for name in current.names if name not in reference.names]
    return judged([*found, *extra], alpha)


def compare_summaries(reference: Summary, current: Summary, *, alpha: float = ALPHA) -> Comparison:
    """Every column of the reference beside the window's, from their sketches; figures have their error bounds.

    >>> import pyarrow as pa
    >>> from headgate.monitors.comparison.sources import TableSource
    >>> from headgate.monitors.comparison.summaries import summary_of, window_summary
    >>> source = TableSource(pa.table({"a": np.linspace(0, 1, 100)}))
    >>> kept = summary_of(source)
    >>> found = compare_summaries(kept, window_summary(source, kept)).named("a")
    >>> found.standing.value, found.statistic.value < 0.01, found.statistic.error < 0.01
    ('steady', True, True)
    """
    return judged(
        [_from_sketches(name, each, current.columns.get(name)) for name, each in reference.columns.items()], alpha
    )


def _column(reference: Source, current: Source, name: str, kind: Kind | None) -> ComparedColumn:
    aspect: Aspect | None = None
    try:
        column = reference.column(name)
        aspect = aspect_of(column, kind or kind_of(column))
        before = observe(column, aspect)
        if name not in current.names:
            return unmeasured(name, broken("the window has no such column"), aspect)
        return _from_rows(name, aspect, before, observe(current.column(name), aspect))
    except Exception as error:  # one column that cannot be measured must not silence the others; its reason is said
        return unmeasured(name, broken(reason_of(error)), aspect or "")


def _from_rows(name: str, aspect: Aspect, before: Numbers | Categories, after: Numbers | Categories) -> ComparedColumn:
    if isinstance(before, Numbers) and isinstance(after, Numbers):
        return _numbers(name, aspect, before.values, after.values)
    if isinstance(before, Categories) and isinstance(after, Categories):
        sketches = (category_sketch(each.counts, missing=each.missing, capacity=_UNLIMITED) for each in (before, after))
        return compared_categories(name, aspect, *sketches)
    return unmeasured(name, _APART, aspect)


def _numbers(name: str, aspect: Aspect, before: Floats, after: Floats) -> ComparedColumn:
    ours, theirs = _finite(before), _finite(after)
    if not (len(ours) and len(theirs)):
        grid = grid_for(np.sort(ours))
        return compared_numbers(name, aspect, sketch_of(before, grid), sketch_of(after, grid))
    found = exact_comparison(ours, theirs)
    sketches = _with_absent(found.reference, before), _with_absent(found.current, after)
    figures = Bounds(found.ks, found.ks), Bounds(found.wasserstein, found.wasserstein)
    return compared_numbers(name, aspect, *sketches, figures)


def _finite(values: Floats) -> Floats:
    finite = np.isfinite(values)
    return values if finite.all() else values[finite]


def _with_absent(sketch: NumberSketch, values: Floats) -> NumberSketch:
    """The sketch of the finite values, with the number of the others."""
    if sketch.rows == len(values):
        return sketch
    return replace(sketch, totals=sketch.totals.plus(totals_of_others(values[~np.isfinite(values)])))


def _from_sketches(name: str, reference: Column, current: Column | None) -> ComparedColumn:
    aspect = reference.aspect or ""
    if reference.sketch is None:
        return unmeasured(name, broken(reference.reason), aspect)
    if current is None or current.sketch is None:
        why = "was not counted in the window" if current is None else current.reason
        return unmeasured(name, broken(why), aspect)
    try:
        if isinstance(reference.sketch, NumberSketch) and isinstance(current.sketch, NumberSketch):
            return compared_numbers(name, aspect, reference.sketch, current.sketch)
        if isinstance(reference.sketch, CategorySketch) and isinstance(current.sketch, CategorySketch):
            return compared_categories(name, aspect, reference.sketch, current.sketch)
    except Exception as error:  # one column that cannot be measured must not silence the others; its reason is said
        return unmeasured(name, broken(reason_of(error)), aspect)
    return unmeasured(name, _APART, aspect)
