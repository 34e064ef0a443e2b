"""A table parted into rows that keep the contract and rows that say why not."""

import decimal
from datetime import date, time

import numpy as np
import pyarrow as pa
import pytest

from headgate.contracts.check import check_table
from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.vocabulary import Task

CONTRACT = Contract(
    (
        Field("distance", Kind.NUMBER, minimum=0, maximum=5000, on_range=OnBreak.REJECT),
        Field("hour", Kind.INTEGER, maximum=23),
        Field("origin", Kind.CATEGORY, domain=("JFK", "LGA")),
        Field("remark", Kind.TEXT, nullable=True),
    ),
    Output(Task.BINARY, "late", (False, True)),
)


def test_rows_are_parted_with_position_field_rule_and_sentence() -> None:
    table = pa.table(
        {
            "id": [10, 11, 12, 13],
            "hour": [5.0, 5.5, None, 25.0],
            "distance": [200, 300, 9000, 400],
            "origin": pa.array(["JFK", "JFK", "JFK", "XXX"]).dictionary_encode(),
            "late": [True, False, None, True],
        }
    )
    checked = check_table(CONTRACT, table, carry=["id"])
    assert checked.good.to_pydict() == {
        "distance": [200.0, 400.0],
        "hour": [5, 25],
        "origin": ["JFK", "XXX"],
        "remark": [None, None],
        "id": [10, 13],
        "late": [True, True],
    }
    assert checked.good.schema.types[:4] == [pa.float64(), pa.int64(), pa.string(), pa.string()]
    assert checked.flags == {"range:hour": 1, "domain:origin": 1}
    assert checked.quarantine.to_pydict() == {
        "id": [11, 12],
        "hour": [5.5, None],
        "distance": [300, 9000],
        "origin": ["JFK", "JFK"],
        "late": [False, None],
        "_row": [1, 2],
        "_field": ["hour", "distance"],
        "_rule": ["type", "range"],
        "_message": [
            "expected a whole number within 64 bits, got a number",
            "must be at least 0 and at most 5000",
        ],
    }


def test_a_column_nobody_named_is_unknown_in_every_row_that_broke_nothing_else() -> None:
    table = pa.table({"x": [1.0, None], "y": [1, 2]})
    checked = check_table(Contract((Field("x", Kind.NUMBER),)), table)
    assert checked.quarantine.select(["_field", "_rule"]).to_pylist() == [
        {"_field": "y", "_rule": "unknown"},
        {"_field": "x", "_rule": "null"},
    ]


def test_an_absent_column_is_missing_in_every_row_unless_it_may_be_null() -> None:
    contract = Contract((Field("x", Kind.NUMBER), Field("y", Kind.TENSOR, shape=(2,), nullable=True)))
    table = pa.table({"z": [1]})
    assert check_table(contract, table, carry=["z"]).quarantine["_rule"].to_pylist() == ["missing"]
    good = check_table(Contract(contract.fields[1:]), table, carry=["z"]).good
    assert good.schema.field("y").type == pa.list_(pa.float64())
    assert good["y"].to_pylist() == [None]


def test_a_second_check_of_a_quarantine_replaces_its_verdicts() -> None:
    contract = Contract((Field("x", Kind.NUMBER),))
    first = check_table(contract, pa.table({"x": ["a", "b"]})).quarantine
    again = check_table(contract, first.slice(1), carry=["_row", "_field", "_rule", "_message"]).quarantine
    assert again.to_pylist() == [
        {"x": "b", "_row": 0, "_field": "x", "_rule": "type", "_message": "expected a number, got a string"}
    ]


def test_a_table_without_rows_is_fine() -> None:
    checked = check_table(CONTRACT, pa.table({"distance": pa.array([], pa.float64())}))
    assert (checked.good.num_rows, checked.quarantine.num_rows, checked.flags) == (0, 0, {})


