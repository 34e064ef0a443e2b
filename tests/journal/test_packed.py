"""Blocks written column by column are those that are written record by record."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.gateway.columns import Columns, LazyRows, are_numbers
from headgate.journal.packed import PackedBlock, array_head, id_cells, listed, number_cells, one_of
from headgate.runtimes.feeds import Column
from headgate.vocabulary import Task

KINDS = {
    "float": (np.float64, st.floats()),
    "integer": (np.int64, st.integers(-(2**63), 2**63 - 1)),
    "boolean": (np.bool_, st.booleans()),
}


@st.composite
def a_column(draw: st.DrawFn, size: int) -> tuple[Column, list[Any]]:
    dtype, values = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    found = draw(st.lists(values, min_size=size, max_size=size))
    if draw(st.booleans()):
        return Column(np.array(found, dtype)), list(found)
    nulls = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    expected = [None if null else value for value, null in zip(found, nulls, strict=True)]
    return Column(np.array(found, dtype), np.array(nulls)), expected


@given(data=st.data(), size=st.integers(1, 20), width=st.integers(1, 20))
def test_columns_are_written_as_their_rows_would_be(data: st.DataObject, size: int, width: int) -> None:
    made = [data.draw(a_column(size)) for _ in range(width)]
    flag_sets = ((), ("range:a",), ("range:a", "domain:a longer name"))
    flagged = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    columns = Columns(tuple(each for each, _ in made), flag_sets, data.draw(st.sampled_from([None, flagged])))
    rows = list(zip(*(expected for _, expected in made), strict=True))
    assert repr(columns.rows()) == repr(rows)
    assert repr(list(LazyRows(columns))) == repr(rows)
    ids = bytes(range(16)) * size
    raw = listed(size, [array_head(3), id_cells(ids), *columns.features(), columns.flag_piece()])
    flags = columns.flags() or [()] * size
    expected = [[ids[:16], list(row), list(said)] for row, said in zip(rows, flags, strict=True)]
    assert repr(msgspec.msgpack.decode(raw)) == repr(expected)
    start = data.draw(st.integers(0, size - 1))
    assert repr(columns.part(start, size).rows()) == repr(rows[start:])


@given(st.lists(st.sampled_from(["no", "a longer word", "", "ü"]), min_size=1))
def test_one_of_a_few_words_stands_in_every_row(words: list[str]) -> None:
    few = sorted(set(words))
    which = np.array([few.index(each) for each in words])
    assert msgspec.msgpack.decode(listed(len(words), [one_of(few, which)])) == words


@pytest.mark.parametrize("dtype", ["f4", "i4", "i8", "u1", "?"])
def test_numbers_of_other_widths_are_the_same_numbers(dtype: str) -> None:
    assert msgspec.msgpack.decode(listed(2, [number_cells(np.array([0, 1], dtype))])) == [0, 1]


def test_a_block_knows_its_rows() -> None:
    inputs = listed(70_000, [number_cells(np.arange(70_000))])
    assert PackedBlock(inputs, listed(0, [b"\xc0"])).rows == 70_000
    assert len(msgspec.msgpack.decode(msgspec.msgpack.encode(PackedBlock(inputs, inputs)))[0]) == 70_000


def test_only_numbers_stay_columns() -> None:
    number, text = Field("a", Kind.NUMBER), Field("b", Kind.TEXT)
    assert are_numbers(Contract((number,), Output(Task.REGRESSION)))
    assert not are_numbers(Contract((number, text), Output(Task.REGRESSION)))
    assert not are_numbers(Contract((number,), Output(Task.TENSOR)))
