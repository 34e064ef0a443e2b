"""What a reference suggests, and what it cannot."""

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output, Sensitivity
from headgate.contracts.infer import infer, sensitivity_of
from headgate.errors import BadInput
from headgate.vocabulary import Task


def only(values: Any, kind: Any = None) -> Field:
    return infer(pa.table({"it": pa.array(values, kind)})).fields[0]


CASES: dict[str, tuple[Any, Any, Field]] = {
    "number": ([80.0, 4983.0], None, Field("it", Kind.NUMBER, minimum=0.0, maximum=5480.0)),
    "number below zero": ([-5.0, 5.0], None, Field("it", Kind.NUMBER, minimum=-6.0, maximum=6.0)),
    "all negative": ([-100.0, -1.0], None, Field("it", Kind.NUMBER, minimum=-109.9, maximum=0.0)),
    "constant": ([7.0, 7.0], None, Field("it", Kind.NUMBER)),
    "no value but a type": ([None, None], pa.float64(), Field("it", Kind.NUMBER, True, expected_missing=1.0)),
    "integer": ([5, 23], None, Field("it", Kind.INTEGER, minimum=3, maximum=25)),
    "integer with gaps": ([5, None], pa.int16(), Field("it", Kind.INTEGER, True, expected_missing=0.5)),
    "whole floats": (
        [1.0, None, 3.0, 1.0],
        None,
        Field("it", Kind.NUMBER, True, None, 0.8, 3.2, expected_missing=0.25),
    ),
    "boolean": ([True, None], None, Field("it", Kind.BOOLEAN, True, expected_missing=0.5)),
    "category": (["b", "a", "b"], None, Field("it", Kind.CATEGORY, domain=("a", "b"))),
    "sentences": (["I liked it", "I did not"], None, Field("it", Kind.TEXT, max_bytes=1024)),
    "phrases that repeat": (["New York"] * 2, None, Field("it", Kind.CATEGORY, domain=("New York",))),
    "too long for a category": (["x" * 65] * 2, None, Field("it", Kind.TEXT, max_bytes=1024)),
    "identifiers": ([f"N{i}" for i in range(50)], None, Field("it", Kind.TEXT, max_bytes=1024)),
    "long text": (["x" * 600], None, Field("it", Kind.TEXT, max_bytes=4096)),
    "moment": ([datetime(2013, 1, 1)], None, Field("it", Kind.TIMESTAMP)),
    "date": ([date(2013, 1, 1)], None, Field("it", Kind.TIMESTAMP)),
    "vector": ([[1.0, 2.0], [3.0, 4.0]], None, Field("it", Kind.TENSOR, shape=(2,))),
    "fixed vector": ([[1, 2]], pa.list_(pa.int8(), 2), Field("it", Kind.TENSOR, shape=(2,))),
    "any length": ([[1.0], [3.0, 4.0]], None, Field("it", Kind.TENSOR, shape=(None,))),
    "matrix": ([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], None, Field("it", Kind.TENSOR, shape=(None, 2))),
    "each its own": ([[[1.0], [2.0]], [[3.0, 4.0], [5.0, 6.0]]], None, Field("it", Kind.TENSOR, shape=(2, None))),
    "image": ([b"\x89PNG"], None, Field("it", Kind.IMAGE, max_bytes=65536)),
    "large image": ([b"x" * 100_000], None, Field("it", Kind.IMAGE, max_bytes=524288)),
}


@pytest.mark.parametrize(("values", "kind", "expected"), CASES.values(), ids=CASES)
def test_a_column_suggests_a_field(values: Any, kind: Any, expected: Field) -> None:
    assert only(values, kind) == expected


def test_ranges_and_domains_only_flag() -> None:
    assert {only([1.0, 2.0]).on_range, only(["a", "a"]).on_domain} == {OnBreak.FLAG}


def test_a_categorical_column_declares_its_domain() -> None:
    frame = pd.DataFrame({"it": pd.Categorical(["b"], categories=["c", "b", "a"])})
    assert infer(frame).fields[0] == Field("it", Kind.CATEGORY, domain=("a", "b", "c"))


def test_pandas_integers_with_gaps_stay_numbers_so_that_its_own_rows_are_legal() -> None:
    assert infer(pd.DataFrame({"it": pd.Series([1, None, 3])})).fields[0].kind is Kind.NUMBER
    assert infer(pd.DataFrame({"it": pd.Series([1, None, 3], dtype="Int64")})).fields[0].kind is Kind.INTEGER


def test_polars_arrays_are_tensors() -> None:
    frame = pl.DataFrame({"it": np.zeros((3, 2, 4))})
    assert infer(frame).fields[0].shape == (2, 4)


def test_names_that_speak_of_a_person_make_a_field_personal() -> None:
    personal = ["email", "customer_email", "phoneNumber", "name", "lastName", "patient_name", "date_of_birth", "SSN"]
    public = ["distance", "product_name", "filename", "hostname", "carrier", "phonetics"]
    assert {sensitivity_of(each) for each in personal} == {Sensitivity.PERSONAL}
    assert {sensitivity_of(each) for each in public} == {Sensitivity.PUBLIC}
    assert infer(pa.table({"email": ["a@b.c"]})).fields[0].sensitivity is Sensitivity.PERSONAL


def test_a_personal_field_gets_no_domain_that_would_tell_on_people() -> None:
    frame = pd.DataFrame({"surname": ["Roe", "Doe"], "first_name": pd.Categorical(["A", "B"]), "street": ["x", None]})
    assert [(each.kind, each.domain) for each in infer(frame).fields] == [(Kind.TEXT, None)] * 3


