"""Tables as models read them: no value is bent on the way, and what a model cannot read is refused by its column."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadInput
from headgate.registry import native
from headgate.registry.package import ModelInput, Signature
from headgate.vocabulary import Task

UTC = datetime.UTC
MOMENT = datetime.datetime(2024, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, None], pa.int8()), [1.0, np.nan]),
        (pa.array([2**53, -(2**53)], pa.int64()), [2.0**53, -(2.0**53)]),
        (pa.array([1.5, None], pa.float32()), [1.5, np.nan]),
        (pa.array([True, None, False]), [1.0, np.nan, 0.0]),
        (pa.array([MOMENT, None]), [MOMENT.timestamp() * 1e6, np.nan]),
        (pa.array([MOMENT], pa.timestamp("ns", tz="Europe/Berlin")), [MOMENT.timestamp() * 1e6]),
        (pa.array([MOMENT], pa.timestamp("s", tz="UTC")), [MOMENT.timestamp() * 1e6]),
        (pa.array([1.5, 1.5]).dictionary_encode(), [1.5, 1.5]),
        (pa.chunked_array([[1], [], [2, 3]], pa.int64()), [1.0, 2.0, 3.0]),
        (pa.chunked_array([], pa.float64()), []),
        (pa.nulls(2), [np.nan, np.nan]),
    ],
)
def test_numbers_are_doubles_whatever_they_were_kept_as(values: Any, expected: list[float]) -> None:
    found = native.numbers(pa.table({"x": values}), "x")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "values",
    [["no"], [b"\xff"], [[1.0]], [{"a": 1}], pa.array([1], pa.duration("s")), pa.array(["a"]).dictionary_encode()],
)
def test_what_is_no_number_is_refused_by_its_column(values: Any) -> None:
    with pytest.raises(BadInput, match="must hold numbers") as refused:
        native.numbers(pa.table({"x": values}), "x")
    assert (refused.value.field, refused.value.rule) == ("x", "type")


def test_a_column_that_is_not_there_is_named() -> None:
    for read in (native.column, native.numbers):
        with pytest.raises(BadInput, match="no such column") as refused:
            read(pa.table({"x": [1]}), "y")
        assert (refused.value.field, refused.value.rule) == ("y", "missing")


@given(st.lists(st.none() | st.text(max_size=3), max_size=8), st.integers(0, 8), st.booleans())
def test_texts_are_the_same_however_they_are_kept(values: list[str | None], cut: int, encoded: bool) -> None:
    cut = min(cut, len(values))
    kept = pa.chunked_array([values[:cut], values[cut:]], pa.string())
    table = pa.table({"t": kept.dictionary_encode() if encoded else kept})
    assert native.texts(table, "t", "?").tolist() == ["?" if each is None else each for each in values]


CONTRACT = Contract(
    (
        Field("n", Kind.NUMBER),
        Field("i", Kind.INTEGER),
        Field("b", Kind.BOOLEAN),
        Field("e", Kind.CATEGORY, domain=("u", "v")),
        Field("t", Kind.TEXT),
    )
)
FIELDS = ("n", "i", "b", "e", "t")
WHOLE = pa.table({"n": [0.5, 2.0], "i": [2**60 + 1, 2], "b": [True, False], "e": ["u", "w"], "t": ["a", "b"]})


def test_a_frame_has_the_types_a_model_was_fitted_with() -> None:
    found = native.frame(WHOLE, CONTRACT, FIELDS)
    assert [str(each) for each in found.dtypes] == ["float64", "int64", "bool", "object", "object"]
    assert found.i.tolist() == [2**60 + 1, 2], "whole numbers do not pass through doubles"
    assert native.frame(WHOLE, CONTRACT, ("t", "n")).columns.tolist() == ["t", "n"]


def test_a_frame_with_holes_has_missing_values_and_no_other() -> None:
    holes = pa.table({name: [WHOLE[name][0].as_py(), None] for name in FIELDS})
    found = native.frame(holes, CONTRACT, FIELDS)
    assert found.iloc[1].isna().all()
    assert found.iloc[0].notna().all()
    assert found.i.dtype == np.float64
    assert found.b.dtype == np.float64


def test_categories_are_those_of_the_contract_and_others_are_missing() -> None:
    found = native.frame(WHOLE, CONTRACT, FIELDS, categories=True)
    assert isinstance(found.e.dtype, pd.CategoricalDtype)
    assert found.e.cat.categories.tolist() == ["u", "v"]
    assert found.e.isna().tolist() == [False, True]
    assert found.t.dtype == object, "only categories are categories"


def test_rows_come_in_the_shape_the_package_says() -> None:
    table = WHOLE.select(["n", "b", "t"])
    matrix = native.rows(table, CONTRACT, ("n", "b"), {"input": "matrix"})
    assert matrix.tolist() == [[0.5, 1.0], [2.0, 0.0]]
    assert native.matrix(table, ()).shape == (2, 0)
    assert native.rows(table, CONTRACT, ("t",), {"input": "series"}).tolist() == ["a", "b"]
    assert str(native.rows(WHOLE, CONTRACT, ("e",), {"input": "frame"}).e.dtype) == "object"
    by_type = native.rows(WHOLE, CONTRACT, ("e",), {"input": "frame", "categories": "dtype"})
    assert str(by_type.e.dtype) == "category"


def test_feeds_are_what_the_signature_asks_for() -> None:
    table = pa.table({"a": [1.0, 1e39], "t": ["x", None], "u": ["y", "z"], "v": [[[1, 2]], [[3, 4]]]})
    signature = Signature(
        [
            ModelInput("numbers", "float32", ["a"], [1]),
            ModelInput("words", "string", ["t", "u"], [2]),
            ModelInput("image", "int64", ["v"], [1, 2]),
        ],
        [],
    )
    found = native.feeds(table, signature, "-")
    assert found["numbers"].dtype == np.float32
    np.testing.assert_array_equal(found["numbers"], [[1.0], [np.inf]])
    assert found["words"].tolist() == [["x", "y"], ["-", "z"]]
    assert found["image"].shape == (2, 1, 2)
    assert found["image"].dtype == np.int64


def said_by(classes: tuple[Any, ...], task: Task) -> Contract:
    return Contract((Field("a", Kind.NUMBER),), Output(task, classes=classes, probability=bool(classes)))


BINARY, THREE = said_by((0, 1), Task.BINARY), said_by(("a", "b", "c"), Task.MULTICLASS)


def test_one_score_is_the_positive_classs() -> None:
    for scores in ([0.25, 0.75], [[0.25], [0.75]], [[[0.25]], [[0.75]]]):
        found = native.predicted(None, np.array(scores, np.float32), BINARY)
        assert found.scores is not None
        assert found.scores.tolist() == [[0.75, 0.25], [0.25, 0.75]]
        assert found.prediction.tolist() == [0, 1]


def test_what_a_model_says_itself_is_not_derived_from_its_scores() -> None:
    found = native.predicted(np.array([[1], [1]]), [[0.9, 0.1], [0.2, 0.8]], BINARY)
    assert found.prediction.tolist() == [1, 1]
    assert native.predicted(["c", "a"], None, THREE).scores is None


@pytest.mark.parametrize("scores", [[[0.5, 0.5, 0.0]], [[0.1] * 4]])
def test_as_many_scores_as_classes(scores: list[list[float]]) -> None:
    contract = BINARY if len(scores[0]) == 3 else THREE
    with pytest.raises(BadInput, match=f"{len(scores[0])} scores for {len(contract.output.classes)} classes"):
        native.predicted(None, np.array(scores), contract)


def test_a_classifier_says_something() -> None:
    with pytest.raises(BadInput, match="neither predictions nor scores"):
        native.predicted(None, None, THREE)


def test_numbers_and_tensors_have_no_classes() -> None:
    found = native.predicted(np.array([[1], [2]], np.float32), None, said_by((), Task.REGRESSION))
    assert found.prediction.dtype == np.float64
    assert (found.prediction.tolist(), found.scores) == ([1.0, 2.0], None)
    assert native.predicted("anything", None, said_by((), Task.TENSOR)).prediction.size == 0


@pytest.mark.parametrize(
    ("classes", "dtype"), [((True, False), "bool"), ((3, 1), "int64"), (("b", "a"), "object"), ((1, "a"), "object")]
)
def test_classes_keep_their_types_and_order(classes: tuple[Any, ...], dtype: str) -> None:
    found = native.labels(classes)
    assert (str(found.dtype), tuple(found.tolist())) == (dtype, classes)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (KeyError(), "KeyError"),
        (OSError("  \n"), "OSError"),
        (ValueError("x" * 999), "x" * 200),
    ],
)
def test_an_errors_first_line_is_short_and_never_empty(error: Exception, line: str) -> None:
    assert native.first_line(error) == line
