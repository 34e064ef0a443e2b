"""One column of a table as the values of one field, with the rows that break each of its rules.

Called by ``check`` alone. The order of the rules is that of ``explain.read_value``: the two must agree on every row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Field, Kind, OnBreak, Rule
from headgate.contracts.explain import (
    FIRST_MOMENT,
    INTEGER_HIGH,
    LAST_MOMENT,
    TENSOR_ITEM_BYTES,
    Break,
    bounds,
    micros,
    read_value,
)

Mask = npt.NDArray[np.bool_]
Breaks = tuple[tuple[Rule, Mask], ...]
_MOMENT: Final = pa.timestamp("us", "UTC")
_PER_UNIT: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
"""Nanoseconds."""
_OFF_CALENDAR: Final = "a moment outside the years 1 to 9999"
_TYPES: Final = {
    Kind.NUMBER: pa.float64(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.CATEGORY: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.TIMESTAMP: _MOMENT,
    Kind.IMAGE: pa.binary(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A field's values and what is wrong with them."""

    values: Any
    """An Arrow array of the field's own type; null too where a value could not be read."""
    breaks: Breaks
    """Rows by the rule they break and are refused for, in the order in which rules are looked at."""
    outside: Mask
    """Rows beyond the bounds, whether that refuses or flags."""
    unseen: Mask
    """Rows with a category outside the domain, whether that refuses or flags."""
    got: str = ""
    """The class of values of the wrong type."""


def absent_column(field: Field, size: int) -> Column:
    """What a table without the column means: null in every row, or every row lacks it."""
    nobody = np.zeros(size, dtype=bool)
    breaks = () if field.nullable else ((Rule.MISSING, ~nobody),)
    return Column(pa.nulls(size, _type_of(field)), breaks, nobody, nobody)


def read_column(field: Field, array: Any) -> Column:
    """`array`, one Arrow array, as values of `field`."""
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        array = pa.nulls(len(array), _type_of(field))
    column = _READERS[field.kind](field, array)
    absent = () if field.nullable or not array.null_count else ((Rule.NULL, _mask(pc.is_null(array))),)
    refusing = (
        *((Rule.RANGE, column.outside) for _ in range(field.on_range is OnBreak.REJECT)),
        *((Rule.DOMAIN, column.unseen) for _ in range(field.on_domain is OnBreak.REJECT)),
    )
    # A column has breaks of its own (type, finite, shape, size); bounds and domain are looked at once those hold.
    return Column(column.values, (*absent, *column.breaks, *refusing), column.outside, column.unseen, column.got)


def _type_of(field: Field) -> Any:
    kind = _TYPES.get(field.kind, pa.float64())
    for _ in field.shape or ():
        kind = pa.list_(kind)
    return kind


def _mask(array: Any) -> Mask:
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)


def _column(values: Any, *breaks: tuple[Rule, Mask], outside: Mask | None = None, got: str = "") -> Column:
    nobody = np.zeros(len(values), dtype=bool)
    return Column(values, breaks, nobody if outside is None else outside, nobody, got)


def _wrong_type(field: Field, array: Any) -> Column:
    got = _class_of(array.type)
    return _column(pa.nulls(len(array), _type_of(field)), (Rule.TYPE, _mask(pc.is_valid(array))), got=got)


def _number(field: Field, array: Any) -> Column:
    if not _is_number(array.type):
        return _wrong_type(field, array)
    values = pc.cast(array, pa.float64(), safe=False)
    if not values.null_count:
        return _whole_column(field, values)
    finite = _mask(pc.is_finite(values))
    valid = _mask(pc.is_valid(values))
    return _column(values, (Rule.FINITE, valid & ~finite), outside=_outside(field, values, valid & finite))


def _whole_column(field: Field, values: Any) -> Column:
    """A column of floats without nulls, which most are: a pass for each rule, and none for a rule it cannot break."""
    finite = np.isfinite(values.to_numpy())
    broken = () if finite.all() else ((Rule.FINITE, ~finite),)
    return _column(values, *broken, outside=_outside(field, values, finite))


