"""The contract compiled: what stands in front of every model and decodes its rows.

Called by gateways for every request, so a legal row costs one pass of msgspec and nothing else. Everything a
refused row needs lives in ``explain`` and runs only then. Needs numpy and msgspec alone.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output, Rule
from headgate.contracts.explain import (
    INTEGER_HIGH,
    INTEGER_LOW,
    Break,
    HalfPair,
    bounds,
    class_of,
    is_finite,
    micros,
    off_calendar,
    outside,
    place,
    read_value,
    sentence,
    tensor_break,
)
from headgate.contracts.flags import FlagScreen, flagged_domain, flagged_range
from headgate.errors import BodyRefused, Violation
from headgate.vocabulary import Task, readable

Row = msgspec.Struct
Values = tuple[object, ...]
_LONGEST_INTEGER: Final = 400
"""Digits from which a JSON integer is surely beyond a 64-bit float; longer ones are not worth parsing exactly."""
_LONG_INTEGER: Final = re.compile(f"(?<![0-9])[0-9]{{{_LONGEST_INTEGER + 1}}}")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape of half a pair; UTF-8 itself has none."""
_HALF: Final = re.compile("[\ud800-\udfff]")
_HALF_PAIR: Final = HalfPair()


class Decoder:
    """One contract, ready to read rows.

    `row_type` is the msgspec struct of one JSON row object. `clean_type` has the same fields and also refuses what
    would only be flagged: a row it accepts has no flags, so a gateway may try it first and spare itself `flags`.
    `values` gives a row of either type as a tuple in contract order, moments in microseconds.

    >>> decoder = compile_contract(Contract((Field("distance", Kind.NUMBER, maximum=5000, on_range=OnBreak.REJECT),)))
    >>> decoder.values(msgspec.json.decode(b'{"distance": 3}', type=decoder.row_type))
    (3.0,)
    >>> decoder.explain(b'{"distance": 1e4}', "rows[0]")
    Violation(field='rows[0].distance', rule='range', message='must be at most 5000')
    """

    __slots__ = ("_screen", "clean_type", "contract", "flags", "row_type", "values")

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.row_type: type[Row] = _struct(contract, clean=False)
        self.clean_type: type[Row] = _struct(contract, clean=True) if _flags_anything(contract) else self.row_type
        self.values: Callable[[Row], Values] = _values(contract)
        self._screen = FlagScreen(contract)
        self.flags: Callable[..., list[tuple[str, ...]] | None] = self._screen.flags

    def explain(self, raw: bytes, path: str) -> Violation | Row:
        """Why the JSON bytes of one row are refused, or the row when they are not.

        Raises BodyRefused (rules ``utf8`` and ``json``) when `raw` is no JSON text.
        """
        return self.check_object(parse_json(raw, path), path)

    def check_object(self, obj: object, path: str) -> Violation | Row:
        """Why a row already parsed is refused, or the row when it is not.

        NaN and infinity as Python has them, moments as datetime and images as bytes are understood too. Fields are
        looked at in the contract's order, then fields it does not name in the row's order; the first break counts.
        """
        if not isinstance(obj, Mapping):
            return Violation(path or "row", Rule.TYPE.value, f"expected an object of fields, got {class_of(obj)}")
        values: dict[str, Any] = {}
        for i, field in enumerate(self.contract.fields):
            if field.name in obj:
                value = read_value(field, obj[field.name])
            else:
                value = None if field.nullable else Break(Rule.MISSING)
            if isinstance(value, Break):
                return Violation(place(path, field.name), value.rule.value, sentence(field, value))
            values[f"f{i}"] = value
        if len(obj) > len(self.contract.fields) or not obj.keys() <= set(self.contract.names):
            name = next(str(each) for each in obj if each not in self.contract.names)
            return Violation(place(path, name), Rule.UNKNOWN.value, sentence(_NOBODY, Break(Rule.UNKNOWN)))
        return self.row_type(**values)


_NOBODY: Final = Field("", Kind.TEXT)


def compile_contract(contract: Contract) -> Decoder:
    """The decoder of `contract`; make it once per contract and keep it."""
    return Decoder(contract)


def parse_json(raw: bytes, path: str) -> object:
    """The JSON value in `raw`, with NaN, Infinity and numbers too large as floats so that they can be named.

    For the same reason a string with half a surrogate pair is a HalfPair: whatever reads it on says "type", and it
    never comes to a place that must write it. A name with one stays as it is, so that it is nobody else's name; errors
    show it with a question mark. Raises BodyRefused with rule ``utf8`` or ``json`` when there is none.
    """
    try:
        text = raw.decode("utf-8")
        # Asked about every integer, Python takes several times as long; few documents have one that needs it.
        document = json.loads(text, parse_int=_integer_of if _LONG_INTEGER.search(text) else None)
        return _writable(document) if _SURROGATE.search(text) else document
    except UnicodeDecodeError as error:
        raise BodyRefused(path or "body", "utf8", f"is not UTF-8 text: byte {error.start} is none") from error
    except RecursionError as error:
        raise BodyRefused(path or "body", "json", "is nested too deep") from error
    except json.JSONDecodeError as error:
        what = error.msg.lower().removesuffix(" at")
        at = len(error.doc[: error.pos].encode())
        raise BodyRefused(path or "body", "json", f"is not JSON: {what} at byte {at}") from error


