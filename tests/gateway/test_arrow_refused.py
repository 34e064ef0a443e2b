"""Nothing a table can say makes a gateway stumble: it is read, or refused by name."""

import struct
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.test_arrow import LIMIT, file, read, stream

from headgate.contracts.contract import Field, Kind
from headgate.errors import BadInput, BodyRefused
from headgate.gateway.doors.arrow.ipc import MOST_BATCHES

AGE = Field("age", Kind.NUMBER)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "arrow"),
        (b"ARROW1", "arrow"),
        (b"\xff\xff\xff\xff" + struct.pack("<i", 2**31 - 1), "arrow"),
        (b"\xff\xff\xff\xff" + struct.pack("<i", -5), "arrow"),
        (b'{"rows": [{"age": 1}]}', "arrow"),
        (stream(pa.table({"age": [1.0]}))[:-8], "arrow"),
        (stream(pa.table({"age": [1.0]}))[:-20], "arrow"),
        (stream(pa.table({"age": [1.0]})) + b"more", "arrow"),
        (file(pa.table({"age": [1.0]})), "arrow"),
    ],
)
def test_what_is_no_stream_is_refused(body: bytes, rule: str) -> None:
    with pytest.raises(BodyRefused) as caught:
        read(body, AGE)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    "body", [stream(pa.table({"age": [1.0]})), b"ARROW1\0\0ARROW1", file(pa.table({"age": [1.0]}))[:-1]]
)
def test_what_is_no_file_is_refused(body: bytes) -> None:
    with pytest.raises(BodyRefused):
        read(body, AGE, is_file=True)


def test_rows_are_counted_before_they_are_read() -> None:
    for size in (0, 11):
        with pytest.raises(BadInput) as caught:
            read(pa.table({"age": np.ones(size)}), AGE, rows=10)
        assert (caught.value.field, caught.value.rule) == ("rows", "size")
    # Two thousand million nulls take no bytes at all.
    batch = pa.RecordBatch.from_arrays([pa.nulls(2**31 - 1)], names=["age"])
    with pytest.raises(BadInput):
        read(stream(pa.Table.from_batches([batch])), AGE)


def test_one_name_stands_for_one_column() -> None:
    twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["age", "age"])
    with pytest.raises(BadInput) as caught:
        read(twice, AGE)
    assert caught.value.field == "columns"


def test_batches_are_counted() -> None:
    table = pa.table({"age": np.ones(MOST_BATCHES + 1)})
    assert len(read(stream(table, chunk=2), AGE).rows) == MOST_BATCHES + 1
    with pytest.raises(BodyRefused):
        read(stream(table, chunk=1), AGE)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_bomb_is_refused_before_it_unfolds(codec: str) -> None:
    note = Field("note", Kind.TEXT)
    bomb = stream(pa.table({"note": ["o" * (8 * LIMIT)]}), codec=codec)
    assert len(bomb) < LIMIT // 8
    with pytest.raises(BodyRefused) as caught:
        read(bomb, note)
    assert caught.value.rule == "size"
    assert read(bomb, note, limit=9 * LIMIT).clean


@pytest.mark.parametrize("said", [2**62, -2, 2**63 - 1, 3])
def test_a_length_that_lies_is_refused(said: int) -> None:
    body = stream(pa.table({"age": np.zeros(1000)}), codec="zstd")
    true = struct.pack("<q", 8000)
    assert body.count(true) >= 1
    at = body.rindex(true)
    with pytest.raises(BodyRefused):
        read(body[:at] + struct.pack("<q", said) + body[at + 8 :], AGE)


def test_one_long_text_shared_by_thousands_of_rows_is_counted_for_each() -> None:
    note = Field("note", Kind.TEXT, nullable=True)
    long = "o" * 1000
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), [long])
    views = pa.array([long], pa.string_view())
    with pytest.raises(BodyRefused) as caught:
        read(pa.table({"note": shared}), note)
    assert caught.value.rule == "size"
    few = pa.DictionaryArray.from_arrays(pa.array([0, None, 0], pa.int32()), [long])
    assert read(pa.table({"note": few}), note).rows == [(long,), (None,), (long,)]
    assert read(pa.table({"note": views}), note).rows == [(long,)]
    with pytest.raises(BodyRefused):
        read(pa.table({"note": pa.array([long] * 3, pa.string_view())}), note, limit=2500)