def _integer(field: Field, array: Any) -> Column:
    if not _is_number(array.type):
        return _wrong_type(field, array)
    valid = _mask(pc.is_valid(array))
    if pa.types.is_integer(array.type):
        too_large = (
            _mask(pc.greater(array, pa.scalar(INTEGER_HIGH, pa.uint64())))
            if array.type == pa.uint64()
            else ~valid & False
        )
        values = pc.cast(array, pa.int64(), safe=False)
        readable = valid & ~too_large
        return _column(
            values, (Rule.TYPE, too_large), outside=_outside(field, values, readable), got="a larger whole number"
        )
    floats = pc.cast(array, pa.float64(), safe=False)
    finite = _mask(pc.is_finite(floats))
    numbers = np.where(valid & finite, pc.fill_null(floats, 0.0).to_numpy(zero_copy_only=False), 0.0)
    whole = (numbers == np.floor(numbers)) & (numbers >= -(2.0**63)) & (numbers < 2.0**63)
    readable = valid & finite & whole
    values = pa.array(np.where(whole, numbers, 0.0).astype(np.int64), mask=~readable)
    breaks = ((Rule.FINITE, valid & ~finite), (Rule.TYPE, ~whole))
    return _column(values, *breaks, outside=_outside(field, values, readable), got="a number")


def _outside(field: Field, values: Any, readable: Mask) -> Mask:
    low, high = bounds(field)
    numbers = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
    beyond = np.zeros(len(values), dtype=bool)
    if low is not None:
        beyond |= numbers < low
    if high is not None:
        beyond |= numbers > high
    return beyond & readable


def _boolean(field: Field, array: Any) -> Column:
    return _column(array) if pa.types.is_boolean(array.type) else _wrong_type(field, array)


def _string(field: Field, array: Any) -> Column:
    if not _is_string(array.type):
        return _wrong_type(field, array)
    values = pc.cast(array, pa.string())
    column = _column(values, *_too_large(field, values))
    if field.kind is Kind.TEXT or field.domain is None:
        return column
    known = pc.is_in(values, value_set=pa.array(field.domain, pa.string()))
    unseen = ~_mask(known) & _mask(pc.is_valid(values))
    return Column(values, column.breaks, column.outside, unseen)


def _image(field: Field, array: Any) -> Column:
    kind = array.type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)):
        return _wrong_type(field, array)
    values = pc.cast(array, pa.binary())
    return _column(values, *_too_large(field, values))


def _too_large(field: Field, values: Any) -> Breaks:
    if field.max_bytes is None or field.kind is Kind.CATEGORY:
        return ()
    return ((Rule.SIZE, _mask(pc.greater(pc.binary_length(values), field.max_bytes))),)