def label_violation(output: Output, value: object, path: str = "label") -> Violation | None:
    """Why `value` cannot be a label of `output`, or None when it can.

    >>> label_violation(Output(Task.BINARY, classes=(0, 1)), "yes").rule
    'type'
    """
    if output.task is Task.TENSOR:
        return Violation(path, Rule.TYPE.value, "this endpoint answers tensors, which have no labels")
    if value is None:
        return Violation(path, Rule.NULL.value, "may not be null; send a label once it is known")
    if output.task is Task.REGRESSION:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return Violation(path, Rule.TYPE.value, f"expected a number, got {class_of(value)}")
        if not is_finite(value):
            return Violation(path, Rule.FINITE.value, "must be finite, neither NaN nor infinity")
        return None
    # True equals 1 in Python, so the type is part of what a class is.
    if any(type(value) is type(each) and value == each for each in output.classes):
        return None
    kinds = sorted({class_of(each) for each in output.classes})
    if class_of(value) not in kinds:
        return Violation(path, Rule.TYPE.value, f"expected {' or '.join(kinds)}, got {class_of(value)}")
    return Violation(path, Rule.DOMAIN.value, f"is none of the {len(output.classes)} classes of this endpoint")


def _integer_of(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)


def _writable(document: Any) -> Any:
    """`document` with HalfPair for strings no encoder could write."""
    match document:
        case str():
            return document if _HALF.search(document) is None else _HALF_PAIR
        case list():
            return [_writable(each) for each in document]
        case dict():
            return {name: _writable(value) for name, value in document.items()}
    return document


def _flags_anything(contract: Contract) -> bool:
    return any(flagged_range(each) or flagged_domain(each) for each in contract.fields)


def _values(contract: Contract) -> Callable[[Row], Values]:
    moments = [i for i, each in enumerate(contract.fields) if each.kind is Kind.TIMESTAMP]
    if not moments:
        return msgspec.structs.astuple

    def values(row: Row) -> Values:
        found: list[Any] = list(msgspec.structs.astuple(row))
        for i in moments:
            if found[i] is not None:
                found[i] = micros(found[i])
        return tuple(found)

    return values


def _struct(contract: Contract, *, clean: bool) -> type[Row]:
    """The row struct; its attributes are f0, f1, ... because a field may be called anything."""
    members: list[Any] = []
    for i, field in enumerate(contract.fields):
        kind = _wire_type(field, clean=clean)
        members.append((f"f{i}", kind | None, None) if field.nullable else (f"f{i}", kind))
    after = _after_decoding(contract, clean=clean)
    row = msgspec.defstruct(
        "Row",
        members,
        rename={f"f{i}": field.name for i, field in enumerate(contract.fields)},
        namespace={"__post_init__": after} if after else {},
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
    )
    return readable(row)


def _wire_type(field: Field, *, clean: bool) -> Any:
    bounded = clean or field.on_range is OnBreak.REJECT
    match field.kind:
        case Kind.NUMBER:
            low, high = bounds(field) if bounded else (None, None)
            return Annotated[float, msgspec.Meta(ge=low, le=high)]
        case Kind.INTEGER:
            low, high = bounds(field) if bounded else (None, None)
            at_least = INTEGER_LOW if low is None else max(INTEGER_LOW, int(low))
            at_most = INTEGER_HIGH if high is None else min(INTEGER_HIGH, int(high))
            return Annotated[int, msgspec.Meta(ge=at_least, le=at_most)]
        case Kind.BOOLEAN:
            return bool
        case Kind.CATEGORY:
            closed = field.domain and (clean or field.on_domain is OnBreak.REJECT)
            return Literal[field.domain] if closed else str
        case Kind.TEXT:
            return Annotated[str, msgspec.Meta(max_length=field.max_bytes)]
        case Kind.TIMESTAMP:
            return Annotated[datetime, msgspec.Meta(tz=True)]
        case Kind.TENSOR:
            return _tensor_type(field)
        case Kind.IMAGE:
            return Annotated[bytes, msgspec.Meta(max_length=field.max_bytes)]


def _tensor_type(field: Field) -> Any:
    kind: Any = float
    for length in reversed(field.shape or (None,)):
        kind = Annotated[list[kind], msgspec.Meta(min_length=length, max_length=length)]
    return kind


def _after_decoding(contract: Contract, *, clean: bool) -> Callable[[Row], None] | None:
    """What msgspec's own constraints cannot say; None, and then no cost, for the common contract."""
    checks = [
        (f"f{i}", check)
        for i, field in enumerate(contract.fields)
        if (check := _late_check(field, clean=clean)) is not None
    ]
    if not checks:
        return None

    def after(row: Row) -> None:
        for name, breaks in checks:
            value = getattr(row, name)
            if value is not None and breaks(value):
                raise ValueError("breaks a rule")  # msgspec turns it into its ValidationError; `explain` says which

    return after


def _late_check(field: Field, *, clean: bool) -> Callable[[Any], bool] | None:
    if field.kind is Kind.TEXT and field.max_bytes is not None:
        limit = field.max_bytes
        return lambda text: len(text) * 4 > limit and len(text.encode()) > limit
    if field.kind is Kind.TIMESTAMP:
        bounded = (clean or field.on_range is OnBreak.REJECT) and bounds(field) != (None, None)
        return (lambda moment: off_calendar(moment) or outside(field, micros(moment))) if bounded else off_calendar
    if field.kind is Kind.TENSOR and (field.max_bytes is not None or None in (field.shape or ())[1:]):
        return lambda lists: tensor_break(field, lists) is not None
    return None
