"""One Arrow column as what is compared of it: numbers, or how often each category came.

Numbers, whole numbers and lengths of texts are numbers; booleans, categories, hours and weekdays are categories. What
is looked at is decided by the reference alone; a window's column that cannot be read that way says why, in words.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Kind
from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.arrow_types import is_number, is_text, undone

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOURS: Final = tuple(f"{hour:02}:00" for hour in range(24))


class Aspect(StrEnum):
    """What is compared of a column."""

    VALUES = "values"
    """Numbers and whole numbers; beyond 53 bits the latter are rounded, which keeps their order."""
    LENGTHS = "lengths in characters"
    """Of texts."""
    BOOLEANS = "true or false"
    CATEGORIES = "categories"
    """Strings, and whole numbers where a contract calls them categories."""
    HOURS = "hours of the day in UTC"
    """Of moments, which as such are later in every window."""
    WEEKDAYS = "days of the week"
    """Of dates, and of moments that are all midnight."""

    @property
    def is_numeric(self) -> bool:
        """Whether it is numbers, and not categories."""
        return self in (Aspect.VALUES, Aspect.LENGTHS)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column of numbers; NaN where one is missing."""

    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A column of categories, already counted."""

    counts: dict[str, int]
    missing: int


def kind_of(column: Any) -> Kind:
    """The kind a column's type suggests, for a reference without a contract.

    Strings of which less than half are distinct are categories, like those of a dictionary; others are texts. Raises
    BadInput with the rule ``type`` for what is not compared column by column.

    >>> kind_of(pa.chunked_array([[1.5]])).value, kind_of(pa.chunked_array([["a", "a", "b"]])).value
    ('number', 'text')
    """
    kind = column.type
    for test, found in _BY_TYPE:
        if test(kind):
            return found
    if is_text(kind):
        present = len(column) - column.null_count
        return Kind.CATEGORY if 2 * pc.count_distinct(column).as_py() < present else Kind.TEXT
    if pa.types.is_null(kind):
        raise BadInput("column", "null", "has no value in any row of the reference")
    raise BadInput("column", "type", f"columns of type {kind} are not compared column by column")


def aspect_of(column: Any, kind: Kind) -> Aspect:
    """What is compared of a column of the reference; BadInput, rule ``kind``, for tensors and images.

    >>> aspect_of(pa.chunked_array([["a text"]]), Kind.TEXT).value
    'lengths in characters'
    """
    match kind:
        case Kind.NUMBER | Kind.INTEGER:
            return Aspect.VALUES
        case Kind.TEXT:
            return Aspect.LENGTHS
        case Kind.BOOLEAN:
            return Aspect.BOOLEANS
        case Kind.CATEGORY:
            return Aspect.CATEGORIES
        case Kind.TIMESTAMP:
            return Aspect.WEEKDAYS if _all_midnight(column) else Aspect.HOURS
    raise BadInput("column", "kind", f"fields of kind {kind.value} are not compared column by column")


def observe(column: Any, aspect: Aspect) -> Numbers | Categories:
    """What is compared of a chunked array; BadInput, rule ``type``, if it holds something else.

    >>> observe(pa.chunked_array([[True, None, True]]), Aspect.BOOLEANS).counts
    {'true': 2}
    >>> observe(pa.chunked_array([["grün", ""]]), Aspect.LENGTHS).values.tolist()
    [4.0, 0.0]
    """
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([each.storage for each in column.chunks], column.type.storage_type)
    column = undone(column)
    if pa.types.is_null(column.type):
        return Numbers(np.full(len(column), np.nan)) if aspect.is_numeric else Categories({}, len(column))
    return _READERS[aspect](column)


def _numbers(column: Any) -> Numbers:
    if not is_number(column.type):
        raise _wrong(column, "numbers")
    return _plain(pc.cast(column, pa.float64(), safe=False))


def _plain(column: Any) -> Numbers:
    """A column of floats, without a copy where it is in one piece and has no null."""
    whole = pc.fill_null(column, math.nan) if column.null_count else column
    # Not `to_numpy`, which loads pandas at its first call: a quarter of a second, and tens of megabytes.
    parts = [np.from_dlpack(each).astype(np.float64, copy=False) for each in whole.chunks if len(each)]
    return Numbers(parts[0] if len(parts) == 1 else np.concatenate([*parts, np.empty(0)]))


def _lengths(column: Any) -> Numbers:
    if not is_text(column.type):
        raise _wrong(column, "texts")
    plain = pc.cast(column, pa.large_string()) if column.type == pa.string_view() else column
    return _plain(pc.cast(pc.utf8_length(plain), pa.float64()))


def _booleans(column: Any) -> Categories:
    if not pa.types.is_boolean(column.type):
        raise _wrong(column, "booleans")
    return _counted(pc.cast(column, pa.string()), None)


def _categories(column: Any) -> Categories:
    if pa.types.is_integer(column.type):
        column = pc.cast(column, pa.string())
    if not is_text(column.type):
        raise _wrong(column, "categories")
    return _counted(column, None)


def _hours(column: Any) -> Categories:
    return _counted(pc.hour(_moments(column)), _HOURS)


def _weekdays(column: Any) -> Categories:
    return _counted(pc.day_of_week(_moments(column)), _WEEKDAYS)


def _counted(column: Any, names: tuple[str, ...] | None) -> Categories:
    """Values, or the names of places, with how often each came."""
    found = pc.value_counts(column)
    pairs = zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    counts = {each if names is None else names[each]: count for each, count in pairs if each is not None}
    return Categories(counts, column.null_count)


def _moments(column: Any) -> Any:
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise _wrong(column, "moments")
    if pa.types.is_date(column.type):
        return pc.cast(column, pa.timestamp("ms"))
    return column if column.type.tz is None else pc.cast(column, pa.timestamp(column.type.unit, "UTC"))


def _all_midnight(column: Any) -> bool:
    moments = _moments(column)
    return bool(pc.all(pc.equal(pc.floor_temporal(moments, unit="day"), moments)).as_py())


_READERS: Final[dict[Aspect, Callable[[Any], Numbers | Categories]]] = {
    Aspect.VALUES: _numbers,
    Aspect.LENGTHS: _lengths,
    Aspect.BOOLEANS: _booleans,
    Aspect.CATEGORIES: _categories,
    Aspect.HOURS: _hours,
    Aspect.WEEKDAYS: _weekdays,
}


def _is_category(kind: Any) -> bool:
    return bool(pa.types.is_dictionary(kind) and is_text(kind.value_type))


def _is_moment(kind: Any) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


_BY_TYPE: Final = (
    (pa.types.is_boolean, Kind.BOOLEAN),
    (pa.types.is_integer, Kind.INTEGER),
    (is_number, Kind.NUMBER),
    (_is_category, Kind.CATEGORY),
    (_is_moment, Kind.TIMESTAMP),
)


def _wrong(column: Any, wanted: str) -> BadInput:
    return BadInput("column", "type", f"the reference holds {wanted}, and this column is of type {column.type}")