def test_lists_of_nothing_are_counted() -> None:
    tensor = Field("x", Kind.TENSOR, shape=(None,))
    huge = pa.ListArray.from_arrays(pa.array([0, 2**30], pa.int32()), pa.nulls(2**30))
    with pytest.raises(BodyRefused) as caught:
        read(pa.table({"x": huge}), tensor)
    assert caught.value.rule == "size"
    assert read(pa.table({"x": [[1, 2, 3]]}), tensor).rows == [([1.0, 2.0, 3.0],)]


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        (pa.array([float("nan")]), "finite"),
        (pa.array([float("inf")]), "finite"),
        (pa.array([None], pa.float64()), "null"),
        (pa.nulls(1), "null"),
        (pa.array(["1"]), "type"),
        (pa.array([True]), "type"),
        (pa.array([{"a": 1}]), "type"),
        (pa.array([[1.0]]), "type"),
        (pa.array([b"1"]), "type"),
        (pa.array([1], pa.duration("s")), "type"),
        (pa.array([1], pa.timestamp("s")), "type"),
        (pa.array(["x"]).dictionary_encode(), "type"),
    ],
)
def test_a_value_that_is_no_number_is_refused_by_its_row(column: Any, rule: str) -> None:
    found = read(pa.table({"age": column}), AGE).rows[0]
    assert (found.field, found.rule) == ("rows[0].age", rule)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.0], pa.float32()),
        pa.array([1], pa.int8()),
        pa.array([1], pa.uint64()),
        pa.array([1.0]).dictionary_encode(),
        pa.array([1.0]).cast(pa.decimal128(5, 2)),
    ],
)
def test_a_number_of_any_type_is_one(column: Any) -> None:
    assert list(read(pa.table({"age": column}), AGE).rows) == [(1.0,)]


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_moments_off_the_calendar_are_refused(unit: str) -> None:
    since = Field("since", Kind.TIMESTAMP)
    good = datetime(2020, 1, 2, tzinfo=UTC)
    scale = {"s": 1, "ms": 1000}[unit]
    values = pa.array([int(good.timestamp()) * scale, 2**62, -(2**62)], pa.timestamp(unit, "UTC"))
    rows = read(pa.table({"since": values}), since).rows
    assert rows[0] == (int(good.timestamp()) * 1_000_000,)
    assert [(each.rule, "1 to 9999" in each.message) for each in rows[1:]] == [("type", True)] * 2
    dates = pa.array([good.date()])
    assert list(read(pa.table({"since": dates}), since).rows) == [(int(good.timestamp()) * 1_000_000,)]


# --- strangers' bytes

_SOUND = [
    stream(pa.table({"age": [1.0, 2.0], "note": ["a", None], "x": [[1.0], [2.0, 3.0]]}), codec=codec)
    for codec in (None, "zstd", "lz4")
]
_SOUND.append(stream(pa.table({"note": pa.array(["a", "b"]).dictionary_encode(), "age": pa.array([1, 2], pa.int8())})))
_FUZZED = (
    Field("age", Kind.NUMBER),
    Field("note", Kind.TEXT, nullable=True),
    Field("x", Kind.TENSOR, shape=(None,), nullable=True),
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_mutated_stream_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from(_SOUND)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        match data.draw(st.sampled_from(["byte", "word", "cut", "double"])):
            case "byte":
                body[at] = data.draw(st.integers(0, 255))
            case "word":
                body[at : at + 8] = struct.pack("<q", data.draw(st.integers(-(2**63), 2**63 - 1)))
            case "cut":
                del body[at : at + data.draw(st.integers(1, 64))]
            case "double":
                body[at:at] = body[at : at + data.draw(st.integers(1, 64))]
        if not body:
            break
    try:
        reading = read(bytes(body), *_FUZZED)
    except (BodyRefused, BadInput):
        return
    assert len(list(reading.rows)) >= 1


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200))
def test_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(BodyRefused):
        read(body, AGE)