def test_chunks_are_one_column() -> None:
    table = pa.table({"x": pa.chunked_array([[1.0], [2.0, float("nan")]])})
    checked = check_table(Contract((Field("x", Kind.NUMBER),)), table)
    assert checked.quarantine["_row"].to_pylist() == [2]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([decimal.Decimal("1.5"), None]),
        pa.array([True, False]),
        pa.array([2**63], pa.uint64()),
        pa.array(["a", None], pa.string_view()),
        pa.array(["a", None], pa.string_view()).dictionary_encode(),
        pa.array([b"a"], pa.binary_view()),
        pa.array([date(2020, 1, 1)]),
        pa.array([time(1)]),
        pa.array([[1]], pa.large_list(pa.int8())),
        pa.array([{"a": 1}]),
        pa.array([None, None]),
        pa.array([], pa.int8()),
    ],
    ids=lambda values: str(values.type),
)
@pytest.mark.parametrize("kind", Kind)
def test_any_column_can_be_held_against_any_field(kind: Kind, values: pa.Array) -> None:
    field = Field("x", kind, nullable=True, shape=(1,) if kind is Kind.TENSOR else None)
    checked = check_table(Contract((field,)), pa.table({"x": values}))
    assert checked.good.num_rows + checked.quarantine.num_rows == len(values)
    assert set(checked.quarantine["_rule"].to_pylist()) <= {"type"}


def test_slices_of_tensors_are_judged_by_their_own_rows() -> None:
    field = Field("x", Kind.TENSOR, nullable=True, shape=(2,))
    values = pa.array([[1, 2], [3, 4], None, [5, 6], [7]]).slice(1)
    checked = check_table(Contract((field,)), pa.table({"x": values}))
    assert checked.good["x"].to_pylist() == [[3.0, 4.0], None, [5.0, 6.0]]
    assert checked.quarantine.select(["_row", "_rule"]).to_pylist() == [{"_row": 3, "_rule": "shape"}]


@pytest.mark.parametrize(
    ("column", "rules"),
    [
        (pa.array([["a", "b"], ["c", "d"]]), ["type", "type"]),
        (pa.array([[1.0, 2.0], [3.0]]), ["shape"]),
        (pa.array([[1.0, float("inf")], [3.0, 4.0]]), ["finite"]),
        (pa.array([[1.0, None], [3.0, 4.0]]), ["type"]),
        (pa.array([[[1.0, 2.0]], [[3.0, 4.0]]]), ["type", "type"]),
        (pa.array([1.0, 2.0]), ["type", "type"]),
        (pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), []),
        (pa.FixedShapeTensorArray.from_numpy_ndarray(np.ones((2, 2))), []),
    ],
)
def test_tensors_in_a_table_are_held_to_their_shape(column: pa.Array, rules: list[str]) -> None:
    contract = Contract((Field("x", Kind.TENSOR, shape=(2,)),))
    checked = check_table(contract, pa.table({"x": column}))
    assert checked.quarantine["_rule"].to_pylist() == rules
    assert checked.good.num_rows == 2 - len(rules)


def test_an_extension_type_is_what_it_is_kept_as() -> None:
    named = pa.array([b"0123456789abcdef"] * 2, pa.binary(16)).cast(pa.uuid())
    checked = check_table(Contract((Field("x", Kind.IMAGE),)), pa.table({"x": named}))
    assert checked.good["x"].to_pylist() == [b"0123456789abcdef"] * 2
    whole = pa.ExtensionArray.from_storage(pa.opaque(pa.int64(), "t", "v"), pa.array([1, 2]))
    assert check_table(Contract((Field("x", Kind.INTEGER),)), pa.table({"x": whole})).good["x"].to_pylist() == [1, 2]


@pytest.mark.parametrize("shape", [(None,), (None, 2), (None, None)])
def test_tensors_that_are_all_empty_are_of_any_depth(shape: tuple[int | None, ...]) -> None:
    contract = Contract((Field("x", Kind.TENSOR, shape=shape),))
    for kind in (pa.list_(pa.float64()), pa.list_(pa.list_(pa.float64())), pa.list_(pa.list_(pa.list_(pa.float64())))):
        checked = check_table(contract, pa.table({"x": pa.array([[], []], kind)}))
        assert checked.good["x"].to_pylist() == [[], []]
