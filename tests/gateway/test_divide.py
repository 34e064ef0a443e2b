"""Every row of a tick goes to one version, under one id, whatever else was asked in the same turn."""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.scenery import BINARY, PLAIN, a_view, an_ask, numbered_ids, outputs, served

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import Violation
from headgate.gateway.ask import Ask
from headgate.gateway.columns import LazyRows, Matrix
from headgate.gateway.divide import BULK, QUICK_ROWS_PER_CALL, ROWS_PER_CALL, divide
from headgate.gateway.metrics import Slab
from headgate.gateway.view import View
from headgate.journal.identifiers import format_id
from headgate.journal.packed import unpacked
from headgate.traffic.traffic import Capture, Policy
from headgate.vocabulary import Role, Task

NOW = 1_700_000_000_000_000
BAD = Violation("rows[0].a", "type", "expected a number, got a string")
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def slab() -> Iterator[Slab]:
    with tempfile.TemporaryDirectory() as folder:
        slab = Slab(Path(folder) / "w0.slab")
        yield slab
        slab.close()


@st.composite
def asked(draw: st.DrawFn, view: View) -> Ask:
    """A request: legal and broken rows, a name, keys and times of its own, a version it names, or none of that."""
    row = st.tuples(st.floats(-9, 9), st.floats(-9, 9)) | st.just(BAD)
    rows = draw(st.lists(row, min_size=1, max_size=5))
    if draw(st.booleans()):
        rows = [(1.0, 2.0)] * (BULK + 1)
    count = len(rows)
    flags = draw(st.none() | st.just([(f"range:{place}",) for place in range(count)]))
    return an_ask(
        view,
        rows,
        pinned=view.seats["m:2"] if draw(st.integers(0, 4)) == 0 and "m:2" in view.seats else None,
        id=draw(st.none() | TEXTS),
        keys=draw(st.none() | st.lists(TEXTS, min_size=count, max_size=count)) if count <= 5 else None,
        at=draw(st.none() | st.just(list(range(count)))),
        flags=flags,
        clean=flags is None and BAD not in rows,
    )


@given(data=st.data())
def test_every_row_is_asked_once_and_under_its_own_id(slab: Slab, data: st.DataObject) -> None:
    weights = data.draw(st.sampled_from([{"m:1": 1.0}, {"m:1": 0.4, "m:2": 0.6}, {"m:1": 0.0, "m:2": 0.5, "m:3": 0.5}]))
    sticky = data.draw(st.sampled_from([None, "key", "a"]))
    capture = Capture(sampling_percent=data.draw(st.sampled_from([0.0, 50.0, 100.0])))
    view = a_view(slab, weights, sticky_key=sticky, policy=Policy(capture=capture))
    asks = data.draw(st.lists(asked(view), min_size=1, max_size=6))
    total = sum(len(each.outcomes) for each in asks)
    ids = numbered_ids()
    division = divide(view, asks, view.assignment, ids, NOW)

    assert int.from_bytes(next(ids), "big") == total, "one id per row and none wasted"
    seen: dict[bytes, tuple[Ask, int]] = {}
    for ask, record in zip(*division.refused, strict=True):
        assert record.refusal is not None
        assert (record.refusal.field, record.refusal.rule, record.refusal.message) == (BAD.field, BAD.rule, BAD.message)
        assert (record.features, ask.outcomes[record.row]) == (None, BAD)
        seen[record.id] = (ask, record.row)
    for share in division.shares():
        assert 1 <= len(share.rows) <= ROWS_PER_CALL
        assert len({len(each.outcomes) > BULK for each in share.asks}) == 1, "bulk keeps to itself"
        for ask, record, row in zip(share.asks, share.inputs, share.rows, strict=True):
            assert row == ask.reading.rows[record.row]
            assert record.features in (None, row) if capture.sampling_percent < 100 else record.features == row
            assert_assigned(view, ask, record, share)
            seen[record.id] = (ask, record.row)

    in_order = [(ask, place) for ask in asks for place in range(len(ask.outcomes))]
    assert [seen[each] for each in sorted(seen)] == in_order
    first = {id(ask): id_ for id_, (ask, place) in seen.items() if place == 0}
    for record in [*division.refused[1], *(each for share in division.shares() for each in share.inputs)]:
        ask, place = seen[record.id]
        assert record.request_id == ask.request_id == (ask.reading.id or format_id(first[id(ask)]))
        assert ask.first_id == format_id(first[id(ask)])
        assert record.at == (NOW if ask.reading.at is None else ask.reading.at[place])


