"""A predict body is read in one pass or three; whichever road it takes, it says the same."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.gateway.scenery import BINARY

from headgate.contracts.contract import Contract, Field, Kind, OnBreak
from headgate.contracts.decode import compile_contract
from headgate.errors import BadInput, BodyRefused, Violation
from headgate.gateway.reading import LONGEST_ID, LONGEST_KEY, Reader, Reading

FIELDS = (
    Field("n", Kind.NUMBER, minimum=0, maximum=10, on_range=OnBreak.FLAG),
    Field("i", Kind.INTEGER, nullable=True, minimum=0, on_range=OnBreak.REJECT),
    Field("c", Kind.CATEGORY, domain=("x", "y"), on_domain=OnBreak.FLAG),
    Field("t", Kind.TIMESTAMP, nullable=True),
)
CONTRACT = Contract(FIELDS, BINARY)
READER = Reader(compile_contract(CONTRACT), rows_limit=4, replay=True)

GOOD = {"n": 1.0, "i": 2, "c": "x", "t": "2013-03-01T00:00:00Z"}
numbers: st.SearchStrategy[Any] = st.sampled_from([0.0, 3, 10.0, 10.5, -1, 2**70, True, None, "3", [], {}])
rows = st.fixed_dictionaries(
    {"n": numbers, "c": st.sampled_from(["x", "z", "", 1, None])},
    optional={
        "i": st.sampled_from([0, 5, -1, 1.0, 1.5, None, "1", 2**64]),
        "t": st.sampled_from([None, "2013-03-01T00:00:00+01:00", "2013-03-01T00:00:00", "soon", 1]),
        "more": st.just(1),
    },
)
bodies: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"rows": st.lists(rows | st.just(GOOD), max_size=5) | st.sampled_from([None, {}, "rows", [[]], [None]])},
    optional={
        "id": st.sampled_from(["r", "", None, 7, "x" * LONGEST_ID, "x" * (LONGEST_ID + 1)]),
        "keys": st.lists(st.sampled_from(["a", "", "k" * (LONGEST_KEY + 1), None]), max_size=3) | st.none(),
        "at": st.lists(st.sampled_from(["2013-03-01T00:00:00Z", "2013-03-01T00:00:00", 5]), max_size=3),
        "deadline_ms": st.sampled_from([1, 0.5, 0, -1, 600_000, 600_001, None, "1", True]),
        "surprise": st.just(1),
    },
)


def said(reading: Reading) -> tuple[Any, ...]:
    flags = None if reading.flags is None else list(reading.flags)
    return list(reading.rows), reading.clean, flags, reading.id, reading.keys, reading.at, reading.deadline_ms


def outcome(road: Any, body: bytes) -> Any:
    try:
        return said(road(body))
    except BadInput as error:
        return type(error), error.field, error.rule, error.message


@given(bodies)
@example({"rows": [GOOD, GOOD | {"n": 11.0}], "id": "r", "keys": ["a", "b"]})
@example({"rows": [GOOD] * 5})
def test_the_quick_roads_say_what_the_slow_one_says(document: Any) -> None:
    body = json.dumps(document).encode()
    assert outcome(READER.read, body) == outcome(READER._explain, body)


@given(st.binary(max_size=20) | st.sampled_from([b"{", b'"\xff"', b"[]", b"null", b"[" * 200_000, b'{"rows":1}']))
def test_bytes_that_are_no_request_are_refused_by_name(body: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        READER.read(body)
    assert refused.value.field
    assert refused.value.rule


@given(st.lists(rows | st.just(GOOD), min_size=1, max_size=4))
def test_rows_already_parsed_are_held_to_the_same_rules(found: list[Any]) -> None:
    by_bytes = outcome(READER.read, json.dumps({"rows": found}).encode())
    assert said(READER.read_objects(found)) == by_bytes


def test_what_is_flagged_is_answered_and_named_in_its_place() -> None:
    bad = GOOD | {"n": "x"}
    reading = READER.read(json.dumps({"rows": [GOOD, bad, GOOD | {"n": 11, "c": "z"}, GOOD]}).encode())
    assert not reading.clean
    assert isinstance(reading.rows[1], Violation)
    assert reading.flags is not None
    assert list(reading.flags) == [(), (), ("range:n", "domain:c"), ()]
    flagged_alone = READER.read(json.dumps({"rows": [GOOD | {"n": 11}]}).encode())
    assert (flagged_alone.clean, list(flagged_alone.flags or [])) == (False, [("range:n",)])


def test_a_clean_body_with_words_beside_its_rows_stays_clean() -> None:
    body = {"rows": [GOOD], "keys": ["ada"], "at": ["2013-03-01T00:00:00+01:00"], "deadline_ms": 250, "id": "r1"}
    reading = READER.read(json.dumps(body).encode())
    assert reading.clean
    assert (reading.keys, reading.at) == (["ada"], [1_362_092_400_000_000])
    assert (reading.deadline_ms, reading.id) == (250.0, "r1")
    assert reading.rows == [(1.0, 2, "x", 1_362_096_000_000_000)]


ROADS: dict[str, Callable[[int], Reading]] = {
    "quick": lambda count: READER.read(json.dumps({"rows": [GOOD] * count}).encode()),
    "flagged": lambda count: READER.read(json.dumps({"rows": [GOOD | {"n": 11}] * count}).encode()),
    "parsed": lambda count: READER.read_objects([GOOD] * count),
}


@pytest.mark.parametrize("road", ROADS)
def test_a_request_has_one_row_to_the_limit(road: str) -> None:
    for count in (1, 4):
        assert len(ROADS[road](count).rows) == count
    for count in (0, 5):
        with pytest.raises(BadInput, match=r"rows: a request has 1 to 4 rows") as refused:
            ROADS[road](count)
        assert (refused.value.field, refused.value.rule) == ("rows", "size")


def test_event_times_are_refused_where_nothing_is_replayed() -> None:
    reader = Reader(compile_contract(CONTRACT), rows_limit=4, replay=False)
    body = json.dumps({"rows": [GOOD], "at": ["2013-03-01T00:00:00Z"]}).encode()
    with pytest.raises(BadInput) as refused:
        reader.read(body)
    assert (refused.value.field, refused.value.rule) == ("at", "replay")
    assert reader.read(json.dumps({"rows": [GOOD], "at": None}).encode()).clean


def test_rows_are_named_as_their_door_names_them() -> None:
    (row,) = READER.read_objects([GOOD | {"n": "x"}], "instances").rows
    assert isinstance(row, Violation)
    assert row.field == "instances[0].n"


NUMBERS = Contract((Field("a", Kind.NUMBER, minimum=0, maximum=1), Field("b", Kind.NUMBER, nullable=True)), BINARY)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 1.0, 1.5, np.nan, np.inf]), st.sampled_from([2.0, -np.inf, np.nan])),
        min_size=1,
        max_size=12,
    )
)
def test_a_matrix_is_read_at_once_only_where_every_row_would_be(found: list[tuple[float, float]]) -> None:
    reader = Reader(compile_contract(NUMBERS), rows_limit=12, replay=False)
    at_once = reader.read_matrix(np.array(found))
    one_by_one = reader.read_objects([{"a": a, "b": b} for a, b in found])
    if at_once is not None:
        assert said(at_once) == said(one_by_one)
    else:
        assert not one_by_one.clean


def test_a_body_nested_without_end_is_refused() -> None:
    with pytest.raises(BodyRefused) as refused:
        READER.read(b'{"rows":' + b"[" * 200_000)
    assert refused.value.rule == "json"
    (row,) = READER.read(b'{"rows":' + b"[" * 900 + b"]" * 900 + b"}").rows
    assert isinstance(row, Violation)


def test_the_decoder_is_compiled_once_for_a_contract_that_flags_nothing() -> None:
    plain = Reader(compile_contract(Contract((Field("n", Kind.NUMBER),), BINARY)), rows_limit=1, replay=False)
    assert plain._legal is None
    with pytest.raises(BadInput):
        plain.read(msgspec.json.encode({"rows": [{"n": 1}, {"n": 1}]}))
