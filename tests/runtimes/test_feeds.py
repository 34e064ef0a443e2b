"""Rows become arrays: values, order, nulls, and what cannot be fed is refused when the plan is made."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import BadConfiguration, ContractViolation
from headgate.registry.package import ModelInput, Signature
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.feeds_table import feeds_from_table

CONTRACT = Contract(
    (
        Field("age", Kind.NUMBER, nullable=True),
        Field("visits", Kind.INTEGER),
        Field("member", Kind.BOOLEAN),
        Field("seen", Kind.TIMESTAMP),
        Field("city", Kind.CATEGORY, nullable=True, domain=("Bern", "Rome")),
        Field("note", Kind.TEXT),
        Field("grid", Kind.TENSOR, shape=(2, 2)),
    )
)
ROWS = [
    (40.5, 3, True, 1_000_000, "Bern", "hello", [[1.0, 2.0], [3.0, 4.0]]),
    (None, 4, False, 2_000_000, None, "", [[5.0, 6.0], [7.0, 8.0]]),
]


def signature(*inputs: ModelInput) -> Signature:
    return Signature(list(inputs), [])


def table(rows: list[tuple[Any, ...]]) -> Any:
    names = CONTRACT.names
    columns = dict(zip(names, (list(each) for each in zip(*rows, strict=True)), strict=True))
    columns["seen"] = pa.array(columns["seen"], pa.timestamp("us", tz="UTC"))
    columns["city"] = pa.array(columns["city"]).dictionary_encode()
    return pa.table({"ignored": range(len(rows)), **columns})


SIGNATURES = {
    "matrix": signature(ModelInput("x", "float32", ["age", "visits", "member"], [3])),
    "out of order": signature(ModelInput("x", "float64", ["seen", "age"], [2])),
    "column": signature(ModelInput("x", "float32", ["visits"], [1])),
    "integers": signature(ModelInput("x", "int64", ["visits", "seen"], [2])),
    "booleans": signature(ModelInput("x", "bool", ["member"], [1])),
    "strings": signature(ModelInput("x", "string", ["city", "note"], [2])),
    "tensor": signature(ModelInput("x", "float32", ["grid"], [2, 2])),
    "several": signature(ModelInput("n", "float64", ["age", "visits"], [2]), ModelInput("c", "string", ["city"], [1])),
}


def test_each_input_holds_its_fields_in_the_order_of_the_signature() -> None:
    feeds = {name: compile_feeds(CONTRACT, each).from_values(ROWS[:1]) for name, each in SIGNATURES.items()}
    assert feeds["matrix"]["x"].tolist() == [[40.5, 3.0, 1.0]]
    assert feeds["out of order"]["x"].tolist() == [[1_000_000.0, 40.5]]
    assert feeds["column"]["x"].shape == (1, 1)
    assert feeds["integers"]["x"].dtype == np.int64
    assert feeds["booleans"]["x"].tolist() == [[True]]
    assert feeds["strings"]["x"].tolist() == [["Bern", "hello"]]
    assert feeds["tensor"]["x"].shape == (1, 2, 2)
    assert feeds["several"]["c"].tolist() == [["Bern"]]


@pytest.mark.parametrize("name", SIGNATURES)
def test_tables_and_rows_give_a_model_the_same_arrays(name: str) -> None:
    plan = compile_feeds(CONTRACT, SIGNATURES[name])
    by_rows, by_table = plan.from_values(ROWS), feeds_from_table(plan, table(ROWS))
    assert by_rows.keys() == by_table.keys()
    for key, array in by_rows.items():
        assert array.dtype == by_table[key].dtype
        assert array.shape == by_table[key].shape
        np.testing.assert_array_equal(array, by_table[key])


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1_000_000_000], pa.timestamp("ns", tz="UTC")),
        pa.array([1_000_000_001], pa.timestamp("ns")),
        pa.array([1], pa.timestamp("s", tz="Europe/Zurich")),
    ],
)
def test_moments_are_microseconds_whatever_unit_the_table_keeps_them_in(column: Any) -> None:
    contract = Contract((Field("at", Kind.TIMESTAMP),))
    plan = compile_feeds(contract, signature(ModelInput("x", "int64", ["at"], [1])))
    assert feeds_from_table(plan, pa.table({"at": column}))["x"].tolist() == [[1_000_000]]


def test_categories_that_look_like_numbers_are_text() -> None:
    plan = compile_feeds(Contract((Field("zip", Kind.CATEGORY),)), signature(ModelInput("x", "string", ["zip"], [1])))
    assert feeds_from_table(plan, pa.table({"zip": [8001, 8002]}))["x"].tolist() == [["8001"], ["8002"]]


def test_null_is_nan_in_a_number_whichever_road_the_batch_takes() -> None:
    found = compile_feeds(CONTRACT, SIGNATURES["matrix"]).from_values(ROWS)["x"]
    assert math.isnan(found[1, 0])
    assert found[0].tolist() == [40.5, 3.0, 1.0]


@pytest.mark.parametrize(("options", "null"), [({}, ""), ({"null_text": "nan"}, "nan"), ({"input": "frame"}, None)])
def test_null_text_is_what_the_package_says(options: dict[str, str], null: str | None) -> None:
    plan = compile_feeds(CONTRACT, SIGNATURES["strings"], options)
    assert plan.from_values(ROWS)["x"].tolist() == [["Bern", "hello"], [null, ""]]
    assert feeds_from_table(plan, table(ROWS))["x"].tolist() == [["Bern", "hello"], [null, ""]]


def test_a_number_too_large_for_float32_becomes_infinity_without_a_warning() -> None:
    plan = compile_feeds(Contract((Field("a", Kind.NUMBER),)), signature(ModelInput("x", "float32", ["a"], [1])))
    assert plan.from_values([(1e300,), (1.0,)])["x"].tolist() == [[math.inf], [1.0]]
    assert feeds_from_table(plan, pa.table({"a": [1e300, 1.0]}))["x"].tolist() == [[math.inf], [1.0]]


@given(st.lists(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False, width=32) | st.none()] * 3), min_size=1))
def test_packing_and_converting_agree_to_the_bit(rows: list[tuple[float | None, ...]]) -> None:
    contract = Contract(tuple(Field(name, Kind.NUMBER, nullable=True) for name in "abc"))
    for dtype in ("float32", "float64"):
        found = compile_feeds(contract, signature(ModelInput("x", dtype, ["a", "b", "c"], [3]))).from_values(rows)["x"]
        np.testing.assert_array_equal(found, np.array(rows, np.dtype(dtype)))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (ModelInput("x", "float16", ["age"], [1]), "dtype"),
        (ModelInput("x", "float32", [], [0]), "at least one field"),
        (ModelInput("x", "float32", ["height"], [1]), "'height'"),
        (ModelInput("x", "float32", ["city"], [1]), "'city'"),
        (ModelInput("x", "string", ["age"], [1]), "'age'"),
        (ModelInput("x", "int64", ["age"], [1]), "nullable"),
        (ModelInput("x", "float32", ["grid", "age"], [2]), "input of its own"),
    ],
)
def test_a_signature_the_contract_cannot_fill_is_refused_by_name(wanted: ModelInput, says: str) -> None:
    with pytest.raises(BadConfiguration, match=says) as caught:
        compile_feeds(CONTRACT, signature(wanted))
    assert caught.value.where == "signature.inputs.x"


def test_tensors_of_different_shapes_cannot_share_a_batch() -> None:
    contract = Contract((Field("grid", Kind.TENSOR, shape=(None,)),))
    plan = compile_feeds(contract, signature(ModelInput("x", "float32", ["grid"], [None])))
    assert plan.ragged
    assert plan.from_values([([1.0, 2.0],)])["x"].shape == (1, 2)
    with pytest.raises(ContractViolation, match="send them apart"):
        plan.from_values([([1.0],), ([1.0, 2.0],)])


@pytest.mark.parametrize(
    ("columns", "field", "rule"),
    [
        ({"b": ["x"]}, "a", "missing"),
        ({"a": ["x"], "b": ["x"]}, "a", "type"),
        ({"a": [None], "b": ["x"]}, "a", "null"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_column(columns: dict[str, Any], field: str, rule: str) -> None:
    contract = Contract((Field("a", Kind.INTEGER), Field("b", Kind.CATEGORY)))
    plan = compile_feeds(
        contract, signature(ModelInput("x", "int64", ["a"], [1]), ModelInput("y", "string", ["b"], [1]))
    )
    with pytest.raises(ContractViolation) as caught:
        feeds_from_table(plan, pa.table(columns))
    assert (caught.value.field, caught.value.rule) == (field, rule)


def one(kind: Kind, dtype: str, column: Any, shape: tuple[int, ...] | None = None) -> Any:
    """What a model with one input of that dtype reads of that column."""
    field = Field("x", kind, nullable=dtype.startswith("float") and kind is not Kind.TENSOR, shape=shape)
    plan = compile_feeds(Contract((field,)), signature(ModelInput("x", dtype, ["x"], [1])))
    return feeds_from_table(plan, pa.table({"x": column}))["x"]


STORED = [
    (Kind.NUMBER, "float32", pa.array([1, 2], pa.int16()), [[1.0], [2.0]]),
    (Kind.NUMBER, "float64", pa.array([1.5, None], pa.float32()), [[1.5], [math.nan]]),
    (Kind.NUMBER, "float64", pa.array([None, None]), [[math.nan], [math.nan]]),
    (Kind.NUMBER, "float64", pa.array([Decimal("1.25"), None]), [[1.25], [math.nan]]),
    (Kind.INTEGER, "int64", pa.array([Decimal("7")]), [[7]]),
    (Kind.INTEGER, "int64", pa.array([1.0, 2.0]), [[1], [2]]),
    (Kind.INTEGER, "int64", pa.array([2**62], pa.uint64()), [[2**62]]),
    (Kind.BOOLEAN, "bool", pa.array([True, False]), [[True], [False]]),
    (Kind.BOOLEAN, "bool", pa.array([1, 0]), [[True], [False]]),
    (Kind.BOOLEAN, "float32", pa.array([True, None]), [[1.0], [math.nan]]),
    (Kind.TIMESTAMP, "int64", pa.array([1], pa.date32()), [[86_400_000_000]]),
    (Kind.TIMESTAMP, "float64", pa.array([None, 1], pa.timestamp("s")), [[math.nan], [1e6]]),
    (Kind.CATEGORY, "string", pa.array(["a", None]).dictionary_encode(), [["a"], [""]]),
    (Kind.TEXT, "string", pa.array(["a"], pa.large_string()), [["a"]]),
    (Kind.IMAGE, "string", pa.array([b"a", b""]), [[b"a"], [b""]]),
    (Kind.IMAGE, "string", pa.array([b"a"], pa.large_binary()), [[b"a"]]),
]


@pytest.mark.parametrize(("kind", "dtype", "column", "expected"), STORED)
def test_a_columns_type_is_a_matter_of_storage(kind: Kind, dtype: str, column: Any, expected: Any) -> None:
    found = one(kind, dtype, column)
    assert found.dtype == np.dtype(object if dtype == "string" else dtype)
    if dtype == "string":
        assert found.tolist() == expected
    else:
        np.testing.assert_array_equal(found, np.array(expected))


@pytest.mark.parametrize(
    ("kind", "dtype", "column"),
    [
        (Kind.BOOLEAN, "bool", pa.array(["no", "yes"])),
        (Kind.BOOLEAN, "float32", pa.array(["true"])),
        (Kind.NUMBER, "float32", pa.array(["1.5"])),
        (Kind.NUMBER, "float64", pa.array([[1.5]])),
        (Kind.INTEGER, "int64", pa.array(["1"])),
        (Kind.INTEGER, "int64", pa.array([1.5])),
        (Kind.INTEGER, "int64", pa.array([2**63], pa.uint64())),
        (Kind.INTEGER, "int64", pa.array(["1"]).dictionary_encode()),
    ],
)
def test_a_value_is_never_bent_into_another(kind: Kind, dtype: str, column: Any) -> None:
    """A holdout of texts would otherwise be evaluated as if every answer were yes."""
    with pytest.raises(ContractViolation, match="does not fit a field of kind") as caught:
        one(kind, dtype, column)
    assert (caught.value.field, caught.value.rule) == ("x", "type")


PAIRS = pa.ExtensionArray.from_storage(
    pa.fixed_shape_tensor(pa.float64(), [2]), pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2))
)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (PAIRS, [[1.0, 2.0], [3.0, 4.0]]),
        (PAIRS.slice(1), [[3.0, 4.0]]),
        (pa.chunked_array([PAIRS, PAIRS.slice(0, 1)]), [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]),
        (pa.array([[1.0, 2.0]], pa.list_(pa.float32())), [[1.0, 2.0]]),
        (pa.array([[1, 2]], pa.list_(pa.int64(), 2)), [[1.0, 2.0]]),
    ],
)
def test_tensors_come_in_every_arrow_spelling(column: Any, expected: Any) -> None:
    found = one(Kind.TENSOR, "float32", column, (2,))
    assert (found.dtype, found.tolist()) == (np.float32, expected)


@pytest.mark.parametrize("column", [pa.array([[1.0, 2.0], [1.0]]), pa.array([[1.0, 2.0], None])])
def test_tensors_that_cannot_share_a_batch_are_refused_by_shape(column: Any) -> None:
    with pytest.raises(ContractViolation, match="send them apart") as caught:
        one(Kind.TENSOR, "float32", column, (2,))
    assert (caught.value.field, caught.value.rule) == ("x", "shape")


def test_a_row_may_be_fed_without_the_fields_nobody_reads() -> None:
    plan = compile_feeds(CONTRACT, signature(ModelInput("x", "float32", ["visits"], [1])))
    assert plan.from_values(ROWS)["x"].tolist() == [[3.0], [4.0]]
    assert feeds_from_table(plan, table(ROWS).select(["visits"]))["x"].tolist() == [[3.0], [4.0]]
    with pytest.raises(ContractViolation, match="no such column"):
        feeds_from_table(plan, table(ROWS).select(["age"]))


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        ((None,), [], (0,)),
        ((None, 2), [], (0, 2)),
        ((None, None), [], (0, 0)),
        ((None, 2, None), [], (0, 2, 0)),
        ((None, None, 3), [[]], (1, 0, 3)),
        ((None, 2), [[1, 2]], (1, 2)),
    ],
)
def test_an_empty_tensor_has_the_rank_its_model_reads(shape: Any, value: Any, expected: tuple[int, ...]) -> None:
    """A model answers it, or says itself why not; of another rank it would be refused as a fault of ours."""
    contract = Contract((Field("x", Kind.TENSOR, shape=shape),))
    plan = compile_feeds(contract, signature(ModelInput("x", "float32", ["x"], list(shape))))
    nested = pa.float64()
    for _ in shape:
        nested = pa.list_(nested)
    for rows in (1, 3):
        assert plan.from_values([(value,)] * rows)["x"].shape == (rows, *expected)
        column = pa.array([value] * rows, nested)
        assert feeds_from_table(plan, pa.table({"x": column}))["x"].shape == (rows, *expected)