def assert_assigned(view: View, ask: Ask, record: Any, share: Any) -> None:
    """The row is where its key belongs, and its record says by which chance."""
    row, reading = share.rows[share.inputs.index(record)], ask.reading
    entity = None if reading.keys is None else reading.keys[record.row]
    if entity is None and view.sticky is not None:
        entity = str(row[0])
    assert record.entity == entity
    assert record.flags == (() if reading.flags is None else reading.flags[record.row])
    if ask.pinned is not None:
        assert (share.seat, share.role, share.probability) == (ask.pinned, Role.PINNED, 1.0)
        return
    key = entity.encode() if entity is not None and view.sticks else record.id
    assert (share.seat.version, share.probability) == view.assignment.version(key)
    assert share.role is (Role.LIVE if share.seat is view.live else Role.CANARY)


@given(counts=st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_the_short_road_says_what_the_long_one_says(slab: Slab, counts: list[int]) -> None:
    plain, sticking = a_view(slab), a_view(slab, sticky_key="key")
    both = []
    for view in (plain, sticking):
        asks = [an_ask(view, [(float(place), 0.0) for place in range(count)]) for count in counts]
        both.append(divide(view, asks, view.assignment, numbered_ids(), NOW).shares())
    short, long = both
    assert [each.inputs for each in short] == [each.inputs for each in long]
    assert [each.rows for each in short] == [each.rows for each in long]
    assert [(each.role, each.probability) for each in short] == [(each.role, each.probability) for each in long]


def test_no_call_is_larger_than_one_may_be(slab: Slab) -> None:
    view = a_view(slab)
    asks = [an_ask(view, [(float(at), 0.0)] * count) for at, count in enumerate((ROWS_PER_CALL + 10, 3, 1))]
    shares = divide(view, asks, view.assignment, numbered_ids(), NOW).shares()
    assert [len(each.rows) for each in shares] == [ROWS_PER_CALL, 10, 4]
    assert [record.row for each in shares[:2] for record in each.inputs] == list(range(ROWS_PER_CALL + 10))
    assert all(each.asks == [asks[0]] * len(each.rows) for each in shares[:2])


def test_rows_of_any_shape_are_asked_one_by_one(slab: Slab) -> None:
    ragged = served(Contract((Field("wave", Kind.TENSOR, shape=(None,)),), Output(Task.TENSOR)))
    view = a_view(slab, by={"m:1": ragged})
    shares = divide(view, [an_ask(view, [([1.0],), ([1.0, 2.0],)])], view.assignment, numbered_ids(), NOW).shares()
    assert [each.rows for each in shares] == [[([1.0],)], [([1.0, 2.0],)]]


def test_a_canary_with_fewer_fields_in_another_order_remembers_its_own(slab: Slab) -> None:
    narrow = served(Contract((Field("b", Kind.NUMBER),), BINARY))
    view = a_view(slab, {"m:1": 0.0, "m:2": 1.0}, by={"m:2": narrow})
    (share,) = divide(view, [an_ask(view, [(1.0, 2.0)])], view.assignment, numbered_ids(), NOW).shares()
    assert (share.seat.version, share.inputs[0].features) == ("m:2", (2.0,))
    assert share.rows == [(1.0, 2.0)], "as the reader gave it: the live version may have to answer"
    assert share.seat.convert(share.rows) == [(2.0,)]


def test_a_sticky_field_that_is_null_is_drawn_by_id(slab: Slab) -> None:
    contract = Contract((Field("who", Kind.TEXT, nullable=True), *PLAIN.fields), BINARY)
    same = served(contract)
    view = a_view(slab, {"m:1": 0.5, "m:2": 0.5}, by={"m:1": same, "m:2": same}, sticky_key="who")
    rows = [(None, 1.0, 1.0)] * 64
    shares = divide(view, [an_ask(view, rows)], view.assignment, numbered_ids(), NOW).shares()
    assert {each.entity for share in shares for each in share.inputs} == {None}
    assert {share.seat.version for share in shares} == {"m:1", "m:2"}
    named = divide(view, [an_ask(view, [("ada", 1.0, 1.0)] * 64)], view.assignment, numbered_ids(), NOW).shares()
    assert len({share.seat.version for share in named}) == 1


def test_a_key_in_the_request_goes_before_the_field(slab: Slab) -> None:
    view = a_view(slab, sticky_key="a")
    (share,) = divide(
        view, [an_ask(view, [(3.0, 1.0), (4.0, 1.0)], keys=["x", "y"])], view.assignment, numbered_ids(), NOW
    ).shares()
    assert [each.entity for each in share.inputs] == ["x", "y"]


def test_without_a_sticky_key_a_callers_key_chooses_nothing(slab: Slab) -> None:
    """A caller that could pick its arm by its key would spoil the comparison."""
    view = a_view(slab, {"m:1": 0.5, "m:2": 0.5})
    ask = an_ask(view, [(1.0, 1.0)] * 64, keys=["same"] * 64)
    shares = divide(view, [ask], view.assignment, numbered_ids(), NOW).shares()
    assert {share.seat.version for share in shares} == {"m:1", "m:2"}
    assert {each.entity for share in shares for each in share.inputs} == {"same"}


@pytest.mark.parametrize(("inline", "rows_per_call"), [(None, ROWS_PER_CALL), (object(), QUICK_ROWS_PER_CALL)])
def test_columns_are_cut_into_calls_by_how_quick_the_model_is(slab: Slab, inline: Any, rows_per_call: int) -> None:
    view = a_view(slab, by={"m:1": served(placement=SimpleNamespace(inline=inline))})
    numbers = np.arange(2.0 * (2 * rows_per_call + 5)).reshape(-1, 2)
    ask = an_ask(view, LazyRows(Matrix(numbers)), columns=Matrix(numbers), clean=True)
    division = divide(view, [ask], view.assignment, numbered_ids(), NOW)
    assert [len(each) for each in division.stretches] == [rows_per_call, rows_per_call, 5]
    assert [span.start for each in division.stretches for span in each.spans] == [0, rows_per_call, 2 * rows_per_call]
    assert b"".join(each.ids for each in division.stretches) == b"".join(islice(numbered_ids(), len(numbers)))
    kept = [unpacked(b"".join(each.speak(outputs(len(each))).parts())) for each in division.stretches]
    assert [one.features for each in kept for one in each.inputs] == [tuple(row) for row in numbers.tolist()]
    assert [one.row for each in kept for one in each.inputs] == list(range(len(numbers)))
    assert [one.id for each in kept for one in each.inputs] == [one.input_id for each in kept for one in each.answers]


@pytest.mark.parametrize(("percent", "hashes"), [(50.0, 1), (100.0, 0)])
@pytest.mark.parametrize("sheds", [False, True])
def test_an_id_is_hashed_once_where_its_row_may_be_left_out(
    slab: Slab, monkeypatch: pytest.MonkeyPatch, percent: float, hashes: int, sheds: bool
) -> None:
    hashed: list[bytes] = []

    def counted(data: bytes) -> int:
        hashed.append(data)
        return crc32(data)

    monkeypatch.setattr("headgate.journal.capture.crc32", counted)
    view = a_view(slab, sticky_key="a", policy=Policy(capture=Capture(sampling_percent=percent, fields=["b"])))
    ask = an_ask(view, [(float(place), 0.5) for place in range(40)])
    division = divide(view, [ask], view.assignment, numbered_ids(), NOW, sheds=sheds)
    ids = list(islice(numbered_ids(), 40))
    assert hashed == ids * hashes
    sampled = [each for each in ids if crc32(each) < percent / 100 * 2**32]
    kept = [each for share in division.shares() for each in share.inputs if each.features is not None]
    assert [each.id for each in kept] == ([] if sheds else sampled)
    assert {each.features for each in kept} <= {(0.5,)}
    assert division.shed == (len(sampled) if sheds else 0)
