"""The slow road: which field of a row broke which rule, in a sentence without the value.

Called by ``decode`` when the compiled decoder refused a row, and by ``check`` for the sentences of a
quarantine file. The decoder and this file must agree on every row; ``tests/contracts`` holds them together.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from headgate.contracts.contract import Field, Kind, OnBreak, Rule
from headgate.errors import printable

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
INTEGER_LOW: Final = -(2**63)
INTEGER_HIGH: Final = 2**63 - 1
TENSOR_ITEM_BYTES: Final = 8
"""A tensor's size is counted as if each of its numbers were a 64-bit float."""

_EXPECTED: Final = {
    Kind.NUMBER: "a number",
    Kind.INTEGER: "a whole number within 64 bits",
    Kind.BOOLEAN: "true or false",
    Kind.CATEGORY: "a string",
    Kind.TEXT: "a string",
    Kind.TIMESTAMP: "an RFC 3339 moment with an offset",
    Kind.TENSOR: "nested lists of numbers",
    Kind.IMAGE: "base64 text",
}
_HALF_PAIR: Final = "a string with half a surrogate pair"
_NAMES_SHOWN: Final = 8
_KEY_SHOWN: Final = 80


class HalfPair:
    """Stands where JSON had a string with half a surrogate pair: no UTF-8 can say it, so it can be no value at all."""


@dataclass(frozen=True, slots=True)
class Break:
    """One rule a value broke, and the class of that value."""

    rule: Rule
    got: str = ""


def micros(moment: datetime) -> int:
    """Whole microseconds from 1970 in UTC to `moment`, which must carry an offset.

    >>> micros(datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC))
    2000000
    """
    return (moment - EPOCH) // MICROSECOND


_EDGES: Final = (1, 9999)
"""Years, as written, in which an offset can lead out of the calendar."""
FIRST_MOMENT: Final = micros(datetime(1, 1, 1, tzinfo=UTC))
LAST_MOMENT: Final = micros(datetime.max.replace(tzinfo=UTC))
"""The ends of the calendar in microseconds."""


def off_calendar(moment: datetime) -> bool:
    """Whether `moment` lies outside the years 1 to 9999 in UTC, where nobody who reads the journal has a date for it.

    >>> off_calendar(datetime.fromisoformat("9999-12-31T23:59:59-01:00"))
    True
    """
    return moment.year in _EDGES and not FIRST_MOMENT <= micros(moment) <= LAST_MOMENT


def bounds(field: Field) -> tuple[float | None, float | None]:
    """The inclusive bounds of `field`; whole ones, rounded inwards, for whole kinds.

    >>> bounds(Field("stops", Kind.INTEGER, minimum=0.5, maximum=3.5))
    (1, 3)
    """
    low, high = field.minimum, field.maximum
    if field.kind in (Kind.INTEGER, Kind.TIMESTAMP):
        low = None if low is None else math.ceil(low)
        high = None if high is None else math.floor(high)
    return low, high


def outside(field: Field, value: float) -> bool:
    """Whether `value` lies beyond the bounds of `field`; timestamps in microseconds."""
    low, high = bounds(field)
    return (low is not None and value < low) or (high is not None and value > high)


