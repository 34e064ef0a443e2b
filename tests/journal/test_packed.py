"""Blocks kept column by column are those that are kept record by record."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.writing import DELAYS, START, STREAM

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import IntegrityError
from headgate.gateway.columns import Columns, LazyRows, are_numbers
from headgate.journal import frames
from headgate.journal.packed import Alike, Cells, PackedBlock, few, unpacked
from headgate.journal.records import Answer, Block, Input
from headgate.journal.scan import scan
from headgate.journal.segment import LARGE, Segment, recover, segment_path
from headgate.runtimes.feeds import Column
from headgate.testing.disk import UnkindDisk
from headgate.vocabulary import Task

KINDS = {
    "float": (np.float64, st.floats()),
    "integer": (np.int64, st.integers(-(2**63), 2**63 - 1)),
    "boolean": (np.bool_, st.booleans()),
}
LIKE = Input(b"", 7, None, "r", 0)


@st.composite
def a_column(draw: st.DrawFn, size: int) -> tuple[Column, list[Any]]:
    dtype, values = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    found = draw(st.lists(values, min_size=size, max_size=size))
    if draw(st.booleans()):
        return Column(np.array(found, dtype)), list(found)
    nulls = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    expected = [None if null else value for value, null in zip(found, nulls, strict=True)]
    return Column(np.array(found, dtype), np.array(nulls)), expected


def payload(block: PackedBlock) -> bytes:
    return b"".join(block.parts())


def inputs_of(size: int, *cells: Cells) -> list[Input]:
    return unpacked(payload(PackedBlock(bytes(16 * size), inputs=Alike(LIKE, cells)))).inputs


def ids(size: int) -> list[bytes]:
    return [each.to_bytes(16) for each in range(size)]


@given(data=st.data(), size=st.integers(1, 20), width=st.integers(1, 20))
def test_columns_are_read_back_as_their_rows(data: st.DataObject, size: int, width: int) -> None:
    made = [data.draw(a_column(size)) for _ in range(width)]
    flag_sets = ((), ("range:a",), ("range:a", "domain:a longer name"))
    flagged = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    columns = Columns(tuple(each for each, _ in made), flag_sets, data.draw(st.sampled_from([None, flagged])))
    rows = list(zip(*(expected for _, expected in made), strict=True))
    assert repr(columns.rows()) == repr(rows)
    assert repr(list(LazyRows(columns))) == repr(rows)
    found = inputs_of(size, *columns.features(), *columns.flag_cells())
    flags = columns.flags() or [()] * size
    assert repr([(each.features, each.flags) for each in found]) == repr(list(zip(rows, flags, strict=True)))
    start = data.draw(st.integers(0, size - 1))
    assert repr(columns.part(start, size).rows()) == repr(rows[start:])


@given(size=st.integers(0, 5), scored=st.booleans())
def test_a_block_of_inputs_and_answers_is_the_block_of_its_records(size: int, scored: bool) -> None:
    matrix = np.arange(size * 3, dtype=np.float64).reshape(size, 3)
    scores = [Cells("scores", matrix[:, :2])] if scored else []
    said = few("prediction", ("no", "yes"), np.arange(size) % 2)
    answers = Alike(Answer(b"", "m:1", "m:1", "live", 1.0, None, None, 3, 4), [said, *scores])
    cells = [Cells("row", np.arange(size, dtype=np.int32)), Cells("features", matrix)]
    block = PackedBlock(b"".join(ids(size)), inputs=Alike(LIKE, cells), answers=answers)
    inputs = [Input(id_, 7, tuple(matrix[row].tolist()), "r", row) for row, id_ in enumerate(ids(size))]
    expected = [
        Answer(
            id_, "m:1", "m:1", "live", 1.0, ("no", "yes")[row % 2], matrix[row, :2].tolist() if scored else None, 3, 4
        )
        for row, id_ in enumerate(ids(size))
    ]
    assert unpacked(payload(block)) == Block(inputs, expected)
    # Also as msgpack has them, which tells tuples of a record and lists apart no more than a Block on disk does.
    assert msgspec.msgpack.encode(unpacked(payload(block))) == msgspec.msgpack.encode(Block(inputs, expected))
    assert block.rows == size
    assert unpacked(payload(PackedBlock(b"".join(ids(size)), answers=answers))) == Block([], expected)


@given(st.lists(st.sampled_from(["no", "a longer word", "", "ü"]), min_size=1))
def test_one_of_a_few_words_stands_in_every_row(words: list[str]) -> None:
    known = sorted(set(words))
    which = np.array([known.index(each) for each in words])
    assert [each.request_id for each in inputs_of(len(words), few("request_id", known, which))] == words


def test_there_may_be_more_words_than_a_byte_counts() -> None:
    names = [f"r{each}" for each in range(300)]
    assert [each.request_id for each in inputs_of(300, few("request_id", names, np.arange(300)))] == names


@pytest.mark.parametrize("dtype", ["f4", ">f8", "i4", ">i8", "u1", "u8", "?"])
def test_numbers_of_other_widths_and_orders_are_the_same_numbers(dtype: str) -> None:
    assert [each.row for each in inputs_of(2, Cells("row", np.array([0, 1], dtype)))] == [0, 1]


def test_a_large_matrix_is_handed_on_as_it_lies_in_memory() -> None:
    matrix = np.zeros((1000, 20))
    parts = PackedBlock(bytes(16_000), inputs=Alike(LIKE, [Cells("features", matrix[10:])])).parts()
    assert any(np.shares_memory(np.frombuffer(each, np.uint8), matrix) for each in parts)


HEAD: tuple[Any, ...] = (1, (LIKE, []), None)
CONTRADICTIONS: dict[str, bytes | tuple[Any, ...]] = {
    "no head": b"",
    "a head that is none": b"\x01\0\0\0\xc1",
    "fewer ids than rows": (2, *HEAD[1:]),
    "fewer than no rows": (-1, *HEAD[1:]),
    "more than it names": (0, *HEAD[1:]),
    "values of no kind": (1, (LIKE, [("row", "O", 0, False, None)]), None),
    "fewer values than rows": (1, (LIKE, [("row", "<i8", 0, False, None)]), None),
    "a field of no record": (1, (LIKE, [("rows", "|u1", 0, False, None)]), None),
    "its own id": (1, (LIKE, [("id", "|u1", 0, False, None)]), None),
    "a place of no word": (1, (LIKE, [("request_id", "|u1", 0, False, [])]), None),
}


def spelled(head: bytes | tuple[Any, ...]) -> bytes:
    """A payload of that head, one id, and a byte of cells where it names any of one."""
    if isinstance(head, bytes):
        return head
    packed = msgspec.msgpack.encode(head)
    return len(packed).to_bytes(4, "little") + packed + bytes(17 if "|u1" in str(head) else 16)


@pytest.mark.parametrize("what", sorted(CONTRADICTIONS))
def test_what_contradicts_itself_is_said(what: str) -> None:
    head = spelled(CONTRADICTIONS[what])
    with pytest.raises(ValueError):  # noqa: PT011 # whoever reads wants to know no more than that
        unpacked(head)
    schema = frames.encode_frame(frames.Kind.SCHEMA, msgspec.msgpack.encode(DELAYS), schema_id=1)
    with pytest.raises(IntegrityError, match="kind 4 does not decode"):
        scan(schema + frames.encode_frame(frames.Kind.COLUMNS, head, schema_id=1))


def packed(first: int, rows: int) -> PackedBlock:
    names = b"".join(each.to_bytes(16) for each in range(first, first + rows))
    features = np.arange(rows * 9, dtype=np.float64).reshape(rows, 9)
    return PackedBlock(names, inputs=Alike(LIKE, [Cells("features", features)]))


def test_segments_hold_packed_blocks_among_others_and_recover_them() -> None:
    disk = UnkindDisk()
    made = Segment(disk, STREAM, 0, START)
    rows = LARGE // 8
    made.commit(
        [
            (DELAYS, frames.Kind.COLUMNS, packed(0, rows).parts()),
            (DELAYS, frames.Kind.BLOCK, [msgspec.msgpack.encode(Block())]),
            (DELAYS, frames.Kind.COLUMNS, [b"".join(packed(rows, 2).parts())]),
        ]
    )
    found = scan(disk.read(segment_path(STREAM, 0, ".open")))
    assert [len(block.inputs) for _, block in found.blocks] == [rows, 0, 2]
    assert found.end == made.size
    disk.reopen(segment_path(STREAM, 0, ".open")).append(b"HGJ torn")
    assert recover(disk, STREAM) == 1
    disk.power_loss()
    kept = scan(disk.read(segment_path(STREAM, 0, ".seg"))).blocks
    assert [int.from_bytes(each.id) for _, block in kept for each in block.inputs] == list(range(rows + 2))


def test_recovery_keeps_a_segment_whose_only_block_is_packed() -> None:
    disk = UnkindDisk()
    Segment(disk, STREAM, 0, START).commit([(DELAYS, frames.Kind.COLUMNS, packed(0, 1).parts())])
    recover(disk, STREAM)
    assert [name for name, _ in disk.files("journal/here-0")] == ["000000000000.seg"]


def test_only_numbers_stay_columns() -> None:
    number, text = Field("a", Kind.NUMBER), Field("b", Kind.TEXT)
    assert are_numbers(Contract((number,), Output(Task.REGRESSION)))
    assert not are_numbers(Contract((number, text), Output(Task.REGRESSION)))
    assert not are_numbers(Contract((number,), Output(Task.TENSOR)))
