"""What is kept of a table to compare its columns with later: one sketch for each, and how it was read.

A reference is summarised once, which chooses its cells; every window after it is counted in the same ones. Summaries of
windows add up to the summary of all their rows, so that a tick reads only what is new.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from headgate.contracts.contract import Kind
from headgate.errors import BadInput
from headgate.monitors.comparison.category_sketches import CategorySketch, category_sketch
from headgate.monitors.comparison.grid_choice import grid_for
from headgate.monitors.comparison.observed import Aspect, Numbers, aspect_of, kind_of, observe
from headgate.monitors.comparison.sketches import NumberSketch, read_sketch, sketch_of
from headgate.monitors.comparison.sources import Source
from headgate.vocabulary import readable

Sketch = NumberSketch | CategorySketch


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a summary."""

    aspect: Aspect | None
    """What was looked at; None where that could not be told."""
    sketch: Sketch | None
    """None where the column could not be read."""
    reason: str = ""
    """Why it could not."""


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Every column of a table, counted.

    >>> import pyarrow as pa
    >>> from headgate.monitors.comparison.sources import TableSource
    >>> reference = summary_of(TableSource(pa.table({"late": [True, False], "distance": [1.5, 2.5]})))
    >>> window = window_summary(TableSource(pa.table({"late": [True], "distance": [9.0]})), reference)
    >>> twice = window.merged(read_summary(window.to_bytes()))
    >>> {name: each.sketch.rows for name, each in twice.columns.items()}
    {'late': 2, 'distance': 2}
    """

    columns: Mapping[str, Column]

    def merged(self, other: "Summary") -> "Summary":
        """The summary of both tables' rows; a column that only one of them could read cannot be read in both.

        Raises BadInput when the two were not counted against one reference.
        """
        if self.columns.keys() != other.columns.keys():
            raise BadInput("columns", "equal", "summaries of different columns cannot be added up")
        return Summary({name: _merged(each, other.columns[name]) for name, each in self.columns.items()})

    def to_bytes(self) -> bytes:
        """The summary as MessagePack."""
        return msgspec.msgpack.encode(_Kept({name: _kept(each) for name, each in self.columns.items()}))


class _KeptColumn(msgspec.Struct, frozen=True, array_like=True):
    aspect: Aspect | None
    numbers: bytes | None
    """A sketch of numbers as it is stored; None where the column is none, or could not be read."""
    categories: CategorySketch | None
    reason: str


@readable
class _Kept(msgspec.Struct, frozen=True):
    """A summary as it is stored."""

    columns: dict[str, _KeptColumn]


def read_summary(kept: bytes) -> Summary:
    """The summary that `Summary.to_bytes` wrote; BadInput when these are no such bytes."""
    try:
        read = msgspec.msgpack.decode(kept, type=_Kept)
    except msgspec.DecodeError as error:
        raise BadInput("summary", "unreadable", "these bytes are no summary of columns") from error
    return Summary({name: Column(each.aspect, _sketch(each), each.reason) for name, each in read.columns.items()})


def _kept(column: Column) -> _KeptColumn:
    numbers = column.sketch.to_bytes() if isinstance(column.sketch, NumberSketch) else None
    categories = column.sketch if isinstance(column.sketch, CategorySketch) else None
    return _KeptColumn(column.aspect, numbers, categories, column.reason)


def _sketch(kept: _KeptColumn) -> Sketch | None:
    return kept.categories if kept.numbers is None else read_sketch(kept.numbers)


def summary_of(reference: Source, kinds: Mapping[str, Kind] | None = None) -> Summary:
    """A reference's columns, counted in cells that are chosen for each; read one after the other.

    `kinds` are those of a contract; where it names none, the column's type decides. What cannot be read is kept as its
    reason, and the others are read all the same.
    """
    return Summary({name: _reference_column(reference, name, (kinds or {}).get(name)) for name in reference.names})


def _reference_column(reference: Source, name: str, kind: Kind | None) -> Column:
    """One column of a reference; never raises for what is wrong with the column."""
    aspect: Aspect | None = None
    try:
        column = reference.column(name)
        aspect = aspect_of(column, kind or kind_of(column))
        observed = observe(column, aspect)
        if not isinstance(observed, Numbers):
            return Column(aspect, category_sketch(observed.counts, missing=observed.missing))
        finite = np.sort(observed.values[np.isfinite(observed.values)])
        return Column(aspect, sketch_of(observed.values, grid_for(finite)))
    except Exception as error:  # one column that cannot be read must not silence the others; its reason is kept
        return Column(aspect, None, reason_of(error))


def window_summary(window: Source, reference: Summary) -> Summary:
    """A window's columns, counted in the cells of the reference's; columns that only the window has are left out."""
    return Summary({name: _window_column(window, name, each) for name, each in reference.columns.items()})


def _window_column(window: Source, name: str, reference: Column) -> Column:
    if reference.aspect is None or reference.sketch is None:
        return Column(reference.aspect, None, reference.reason)
    if name not in window.names:
        return Column(reference.aspect, None, "the window has no such column")
    try:
        observed = observe(window.column(name), reference.aspect)
        if isinstance(observed, Numbers) and isinstance(reference.sketch, NumberSketch):
            return Column(reference.aspect, sketch_of(observed.values, reference.sketch.grid))
        if not isinstance(observed, Numbers):
            return Column(reference.aspect, category_sketch(observed.counts, missing=observed.missing))
    except Exception as error:  # one column that cannot be read must not silence the others; its reason is kept
        return Column(reference.aspect, None, reason_of(error))
    return Column(reference.aspect, None, "was not kept as what is compared of it")


def reason_of(error: Exception) -> str:
    """Why a column could not be measured, in words.

    >>> reason_of(BadInput("column", "type", "holds texts")), reason_of(ValueError("x"))
    ('holds texts', 'it could not be measured: ValueError')
    """
    return error.message if isinstance(error, BadInput) else f"it could not be measured: {type(error).__name__}"


def _merged(first: Column, second: Column) -> Column:
    if first.sketch is None or second.sketch is None:
        return Column(first.aspect or second.aspect, None, first.reason or second.reason)
    if isinstance(first.sketch, NumberSketch) and isinstance(second.sketch, NumberSketch):
        return Column(first.aspect, first.sketch.merged(second.sketch))
    if isinstance(first.sketch, CategorySketch) and isinstance(second.sketch, CategorySketch):
        return Column(first.aspect, first.sketch.merged(second.sketch))
    raise BadInput("columns", "equal", "a column of numbers and one of categories cannot be added up")