def class_of(value: object) -> str:
    """The JSON class of `value` in words, which is all an error may say of it.

    >>> class_of(3.5), class_of(True), class_of(None)
    ('a number', 'a boolean', 'null')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "a string"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case HalfPair():
            return _HALF_PAIR
    return f"a value of type {type(value).__name__}"


def read_value(field: Field, value: object) -> object:
    """`value` as `field` keeps it (moments still as datetime), or the Break that refuses it.

    Only what rejects is looked at; a rule set to ``flag`` never breaks here.

    >>> read_value(Field("distance", Kind.NUMBER), 3)
    3.0
    >>> read_value(Field("distance", Kind.NUMBER), float("nan")).rule.value
    'finite'
    """
    if value is None:
        return None if field.nullable else Break(Rule.NULL, "null")
    match field.kind:
        case Kind.NUMBER:
            return _number(field, value)
        case Kind.INTEGER:
            return _integer(field, value)
        case Kind.BOOLEAN:
            return value if isinstance(value, bool) else Break(Rule.TYPE, class_of(value))
        case Kind.CATEGORY | Kind.TEXT:
            return _string(field, value)
        case Kind.TIMESTAMP:
            return _moment(field, value)
        case Kind.TENSOR:
            return tensor_break(field, value) or _floats(value)
        case Kind.IMAGE:
            return _image(field, value)


def _number(field: Field, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Break(Rule.TYPE, class_of(value))
    try:
        number = float(value)
    except OverflowError:
        return Break(Rule.FINITE)
    if not math.isfinite(number):
        return Break(Rule.FINITE)
    if field.on_range is OnBreak.REJECT and outside(field, number):
        return Break(Rule.RANGE)
    return number


def _integer(field: Field, value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return Break(Rule.FINITE)
    if isinstance(value, bool) or not isinstance(value, int):
        return Break(Rule.TYPE, class_of(value))
    if not INTEGER_LOW <= value <= INTEGER_HIGH:
        return Break(Rule.TYPE, "a larger whole number")
    if field.on_range is OnBreak.REJECT and outside(field, value):
        return Break(Rule.RANGE)
    return value


def _string(field: Field, value: object) -> object:
    if not isinstance(value, str):
        return Break(Rule.TYPE, class_of(value))
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return Break(Rule.TYPE, _HALF_PAIR)
    if field.kind is Kind.CATEGORY and field.on_domain is OnBreak.REJECT and value not in (field.domain or (value,)):
        return Break(Rule.DOMAIN)
    if field.kind is Kind.TEXT and field.max_bytes is not None and size > field.max_bytes:
        return Break(Rule.SIZE)
    return value


def _moment(field: Field, value: object) -> object:
    if isinstance(value, str):
        try:
            value = msgspec.convert(value, datetime)
        except (msgspec.ValidationError, UnicodeEncodeError):
            return Break(Rule.TYPE, "a string that is none")
    if not isinstance(value, datetime):
        return Break(Rule.TYPE, class_of(value))
    if value.tzinfo is None:
        return Break(Rule.TYPE, "a moment without an offset")
    if off_calendar(value):
        return Break(Rule.TYPE, "a moment outside the years 1 to 9999")
    if field.on_range is OnBreak.REJECT and outside(field, micros(value)):
        return Break(Rule.RANGE)
    return value


def _image(field: Field, value: object) -> object:
    if isinstance(value, str):
        try:
            value = msgspec.convert(value, bytes)
        except (msgspec.ValidationError, UnicodeEncodeError):
            return Break(Rule.TYPE, "a string that is not base64")
    if not isinstance(value, bytes):
        return Break(Rule.TYPE, class_of(value))
    if field.max_bytes is not None and len(value) > field.max_bytes:
        return Break(Rule.SIZE)
    return value


def tensor_break(field: Field, value: object) -> Break | None:
    """The first of type, shape, finite and size that the nested lists of `value` break; None when they are fine.

    A dimension given as None may have any length, but one and the same throughout a row.
    """
    level: list[object] = [value]
    misshapen = False
    for length in field.shape or (None,):
        lists = [each for each in level if isinstance(each, list)]
        if len(lists) < len(level):
            return Break(Rule.TYPE, next(class_of(each) for each in level if not isinstance(each, list)))
        lengths = {len(each) for each in lists}
        misshapen |= len(lengths) > 1 or (length is not None and bool(lengths - {length}))
        level = [item for each in lists for item in each]
    odd = next((each for each in level if isinstance(each, bool) or not isinstance(each, int | float)), None)
    if odd is not None or None in level:
        return Break(Rule.TYPE, f"{class_of(odd)} among them")
    if misshapen:
        return Break(Rule.SHAPE)
    if not all(is_finite(each) for each in level):
        return Break(Rule.FINITE)
    if field.max_bytes is not None and len(level) * TENSOR_ITEM_BYTES > field.max_bytes:
        return Break(Rule.SIZE)
    return None


def is_finite(value: object) -> bool:
    """Whether `value` is a number that a 64-bit float can hold, be it a float or a whole number.

    >>> is_finite(10**300), is_finite(10**400), is_finite(float("nan")), is_finite("3")
    (True, False, False, False)
    """
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def _floats(value: object) -> object:
    return [_floats(each) for each in value] if isinstance(value, list) else float(value)  # type: ignore[arg-type] # checked


def sentence(field: Field, broken: Break) -> str:
    """What `broken` means for `field` and what a legal value is, never repeating the value.

    >>> sentence(Field("distance", Kind.NUMBER, unit="miles", minimum=0), Break(Rule.RANGE))
    'must be at least 0 miles'
    """
    match broken.rule:
        case Rule.TYPE:
            return f"expected {_EXPECTED[field.kind]}, got {broken.got}"
        case Rule.MISSING:
            return f"is required and absent; give {_EXPECTED[field.kind]}"
        case Rule.UNKNOWN:
            return "is not a field of this contract; remove it"
        case Rule.NULL:
            return f"may not be null; give {_EXPECTED[field.kind]}"
        case Rule.FINITE:
            return "must be finite, neither NaN nor infinity"
        case Rule.RANGE:
            return f"must be {' and '.join(_limits(field))}"
        case Rule.DOMAIN:
            names = field.domain or ()
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            return f"is none of the known categories: {', '.join(names[:_NAMES_SHOWN])}{more}"
        case Rule.SHAPE:
            shape = ", ".join("any" if each is None else str(each) for each in field.shape or ())
            return f"must have the shape [{shape}]"
        case Rule.SIZE:
            return f"must be at most {field.max_bytes} bytes"


def _limits(field: Field) -> Iterator[str]:
    unit = f" {field.unit}" if field.unit else ""
    for words, bound in zip(("at least", "at most"), bounds(field), strict=True):
        if bound is not None:
            shown = (EPOCH + bound * MICROSECOND).isoformat() if field.kind is Kind.TIMESTAMP else f"{bound:.15g}{unit}"
            yield f"{words} {shown}"


def place(path: str, name: str) -> str:
    """The path of field `name` inside `path`; a name nobody should have sent is cut short and made printable.

    >>> place("rows[3]", "distance")
    'rows[3].distance'
    """
    name = name if len(name) <= _KEY_SHOWN else f"{name[:_KEY_SHOWN]}…"
    name = printable(name)
    return f"{path}.{name}" if path else name
