"""How strange a row of a table is: missing and new come last, one broken field does not hide the others, no NaN."""

import math

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.evidence.mixture import Floats
from headgate.monitors.alarms.strangeness import MISSING, ROW, Table

REFERENCE = pa.table(
    {
        "km": [1.0, 2.0, 3.0, 4.0, None],
        "kind": ["a", "a", "b", None, "a"],
        "late": [True, False, False, False, False],
        "same": [7, 7, 7, 7, 7],
    }
)
TABLE = Table.of(REFERENCE)


def scores(rows: pa.Table) -> Floats:
    """Of rows in which all fields are as they should be."""
    found, faults = TABLE.scored(rows)
    assert faults == {}
    return found


def one(**changed: object) -> pa.Table:
    """A row as ordinary as can be but for what is changed."""
    return pa.Table.from_pylist([{"km": 2.5, "kind": "a", "late": False, "same": 7, **changed}], REFERENCE.schema)


def test_scores_are_values_and_places() -> None:
    assert TABLE.members == ("km", "kind", "late", "same", ROW)
    assert scores(REFERENCE)[:, :4].tolist() == [
        [1.0, 0.0, 1.0, 7.0],
        [2.0, 0.0, 0.0, 7.0],
        [3.0, 1.0, 0.0, 7.0],
        [4.0, 3.0, 0.0, 7.0],
        [MISSING, 0.0, 0.0, 7.0],
    ]


def test_a_row_is_as_strange_as_its_fields_together_in_nats() -> None:
    scale = 1.5 / 1.349
    ordinary = -math.log(0.6) - math.log(0.8)
    assert scores(one())[0, -1] == pytest.approx(ordinary)
    assert scores(one(km=4.5))[0, -1] == pytest.approx(ordinary + math.log(1 + (2 / scale) ** 2))
    assert scores(one(kind="c"))[0, -1] == pytest.approx(ordinary + math.log(0.6) + math.log(6))
    assert scores(one(km=None))[0, -1] == pytest.approx(ordinary + math.log(5))


def test_a_new_category_comes_after_all_and_what_is_missing_last() -> None:
    found = [scores(one(kind=each))[0, 1] for each in ("a", "b", "new", None)]
    assert found == [0.0, 1.0, 2.0, 3.0]


def test_a_huge_value_does_not_hide_the_others() -> None:
    assert scores(one(km=1e6))[0, -1] - scores(one())[0, -1] < 30
    for km in (math.inf, -math.inf, 1.7e308):
        assert np.isfinite(scores(one(km=km))).all()


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), min_size=1, max_size=30))
def test_whatever_numbers_there_are_no_score_is_nan(values: list[float | None]) -> None:
    rows = pa.table({"x": pa.array(values, pa.float64())})
    assert np.isfinite(Table.of(rows).scored(rows)[0]).all()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30))
def test_huge_integers_are_numbers_like_others(values: list[int]) -> None:
    rows = pa.table({"x": pa.array(values, pa.int64())})
    assert np.isfinite(Table.of(rows).scored(rows)[0]).all()


@settings(max_examples=50)
@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=30))
def test_whatever_names_there_are_each_has_its_place(values: list[str | None]) -> None:
    rows = pa.table({"x": pa.array(values, pa.string())})
    table = Table.of(rows)
    assert np.isfinite(table.scored(rows)[0]).all()
    assert msgspec.json.decode(msgspec.json.encode(table), type=Table) == table


def test_tens_of_thousands_of_categories_are_no_trouble() -> None:
    rows = pa.table({"x": [f"c{each}" for each in range(30_000)]})
    assert scores(one()).shape == (1, 5)
    assert sorted(Table.of(rows).scored(rows)[0][:, 0].tolist()) == list(range(30_000))


def test_columns_kept_as_dictionaries_are_the_same() -> None:
    kept = REFERENCE.set_column(1, "kind", REFERENCE["kind"].dictionary_encode())
    assert Table.of(kept) == TABLE
    assert (scores(kept) == scores(REFERENCE)).all()


def test_fields_all_missing_have_a_place_too() -> None:
    nothing = pa.table({"x": pa.array([None, None], pa.float64()), "y": pa.array([None, None], pa.string())})
    table = Table.of(nothing)
    assert table.scored(nothing)[0].tolist() == [[MISSING, 1.0, 0.0]] * 2
    untyped = pa.table({"x": pa.nulls(1), "y": pa.nulls(1)})
    assert table.scored(untyped)[0].tolist() == [[MISSING, 1.0, 0.0]]


def test_fields_that_cannot_be_scored_are_left_out_with_the_reason() -> None:
    rows = REFERENCE.append_column("list", pa.array([[1]] * 5)).append_column("nothing", pa.nulls(5))
    table = Table.of(rows.append_column(ROW, pa.array(range(5))))
    assert table.members == TABLE.members
    assert table.left_out == {
        "list": "its values are neither numbers nor names",
        "nothing": "the reference has no value of it",
        ROW: "is the name of the score that all fields have together",
    }
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert Table.of(twice).left_out == {"a": "the reference has several fields of that name"}


def test_a_table_without_any_field_to_score_has_no_score() -> None:
    table = Table.of(pa.table({"list": [[1]]}))
    assert table.members == ()
    assert table.scored(pa.table({"list": [[1], [2]]}))[0].shape == (2, 0)


@pytest.mark.parametrize(
    ("rows", "field", "reason"),
    [
        (REFERENCE.drop_columns(["kind"]), "kind", "is not among the fields that were handed over"),
        (REFERENCE.set_column(0, "km", pa.array(["1"] * 5)), "km", "was a number in the reference, and is none now"),
        (REFERENCE.set_column(3, "same", pa.array([[1]] * 5)), "same", "was a number in the reference"),
        (REFERENCE.set_column(1, "kind", pa.array([1] * 5)), "kind", "was a category in the reference"),
        (REFERENCE.append_column("km", pa.array([1] * 5)), "km", "is handed over several times"),
    ],
)
def test_a_field_at_fault_is_named_and_the_others_are_scored_all_the_same(
    rows: pa.Table, field: str, reason: str
) -> None:
    found, faults = TABLE.scored(rows)
    assert set(faults) == {field, ROW}
    assert reason in faults[field]
    assert faults[ROW] == f"cannot be scored without {field}"
    unknown = [place for place, each in enumerate(TABLE.members) if each in faults]
    assert np.isnan(found[:, unknown]).all()
    known = [place for place in range(len(TABLE.members)) if place not in unknown]
    assert (found[:, known] == scores(REFERENCE)[:, known]).all()
