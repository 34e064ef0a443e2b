"""A native model is shown in service what it was shown at registration: the same numbers, types and missing values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import BadConfiguration
from headgate.registry import native
from headgate.registry.importers.importer import columns, matrix
from headgate.registry.package import Engine, Manifest, ModelInput, Signature
from headgate.runtimes.engines.shapes import shaper
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.feeds_table import feeds_from_table

START = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(-(10**15), 10**15)
KINDS: dict[Kind, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    Kind.NUMBER: (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    Kind.INTEGER: (pa.int64(), st.integers(-(2**53), 2**53)),
    Kind.BOOLEAN: (pa.bool_(), st.booleans()),
    Kind.TIMESTAMP: (pa.timestamp("us", tz="UTC"), MOMENTS.map(lambda each: START + timedelta(microseconds=each))),
    Kind.CATEGORY: (pa.string(), st.sampled_from(["u", "v", "new"])),
    Kind.TEXT: (pa.string(), st.text(max_size=3)),
}
NUMBERS = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.TIMESTAMP)


@st.composite
def cases(draw: st.DrawFn, kinds: tuple[Kind, ...] = tuple(KINDS)) -> tuple[Contract, pa.Table]:
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    fields = [
        Field(f"f{place}", kind, nullable=True, domain=("u", "v") if kind is Kind.CATEGORY else None)
        for place, kind in enumerate(chosen)
    ]
    rows = draw(st.integers(1, 5))
    table = {}
    for each in fields:
        kept, values = KINDS[each.kind]
        holes = st.none() if draw(st.booleans()) else st.nothing()
        table[each.name] = pa.array(draw(st.lists(holes | values, min_size=rows, max_size=rows)), kept)
    return Contract(tuple(fields)), pa.table(table)


def shaped(contract: Contract, table: pa.Table, inputs: list[ModelInput], options: dict[str, str]) -> list[Any]:
    """What the model reads: of a table, and of the same rows as a gateway has them."""
    signature = Signature(inputs, [])
    manifest = Manifest(1, Engine.SKLEARN, "model", signature, {}, {}, options)
    plan = compile_feeds(contract, signature, options)
    rows = list(zip(*(_values(table[name]) for name in contract.names), strict=True))
    made = shaper(manifest, contract)
    return [made(feeds_from_table(plan, table)), made(plan.from_values(rows))]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A decoded row holds microseconds for a moment."""
    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist())
    return list(column.to_pylist())


@settings(max_examples=100)
@given(cases(), st.booleans())
def test_frames_are_those_of_registration(case: tuple[Contract, pa.Table], by_type: bool) -> None:
    contract, table = case
    options = {"input": "frame"} | ({"categories": "dtype"} if by_type else {})
    expected = native.rows(table, contract, contract.names, options)
    for found in shaped(contract, table, columns(contract, contract.names, "float64"), options):
        pd.testing.assert_frame_equal(found, expected)


@given(cases(NUMBERS))
def test_matrices_are_those_of_registration(case: tuple[Contract, pa.Table]) -> None:
    contract, table = case
    expected = native.rows(table, contract, contract.names, {"input": "matrix"})
    for inputs in (columns(contract, contract.names, "float64"), matrix(contract, contract.names, "float64")):
        for found in shaped(contract, table, inputs, {"input": "matrix"}):
            np.testing.assert_array_equal(found, expected)


@given(cases((Kind.TEXT,)))
def test_series_are_those_of_registration(case: tuple[Contract, pa.Table]) -> None:
    contract, table = case
    expected = native.rows(table, contract, contract.names, {"input": "series"}).tolist()
    for found in shaped(contract, table, columns(contract, contract.names, "float64"), {"input": "series"}):
        assert found.tolist() == expected


@settings(max_examples=100)
@given(cases())
def test_tables_and_rows_hold_what_came_in(case: tuple[Contract, pa.Table]) -> None:
    contract, table = case
    inputs = columns(contract, contract.names, "float64")
    for found in shaped(contract, table, inputs, {"input": "table"}):
        assert found.equals(table)
    for found in shaped(contract, table, inputs, {"input": "rows"}):
        assert found == table.to_pylist()


@pytest.mark.parametrize("options", [{}, {"input": "hypercube"}])
def test_a_shape_nobody_knows_is_refused(options: dict[str, str]) -> None:
    contract = Contract((Field("a", Kind.NUMBER),))
    with pytest.raises(BadConfiguration, match="update Headgate"):
        shaped(contract, pa.table({"a": [1.0]}), columns(contract, ("a",), "float64"), options)