LABELS: dict[str, tuple[Any, Task | None, Output]] = {
    "booleans": ([True, None], None, Output(Task.BINARY, "y", (False, True), True)),
    "0 and 1": ([1, 0, 1], None, Output(Task.BINARY, "y", (0, 1), True)),
    "0.0 and 1.0 with gaps": ([1.0, None, 0.0], None, Output(Task.BINARY, "y", (0, 1), True)),
    "two words": (["yes", "no", "yes"], None, Output(Task.BINARY, "y", ("no", "yes"), True)),
    "three words": (["c", "a", "b"], None, Output(Task.MULTICLASS, "y", ("a", "b", "c"), True)),
    "few integers": (list(range(10)), None, Output(Task.MULTICLASS, "y", tuple(range(10)), True)),
    "fifty integers": (list(range(50)), None, Output(Task.MULTICLASS, "y", tuple(range(50)), True)),
    "many integers": (list(range(51)), None, Output(Task.REGRESSION, "y")),
    "floats": ([0.5, 1.5], None, Output(Task.REGRESSION, "y")),
    "few integers, told": ([1, 2], Task.REGRESSION, Output(Task.REGRESSION, "y")),
    "many words, told": (
        [f"w{i:02}" for i in range(60)],
        Task.MULTICLASS,
        Output(Task.MULTICLASS, "y", tuple(f"w{i:02}" for i in range(60)), True),
    ),
    "told to be a tensor": ([1, 2], Task.TENSOR, Output(Task.TENSOR, "y")),
}


@pytest.mark.parametrize(("values", "task", "expected"), LABELS.values(), ids=LABELS)
def test_a_label_column_suggests_the_output(values: list[Any], task: Task | None, expected: Output) -> None:
    contract = infer(pa.table({"x": [float(i) for i in range(len(values))], "y": values}), label="y", task=task)
    assert contract.output == expected
    assert contract.names == ("x",)
    assert [type(each) for each in contract.output.classes] == [type(each) for each in expected.classes]


def test_without_a_label_the_answer_is_a_tensor() -> None:
    assert infer(pa.table({"x": [1.0]})).output == Output(Task.TENSOR)
    assert infer(pa.table({"x": [1.0]}), task=Task.REGRESSION).output == Output(Task.REGRESSION)


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "infinity": ({"x": [1.0, float("inf")]}, {}, "x", "finite"),
    "no value": ({"x": [None, None]}, {}, "x", "type"),
    "duration": ({"x": pa.array([1], pa.duration("s"))}, {}, "x", "type"),
    "record": ({"x": [{"a": 1}]}, {}, "x", "type"),
    "huge identifier": ({"x": pa.array([2**63], pa.uint64())}, {}, "x", "type"),
    "ragged rows": ({"x": [[[1.0], [1.0, 2.0]]]}, {}, "x", "shape"),
    "list with a gap": ({"x": [[1.0, None]]}, {}, "x", "shape"),
    "lists with a gap": ({"x": [[[1.0], None]]}, {}, "x", "shape"),
    "list of words": ({"x": [["a"]]}, {}, "x", "type"),
    "list with NaN": ({"x": [[1.0, float("nan")]]}, {}, "x", "finite"),
    "label not there": ({"x": [1.0]}, {"label": "y"}, "y", "missing"),
    "label alone": ({"y": [1.0, 2.0]}, {"label": "y"}, "reference", "empty"),
    "label without values": ({"x": [1.0], "y": pa.array([None], pa.int64())}, {"label": "y"}, "y", "empty"),
    "label of one class": ({"x": [1.0, 2.0], "y": ["a", "a"]}, {"label": "y"}, "y", "domain"),
    "label of lists": ({"x": [1.0], "y": [[1.0]]}, {"label": "y"}, "y", "type"),
    "three for binary": ({"x": [1.0] * 3, "y": [1, 2, 3]}, {"label": "y", "task": Task.BINARY}, "y", "domain"),
    "floats as classes": ({"x": [1.0] * 2, "y": [1.5, 2.5]}, {"label": "y", "task": Task.BINARY}, "y", "type"),
    "words to regress": ({"x": [1.0] * 2, "y": ["a", "b"]}, {"label": "y", "task": Task.REGRESSION}, "y", "type"),
    "too many words": ({"x": [1.0] * 51, "y": [f"w{i}" for i in range(51)]}, {"label": "y"}, "y", "type"),
    "classes without a label": ({"x": [1.0]}, {"task": Task.BINARY}, "label", "missing"),
}


@pytest.mark.parametrize(("columns", "how", "field", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_contract_is_refused_by_column(
    columns: dict[str, Any], how: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(BadInput) as refused:
        infer(pa.table(columns), **how)
    assert (refused.value.field, refused.value.rule) == (field, rule)


def test_the_result_is_a_contract() -> None:
    assert infer(pa.table({"x": [1.0, 1.0]})) == Contract((Field("x", Kind.NUMBER),))


@pytest.mark.parametrize(("largest", "is_bounded"), [(1e300, True), (1.01e300, False), (-1.7e308, False)])
def test_numbers_no_range_can_be_widened_beyond_get_none(largest: float, is_bounded: bool) -> None:
    (field,) = infer(pa.table({"x": [0.0, largest] * 30})).fields
    assert ((field.minimum, field.maximum) != (None, None)) == is_bounded


def test_infinite_values_are_refused_by_column() -> None:
    with pytest.raises(BadInput, match="infinite") as refused:
        infer(pa.table({"x": [0.0, float("inf"), 1.0]}))
    assert (refused.value.field, refused.value.rule) == ("x", "finite")