def _moment(field: Field, array: Any) -> Column:
    if _is_string(array.type):
        return _moments_as_text(field, array)
    if not (pa.types.is_timestamp(array.type) or pa.types.is_date(array.type)):
        return _wrong_type(field, array)
    days = pa.types.is_date(array.type)
    # Days are counted in 32 bits or as milliseconds; milliseconds hold either, and no calendar's end is near.
    timed = pc.cast(array, pa.timestamp("ms"), safe=False) if days else array
    per_unit = _PER_UNIT[timed.type.unit]
    ticks = pc.fill_null(pc.cast(timed, pa.int64()), 0).to_numpy(zero_copy_only=False)
    # Before anything is multiplied: what is off the calendar may be beyond 64 bits of microseconds as well.
    off = (ticks < FIRST_MOMENT * 1000 // per_unit) | (ticks > LAST_MOMENT * 1000 // per_unit)
    off &= _mask(pc.is_valid(array))
    kept = pc.if_else(pa.array(off), pa.scalar(None, timed.type), timed) if off.any() else timed
    return _moments(field, pc.cast(kept, _MOMENT, safe=False), (Rule.TYPE, off), got=_OFF_CALENDAR)


def _moments(field: Field, values: Any, *breaks: tuple[Rule, Mask], got: str = "a string that is none") -> Column:
    valid = _mask(pc.is_valid(values))
    outside = _outside(field, pc.cast(values, pa.int64()), valid)
    return _column(values, *breaks, outside=outside, got=got)


def _moments_as_text(field: Field, array: Any) -> Column:
    # Text is read as it would be on the wire, value by value: there is no vectorised reader of RFC 3339.
    plain = Field(field.name, Kind.TIMESTAMP, nullable=True)
    read = [read_value(plain, each) for each in array.to_pylist()]
    wrong = np.array([isinstance(each, Break) for each in read], dtype=bool)
    found = [None if each is None or isinstance(each, Break) else micros(each) for each in read]  # type: ignore[arg-type] # moments
    return _moments(field, pc.cast(pa.array(found, pa.int64()), _MOMENT), (Rule.TYPE, wrong))


def _tensor(field: Field, array: Any) -> Column:
    size = len(array)
    misshapen, not_finite, wrong = (np.zeros(size, dtype=bool) for _ in range(3))
    owner = np.flatnonzero(_mask(pc.is_valid(array)))
    level = array.drop_null()
    for length in field.shape or (None,):
        if not _is_list(level.type):
            wrong[owner] = True
            break
        owner, level = _without_nulls(owner, level, wrong)
        lengths = pc.list_value_length(level).to_numpy(zero_copy_only=False).astype(np.int64)
        misshapen[owner[lengths != _first_of_row(owner, lengths)]] = True
        if length is not None:
            misshapen[owner[lengths != length]] = True
        owner, level = np.repeat(owner, lengths), pc.list_flatten(level)
    else:
        owner, level = _without_nulls(owner, level, wrong)
        if _is_number(level.type):
            not_finite[owner[~_mask(pc.is_finite(pc.cast(level, pa.float64(), safe=False)))]] = True
        else:
            wrong[owner] = True
    breaks = [(Rule.TYPE, wrong), (Rule.SHAPE, misshapen), (Rule.FINITE, not_finite)]
    if field.max_bytes is not None:
        breaks.append((Rule.SIZE, np.bincount(owner, minlength=size) * TENSOR_ITEM_BYTES > field.max_bytes))
    return _column(_nested(field, array, wrong), *breaks, got=_class_of(array.type))


def _without_nulls(owner: npt.NDArray[np.intp], level: Any, wrong: Mask) -> tuple[npt.NDArray[np.intp], Any]:
    valid = _mask(pc.is_valid(level))
    wrong[owner[~valid]] = True
    return owner[valid], level.drop_null()


def _first_of_row(owner: npt.NDArray[np.intp], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not len(owner):
        return lengths
    _, first, row = np.unique(owner, return_index=True, return_inverse=True)
    firsts: npt.NDArray[np.int64] = lengths[first][row]
    return firsts


def _nested(field: Field, array: Any, wrong: Mask) -> Any:
    kept = pc.if_else(pa.array(wrong), pa.scalar(None, array.type), array) if wrong.any() else array
    if wrong.all() or kept.null_count == len(kept):
        return pa.nulls(len(array), _type_of(field))
    try:
        return pc.cast(kept, _type_of(field), safe=False)
    except pa.ArrowNotImplementedError:
        # Lists of another depth that are all empty, so that no row is of the wrong type.
        return pa.array(kept.to_pylist(), _type_of(field))


_READERS: Final = {
    Kind.NUMBER: _number,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.CATEGORY: _string,
    Kind.TEXT: _string,
    Kind.TIMESTAMP: _moment,
    Kind.TENSOR: _tensor,
    Kind.IMAGE: _image,
}


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_string(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view())


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


_CLASSES: Final[Sequence[tuple[Any, str]]] = (
    (pa.types.is_boolean, "a boolean"),
    (pa.types.is_integer, "a whole number"),
    (_is_number, "a number"),
    (_is_string, "a string"),
    (_is_list, "a list"),
)


def _class_of(kind: Any) -> str:
    return next((words for test, words in _CLASSES if test(kind)), f"a value of type {kind}")
