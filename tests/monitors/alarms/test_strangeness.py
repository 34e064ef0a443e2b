"""How strange a row of a table is: missing and new come last, one broken field does not hide the others, no NaN."""

import math

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.monitors.alarms.strangeness import MISSING, Table

REFERENCE = pa.table(
    {
        "km": [1.0, 2.0, 3.0, 4.0, None],
        "kind": ["a", "a", "b", None, "a"],
        "late": [True, False, False, False, False],
        "same": [7, 7, 7, 7, 7],
    }
)
TABLE = Table.of(REFERENCE)


def one(**changed: object) -> pa.Table:
    """A row as ordinary as can be but for what is changed."""
    return pa.Table.from_pylist([{"km": 2.5, "kind": "a", "late": False, "same": 7, **changed}], REFERENCE.schema)


def test_scores_are_values_and_places() -> None:
    assert TABLE.members == ("km", "kind", "late", "same", "row")
    assert TABLE.scores(REFERENCE)[:, :4].tolist() == [
        [1.0, 0.0, 1.0, 7.0],
        [2.0, 0.0, 0.0, 7.0],
        [3.0, 1.0, 0.0, 7.0],
        [4.0, 3.0, 0.0, 7.0],
        [MISSING, 0.0, 0.0, 7.0],
    ]


def test_a_row_is_as_strange_as_its_fields_together_in_nats() -> None:
    scale = 1.5 / 1.349
    ordinary = -math.log(0.6) - math.log(0.8)
    assert TABLE.scores(one())[0, -1] == pytest.approx(ordinary)
    assert TABLE.scores(one(km=4.5))[0, -1] == pytest.approx(ordinary + math.log(1 + (2 / scale) ** 2))
    assert TABLE.scores(one(kind="c"))[0, -1] == pytest.approx(ordinary + math.log(0.6) + math.log(6))
    assert TABLE.scores(one(km=None))[0, -1] == pytest.approx(ordinary + math.log(5))


def test_a_new_category_comes_after_all_and_what_is_missing_last() -> None:
    found = [TABLE.scores(one(kind=each))[0, 1] for each in ("a", "b", "new", None)]
    assert found == [0.0, 1.0, 2.0, 3.0]


def test_a_huge_value_does_not_hide_the_others() -> None:
    assert TABLE.scores(one(km=1e6))[0, -1] - TABLE.scores(one())[0, -1] < 30
    for km in (math.inf, -math.inf, 1.7e308):
        assert np.isfinite(TABLE.scores(one(km=km))).all()


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), min_size=1, max_size=30))
def test_whatever_numbers_there_are_no_score_is_nan(values: list[float | None]) -> None:
    rows = pa.table({"x": pa.array(values, pa.float64())})
    assert np.isfinite(Table.of(rows).scores(rows)).all()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30))
def test_huge_integers_are_numbers_like_others(values: list[int]) -> None:
    rows = pa.table({"x": pa.array(values, pa.int64())})
    assert np.isfinite(Table.of(rows).scores(rows)).all()


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=30))
def test_whatever_names_there_are_each_has_its_place(values: list[str | None]) -> None:
    rows = pa.table({"x": pa.array(values, pa.string())})
    table = Table.of(rows)
    assert np.isfinite(table.scores(rows)).all()
    assert msgspec.json.decode(msgspec.json.encode(table), type=Table) == table


def test_tens_of_thousands_of_categories_are_no_trouble() -> None:
    rows = pa.table({"x": [f"c{each}" for each in range(30_000)]})
    assert TABLE.scores(one()).shape == (1, 5)
    assert sorted(Table.of(rows).scores(rows)[:, 0].tolist()) == list(range(30_000))


def test_columns_kept_as_dictionaries_are_the_same() -> None:
    kept = REFERENCE.set_column(1, "kind", REFERENCE["kind"].dictionary_encode())
    assert Table.of(kept) == TABLE
    assert (TABLE.scores(kept) == TABLE.scores(REFERENCE)).all()


def test_fields_all_missing_have_a_place_too() -> None:
    nothing = pa.table({"x": pa.array([None, None], pa.float64()), "y": pa.array([None, None], pa.string())})
    table = Table.of(nothing)
    assert table.scores(nothing).tolist() == [[MISSING, 1.0, 0.0]] * 2
    untyped = pa.table({"x": pa.nulls(1), "y": pa.nulls(1)})
    assert table.scores(untyped).tolist() == [[MISSING, 1.0, 0.0]]


def test_fields_that_are_neither_numbers_nor_names_are_left_out_by_name() -> None:
    rows = REFERENCE.append_column("list", pa.array([[1]] * 5)).append_column("nothing", pa.nulls(5))
    assert Table.of(rows).left_out == ("list", "nothing")
    with pytest.raises(BadInput, match="no field of numbers or names"):
        Table.of(pa.table({"list": [[1]]}))
    with pytest.raises(BadInput, match="no rows"):
        Table.of(REFERENCE.slice(0, 0))


def test_a_field_that_is_gone_or_of_another_type_is_named() -> None:
    with pytest.raises(BadInput, match="kind: is not among the fields"):
        TABLE.scores(REFERENCE.drop_columns(["kind"]))
    with pytest.raises(BadInput, match="km: was a number in the reference, and is none now"):
        TABLE.scores(REFERENCE.set_column(0, "km", pa.array(["1"] * 5)))
    with pytest.raises(BadInput, match="same: was a number"):
        TABLE.scores(REFERENCE.set_column(3, "same", pa.array([[1]] * 5)))
