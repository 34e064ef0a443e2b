"""Bad input is refused by name: each rule with its field, its sentence, and never the value."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output, Rule
from headgate.contracts.decode import compile_contract, label_violation, parse_json
from headgate.contracts.explain import class_of
from headgate.errors import BodyRefused, ContractViolation, Violation
from headgate.vocabulary import Task

REJECT = OnBreak.REJECT
CONTRACT = Contract(
    (
        Field("distance", Kind.NUMBER, unit="miles", minimum=0, maximum=5000, on_range=REJECT),
        Field("hour", Kind.INTEGER, minimum=0, maximum=23, on_range=REJECT),
        Field("holiday", Kind.BOOLEAN),
        Field("origin", Kind.CATEGORY, domain=("EWR", "JFK", "LGA"), on_domain=REJECT),
        Field("remark", Kind.TEXT, nullable=True, max_bytes=8),
        Field("at", Kind.TIMESTAMP),
        Field("track", Kind.TENSOR, shape=(2, None), max_bytes=48),
        Field("photo", Kind.IMAGE, max_bytes=4),
    )
)
DECODER = compile_contract(CONTRACT)
GOOD: dict[str, Any] = {
    "distance": 200,
    "hour": 5,
    "holiday": False,
    "origin": "JFK",
    "remark": "fine",
    "at": "1970-01-01T01:00:00+01:00",
    "track": [[1, 2.5], [3, 4]],
    "photo": "aGk=",
}
HIDDEN = "hiddenvalue"

BROKEN: dict[str, tuple[str, Any, Rule, str]] = {
    "text for number": ("distance", HIDDEN, Rule.TYPE, "expected a number, got a string"),
    "boolean for number": ("distance", True, Rule.TYPE, "expected a number, got a boolean"),
    "NaN": ("distance", float("nan"), Rule.FINITE, "must be finite, neither NaN nor infinity"),
    "infinity": ("distance", float("-inf"), Rule.FINITE, "must be finite, neither NaN nor infinity"),
    "larger than a float": ("distance", 10**400, Rule.FINITE, "must be finite, neither NaN nor infinity"),
    "above": ("distance", 5001, Rule.RANGE, "must be at least 0 miles and at most 5000 miles"),
    "below": ("distance", -0.1, Rule.RANGE, "must be at least 0 miles and at most 5000 miles"),
    "null": ("distance", None, Rule.NULL, "may not be null; give a number"),
    "fraction": ("hour", 5.5, Rule.TYPE, "expected a whole number within 64 bits, got a number"),
    "whole float": ("hour", 5.0, Rule.TYPE, "expected a whole number within 64 bits, got a number"),
    "beyond 64 bits": ("hour", 2**63, Rule.TYPE, "expected a whole number within 64 bits, got a larger whole number"),
    "integer NaN": ("hour", float("nan"), Rule.FINITE, "must be finite, neither NaN nor infinity"),
    "hour above": ("hour", 24, Rule.RANGE, "must be at least 0 and at most 23"),
    "one for true": ("holiday", 1, Rule.TYPE, "expected true or false, got a whole number"),
    "unseen": ("origin", HIDDEN, Rule.DOMAIN, "is none of the known categories: EWR, JFK, LGA"),
    "number for category": ("origin", 1, Rule.TYPE, "expected a string, got a whole number"),
    "too long": ("remark", "äöüäö", Rule.SIZE, "must be at most 8 bytes"),
    "half a pair": ("remark", "\ud800", Rule.TYPE, "expected a string, got a string with half a surrogate pair"),
    "object for text": ("remark", {"a": HIDDEN}, Rule.TYPE, "expected a string, got an object"),
    "no moment": ("at", HIDDEN, Rule.TYPE, "expected an RFC 3339 moment with an offset, got a string that is none"),
    "no offset": (
        "at",
        "1970-01-01T00:00:00",
        Rule.TYPE,
        "expected an RFC 3339 moment with an offset, got a moment without an offset",
    ),
    "beyond the calendar": (
        "at",
        "9999-12-31T23:59:59-01:00",
        Rule.TYPE,
        "expected an RFC 3339 moment with an offset, got a moment outside the years 1 to 9999",
    ),
    "before the calendar": (
        "at",
        "0001-01-01T00:00:00+00:01",
        Rule.TYPE,
        "expected an RFC 3339 moment with an offset, got a moment outside the years 1 to 9999",
    ),
    "number for moment": ("at", 5, Rule.TYPE, "expected an RFC 3339 moment with an offset, got a whole number"),
    "no list": ("track", 5, Rule.TYPE, "expected nested lists of numbers, got a whole number"),
    "too flat": ("track", [1, 2], Rule.TYPE, "expected nested lists of numbers, got a whole number"),
    "too deep": ("track", [[[1]], [[2]]], Rule.TYPE, "expected nested lists of numbers, got a list among them"),
    "null inside": ("track", [[1], [None]], Rule.TYPE, "expected nested lists of numbers, got null among them"),
    "text inside": ("track", [[1], [HIDDEN]], Rule.TYPE, "expected nested lists of numbers, got a string among them"),
    "wrong length": ("track", [[1]], Rule.SHAPE, "must have the shape [2, any]"),
    "ragged": ("track", [[1], [1, 2]], Rule.SHAPE, "must have the shape [2, any]"),
    "NaN inside": ("track", [[1], [float("nan")]], Rule.FINITE, "must be finite, neither NaN nor infinity"),
    "huge inside": ("track", [[1], [10**400]], Rule.FINITE, "must be finite, neither NaN nor infinity"),
    "too many": ("track", [[1, 2, 3, 4]] * 2, Rule.SIZE, "must be at most 48 bytes"),
    "not base64": ("photo", "%%", Rule.TYPE, "expected base64 text, got a string that is not base64"),
    "bytes as numbers": ("photo", [1], Rule.TYPE, "expected base64 text, got a list"),
    "too large": ("photo", "aGVsbG8=", Rule.SIZE, "must be at most 4 bytes"),
}


@pytest.mark.parametrize(("field", "value", "rule", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_named_with_its_field_and_without_the_value(
    field: str, value: Any, rule: Rule, message: str
) -> None:
    raw = json.dumps(GOOD | {field: value}).encode()
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw, type=DECODER.row_type)
    violation = DECODER.explain(raw, "rows[3]")
    assert violation == Violation(f"rows[3].{field}", rule.value, message)
    assert HIDDEN not in repr(violation)
    assert DECODER.check_object(GOOD | {field: value}, "") == Violation(field, rule.value, message)


def test_a_good_row_is_the_same_by_both_roads() -> None:
    raw = json.dumps(GOOD).encode()
    row = msgspec.json.decode(raw, type=DECODER.row_type)
    assert DECODER.explain(raw, "rows[0]") == row
    expected = (200.0, 5, False, "JFK", "fine", 0, [[1.0, 2.5], [3.0, 4.0]], b"hi")
    assert DECODER.values(row) == expected
    assert [type(each) for each in DECODER.values(row)] == [type(each) for each in expected]


def test_a_missing_field_is_named_and_a_nullable_one_may_be_left_out() -> None:
    without = {name: value for name, value in GOOD.items() if name != "origin"}
    assert DECODER.explain(json.dumps(without).encode(), "rows[0]") == Violation(
        "rows[0].origin", "missing", "is required and absent; give a string"
    )
    raw = json.dumps({name: value for name, value in GOOD.items() if name != "remark"}).encode()
    assert DECODER.values(msgspec.json.decode(raw, type=DECODER.row_type))[4] is None


def test_an_unknown_field_is_named_and_a_long_name_is_cut() -> None:
    raw = json.dumps(GOOD | {"distnace": 1}).encode()
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=DECODER.row_type)
    assert DECODER.explain(raw, "rows[0]") == Violation(
        "rows[0].distnace", "unknown", "is not a field of this contract; remove it"
    )
    long = DECODER.check_object(GOOD | {"x" * 500: 1}, "")
    assert isinstance(long, Violation)
    assert len(long.field) == 81


@pytest.mark.parametrize(
    ("raw", "got"),
    [(b"[1]", "a list"), (b"null", "null"), (b'"x"', "a string"), (b"3", "a whole number"), (b"NaN", "a number")],
)
def test_a_row_that_is_no_object_is_of_the_wrong_type(raw: bytes, got: str) -> None:
    assert DECODER.explain(raw, "rows[0]") == Violation("rows[0]", "type", f"expected an object of fields, got {got}")
    assert DECODER.explain(raw, "") == Violation("row", "type", f"expected an object of fields, got {got}")


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b'{"distance": 3', "json"),
        (b"", "json"),
        (b"distance=3", "json"),
        (b'{"distance": "\xff"}', "utf8"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"[" * 100_000, "json"),
    ],
)
def test_bytes_that_are_no_row_at_all_are_refused_as_such(raw: bytes, rule: str) -> None:
    with pytest.raises(BodyRefused) as refused:
        DECODER.explain(raw, "rows[0]")
    assert (refused.value.field, refused.value.rule) == ("rows[0]", rule)


def test_endless_digits_are_named_in_time() -> None:
    raw = b'{"distance": ' + b"9" * 100_000 + b"}"
    violation = DECODER.explain(raw, "")
    assert isinstance(violation, Violation)
    assert (violation.field, violation.rule) == ("distance", "finite")


def test_overflowing_text_is_not_finite() -> None:
    raw = json.dumps(GOOD).replace("200", "1e999").encode()
    violation = DECODER.explain(raw, "")
    assert isinstance(violation, Violation)
    assert (violation.field, violation.rule) == ("distance", "finite")


def test_a_violation_can_be_raised() -> None:
    violation = DECODER.check_object({}, "rows[1]")
    assert isinstance(violation, Violation)
    error = violation.as_error()
    assert isinstance(error, ContractViolation)
    assert (error.field, error.rule) == ("rows[1].distance", "missing")


FLAGGING = Contract(
    (
        Field("x", Kind.NUMBER, nullable=True, minimum=0, maximum=10),
        Field("c", Kind.CATEGORY, nullable=True, domain=("a", "b")),
        Field("big", Kind.INTEGER, maximum=2**60),
        Field("at", Kind.TIMESTAMP, minimum=0.0),
    )
)


def test_flags_name_rule_and_field_of_each_row_in_contract_order() -> None:
    decoder = compile_contract(FLAGGING)
    rows = [(5.0, "a", 1, 0), (11.0, "z", 2**60 + 1, -1), (None, None, 2**60, 1)]
    assert decoder.flags(rows[:1]) is None
    assert decoder.flags([]) is None
    assert decoder.flags(rows) == [(), ("range:x", "domain:c", "range:big", "range:at"), ()]
    assert decoder.flags([rows[0]] * 20 + [rows[1]]) == [()] * 20 + [("range:x", "domain:c", "range:big", "range:at")]


def test_bounds_beyond_the_exact_floats_are_kept_to_the_last_unit_in_large_batches() -> None:
    decoder = compile_contract(Contract((Field("big", Kind.INTEGER, maximum=2**60),)))
    assert decoder.flags([(2**60,)] * 20) is None
    assert decoder.flags([(2**60,)] * 20 + [(2**60 + 1,)]) == [()] * 20 + [("range:big",)]


def test_the_clean_type_refuses_what_would_be_flagged() -> None:
    decoder = compile_contract(FLAGGING)
    good = {"x": 1, "c": "a", "big": 1, "at": "1970-01-01T00:00:00Z"}
    assert msgspec.json.decode(json.dumps(good).encode(), type=decoder.clean_type)
    for name, value in {"x": 11, "c": "z", "big": 2**60 + 1, "at": "1969-12-31T23:59:59Z"}.items():
        raw = json.dumps(good | {name: value}).encode()
        assert msgspec.json.decode(raw, type=decoder.row_type)
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(raw, type=decoder.clean_type)


def test_without_anything_to_flag_there_is_one_type_and_the_bare_astuple() -> None:
    decoder = compile_contract(Contract((Field("x", Kind.NUMBER),)))
    assert decoder.clean_type is decoder.row_type
    assert decoder.values is msgspec.structs.astuple
    assert decoder.flags([(1e300,)], np.array([[1e300]])) is None


BINARY = Output(Task.BINARY, classes=(False, True))
COLOURS = Output(Task.MULTICLASS, classes=("red", "green", "blue"))
COUNTS = Output(Task.MULTICLASS, classes=(0, 1, 2))
DELAY = Output(Task.REGRESSION, minimum=0.0)
LABELS: list[tuple[Output, Any, str | None]] = [
    (BINARY, True, None),
    (BINARY, 1, "type"),
    (BINARY, "true", "type"),
    (BINARY, None, "null"),
    (COLOURS, "red", None),
    (COLOURS, HIDDEN, "domain"),
    (COLOURS, 0, "type"),
    (COUNTS, 2, None),
    (COUNTS, 3, "domain"),
    (COUNTS, 2.0, "type"),
    (COUNTS, True, "type"),
    (DELAY, 3, None),
    (DELAY, -3.5, None),
    (DELAY, float("nan"), "finite"),
    (DELAY, float("inf"), "finite"),
    (DELAY, True, "type"),
    (DELAY, HIDDEN, "type"),
    (DELAY, [1.0], "type"),
    (Output(Task.TENSOR), 1.0, "type"),
]


@pytest.mark.parametrize(("output", "value", "rule"), LABELS)
def test_a_label_of_the_wrong_type_or_class_is_named(output: Output, value: Any, rule: str | None) -> None:
    violation = label_violation(output, value, "labels[0].label")
    assert (None if violation is None else (violation.field, violation.rule)) == (rule and ("labels[0].label", rule))
    assert HIDDEN not in repr(violation)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ('{"é": "', "unterminated string starting at byte 7"),
        ('{"a": 1', "expecting ',' delimiter at byte 7"),
    ],
)
def test_broken_json_is_placed_in_bytes(raw: str, said: str) -> None:
    with pytest.raises(BodyRefused, match=said):
        parse_json(raw.encode(), "")


def test_half_a_surrogate_pair_is_no_text_and_a_name_with_one_is_no_other_name() -> None:
    raw = rb'{"a\ud800": ["\udfff", {"x": "\ud800"}], "whole": "\ud83d\ude00", "plain": "\\ud800"}'
    document = parse_json(raw, "body")
    assert isinstance(document, dict)
    assert list(document) == ["a\ud800", "whole", "plain"]
    first, inner = document["a\ud800"]
    assert (class_of(first), class_of(inner["x"])) == ("a string with half a surrogate pair",) * 2
    assert (document["whole"], document["plain"]) == ("\U0001f600", "\\ud800")


@pytest.mark.parametrize("field", ["origin", "remark", "at", "photo", "distance"])
def test_half_a_surrogate_pair_is_of_no_fields_type(field: str) -> None:
    raw = json.dumps(GOOD | {field: "\ud800"}).encode()
    violation = DECODER.explain(raw, "rows[0]")
    assert isinstance(violation, Violation)
    assert (violation.field, violation.rule) == (f"rows[0].{field}", "type")
    assert violation.message.endswith("got a string with half a surrogate pair")


@pytest.mark.parametrize("value", [10**309, 10**399, -(10**309)])
def test_a_label_that_no_float_holds_is_not_finite(value: int) -> None:
    violation = label_violation(Output(Task.REGRESSION), value)
    assert violation is not None
    assert violation.rule == "finite"


def around(low: float | None, high: float | None) -> list[float]:
    """Values at, just inside and just outside both bounds."""
    found: list[float] = []
    for bound in (low, high):
        if bound is not None:
            found += [bound, math.nextafter(bound, -math.inf), math.nextafter(bound, math.inf), bound - 1, bound + 1]
    return found or [0.0]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIMITS = [(None, None), (0.0, None), (None, 23.0), (0.5, 3.5), (-2.5, -0.5), (1.0, 1.0), (-(2.0**62), 2.0**62)]
EDGES: dict[Kind, Callable[[float], object]] = {
    Kind.NUMBER: lambda value: value,
    Kind.INTEGER: math.floor,
    Kind.TIMESTAMP: lambda value: (
        EPOCH + timedelta(microseconds=math.floor(max(min(value, 1e15), -1e15)))
    ).isoformat(),
}


@pytest.mark.parametrize("kind", EDGES)
@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("action", OnBreak)
def test_bounds_hold_to_the_last_bit_on_every_road(
    kind: Kind, limits: tuple[float | None, float | None], action: OnBreak
) -> None:
    low, high = limits
    field = Field("x", kind, minimum=low, maximum=high, on_range=action)
    decoder = compile_contract(Contract((field,)))
    for near in around(*limits):
        value = EDGES[kind](near)
        number = near if kind is Kind.NUMBER else float(math.floor(near))
        if kind is Kind.TIMESTAMP:
            number = max(min(number, 1e15), -1e15)
        inside = (low is None or number >= low) and (high is None or number <= high)
        raw = json.dumps({"x": value}).encode()
        accepted = inside or action is OnBreak.FLAG
        assert taken(decoder.row_type, raw) == accepted, (value, limits)
        assert isinstance(decoder.explain(raw, ""), Violation) != accepted
        assert taken(decoder.clean_type, raw) == inside, "what would be flagged goes the longer way"


def taken(kind: type[msgspec.Struct], raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("limit", [1, 3, 4, 8])
def test_a_text_is_measured_in_bytes(limit: int) -> None:
    decoder = compile_contract(Contract((Field("t", Kind.TEXT, max_bytes=limit),)))
    for letter in ("a", "ä", "€", "😀"):
        for count in range(limit + 2):
            raw = json.dumps({"t": letter * count}).encode()
            fits = len((letter * count).encode()) <= limit
            assert taken(decoder.row_type, raw) == fits
            assert isinstance(decoder.explain(raw, ""), Violation) != fits


@pytest.mark.parametrize("digits", [17, 309, 399, 400, 401, 5000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_integers_of_any_length_are_read_alike(digits: int, sign: str) -> None:
    raw = f'{{"x": {sign}{"9" * digits}}}'.encode()
    found = compile_contract(Contract((Field("x", Kind.NUMBER),))).explain(raw, "")
    if digits < 309:
        assert not isinstance(found, Violation)
    else:
        assert isinstance(found, Violation)
        assert found.rule == Rule.FINITE


SHAPES: list[tuple[int | None, ...]] = [(2,), (None,), (2, 2), (None, None), (None, 2), (2, None), (None, 2, None)]
LISTS: list[Any] = [
    [],
    [1],
    [1, 2],
    [[]],
    [[1], [2]],
    [[1, 2], [3, 4]],
    [[1, 2], [3]],
    [[1, 2]],
    [[[1], [2]]],
    [[1], 2],
]
LISTS += [[[[1], [2]], [[3], [4]]], [[[1], [2, 3]]], [[[1], [2]], [[3, 3], [4, 4]]], [[[1, 1], [2, 2]]]]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("max_bytes", [None, 1000])
def test_a_tensor_has_one_length_per_dimension_on_every_road(
    shape: tuple[int | None, ...], max_bytes: int | None
) -> None:
    decoder = compile_contract(Contract((Field("x", Kind.TENSOR, shape=shape, max_bytes=max_bytes),)))
    for lists in LISTS:
        try:
            found: tuple[int, ...] | None = np.array(lists, np.float64).shape
        except ValueError:  # ragged
            found = None
        if found is not None and 0 in found:
            found = (*found, *(each or 0 for each in shape[len(found) :]))  # an empty list hides what would be in it
        accepted = (
            found is not None
            and len(found) == len(shape)
            and all(want in (None, has) for want, has in zip(shape, found, strict=True))
        )
        raw = json.dumps({"x": lists}).encode()
        assert taken(decoder.row_type, raw) == accepted, lists
        assert isinstance(decoder.explain(raw, ""), Violation) != accepted, lists


@pytest.mark.parametrize("action", OnBreak)
@pytest.mark.parametrize(
    ("value", "fits"), [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)]
)
def test_a_whole_number_has_64_bits_on_every_road(value: int, fits: bool, action: OnBreak) -> None:
    for limits in ((None, None), (-1e30, 1e30)):
        field = Field("x", Kind.INTEGER, minimum=limits[0], maximum=limits[1], on_range=action)
        decoder = compile_contract(Contract((field,)))
        raw = json.dumps({"x": value}).encode()
        assert taken(decoder.row_type, raw) == taken(decoder.clean_type, raw) == fits
        assert isinstance(decoder.explain(raw, ""), Violation) != fits


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("0001-01-01T00:00:00Z", True),
        ("0001-01-01T00:30:00+01:00", False),
        ("9999-12-31T23:59:59.999999Z", True),
        ("9999-12-31T23:30:00-01:00", False),
        ("2024-02-29T12:00:00+14:00", True),
        ("2023-02-29T12:00:00Z", False),
        ("2024-02-29T12:00:00", False),
    ],
)
def test_a_moment_is_on_the_calendar_on_every_road(text: str, fits: bool) -> None:
    decoder = compile_contract(Contract((Field("x", Kind.TIMESTAMP),)))
    raw = json.dumps({"x": text}).encode()
    assert taken(decoder.row_type, raw) == fits
    assert isinstance(decoder.explain(raw, ""), Violation) != fits


def test_bounds_in_time_are_said_as_moments() -> None:
    field = Field("x", Kind.TIMESTAMP, minimum=0.0, maximum=86_400e6, on_range=REJECT)
    found = compile_contract(Contract((field,))).explain(b'{"x": "1969-12-31T23:59:59Z"}', "rows[0]")
    assert isinstance(found, Violation)
    assert found.message == "must be at least 1970-01-01T00:00:00+00:00 and at most 1970-01-02T00:00:00+00:00"


def test_a_row_is_a_tuple_with_moments_in_microseconds_and_nulls_as_none() -> None:
    decoder = compile_contract(Contract((Field("at", Kind.TIMESTAMP, nullable=True), Field("n", Kind.NUMBER))))
    for raw, expected in ((b'{"at": "1970-01-01T00:00:02Z", "n": 1}', (2_000_000, 1.0)), (b'{"n": 2}', (None, 2.0))):
        assert decoder.values(msgspec.json.decode(raw, type=decoder.row_type)) == expected


def test_a_value_json_does_not_have_is_called_by_its_type() -> None:
    assert (class_of(1j), class_of({1})) == ("a value of type complex", "a value of type set")
