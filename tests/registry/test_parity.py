"""Two models are the same when nobody could tell, and the report says where they are not."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind
from headgate.registry.boundaries import beside_jumps
from headgate.registry.parity import Origin, answers_in, compare_outputs, table_of
from headgate.registry.ports import Predicted


def binary(positive: list[float]) -> Predicted:
    scores = np.array([[1 - each, each] for each in positive])
    return Predicted(scores.argmax(axis=1), scores)


def numbers(values: list[float]) -> Predicted:
    return Predicted(np.array(values), None)


def test_the_same_is_the_same() -> None:
    said = compare_outputs(binary([0.1, 0.9]), binary([0.1, 0.9 + 9e-6]), (0, 1))
    assert said.exact
    assert said.where == ()
    assert said.reason.startswith("the same on all 2 rows")


def test_a_difference_names_its_row_and_field() -> None:
    origins = [Origin(0), Origin(0, "age")]
    said = compare_outputs(binary([0.1, 0.9]), binary([0.1, 0.8]), (0, 1), origins=origins)
    assert not said.exact
    assert (said.where[0].row, said.where[0].field) == (0, "age")
    assert said.max_difference == pytest.approx(0.1)
    assert "age" in said.reason


def test_a_flip_at_a_tie_is_counted_apart() -> None:
    close = compare_outputs(binary([0.5 - 1e-6]), binary([0.5 + 1e-6]), (0, 1))
    assert (close.label_flips, close.ties, close.exact) == (0, 1, True)
    far = compare_outputs(binary([0.4]), binary([0.6]), (0, 1))
    assert (far.label_flips, far.ties, far.exact) == (1, 0, False)


def test_labels_alone_must_all_agree() -> None:
    ours, theirs = (Predicted(np.array(each, dtype=object), None) for each in (["x", "y"], ["x", "x"]))
    assert compare_outputs(ours, ours, ("x", "y")).exact
    assert compare_outputs(ours, theirs, ("x", "y")).label_flips == 1


def test_numbers_differ_relative_to_the_answer() -> None:
    assert compare_outputs(numbers([1e6, 2e6]), numbers([1e6 + 50, 2e6]), ()).exact
    assert not compare_outputs(numbers([1e6, 2e6]), numbers([1e6 + 500, 2e6]), ()).exact
    assert compare_outputs(numbers([0.0, 1e6]), numbers([1.0, 1e6]), ()).exact, "near zero the typical answer counts"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_never_the_same(bad: float) -> None:
    assert not compare_outputs(numbers([1.0, 2.0]), numbers([1.0, bad]), ()).exact
    assert compare_outputs(numbers([1.0, bad]), numbers([1.0, bad]), ()).exact


def test_other_shapes_are_not_the_same() -> None:
    assert not compare_outputs(binary([0.1, 0.2]), binary([0.1]), (0, 1)).exact
    assert not compare_outputs(binary([0.1]), Predicted(np.array([0]), None), (0, 1)).exact
    wide = Predicted(np.array([0]), np.array([[0.9, 0.05, 0.05]]))
    assert not compare_outputs(binary([0.1]), wide, (0, 1)).exact


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_model_is_itself_and_survives_being_kept(positive: list[float]) -> None:
    said = binary(positive)
    assert compare_outputs(said, answers_in(table_of(said)), (0, 1)).exact


CONTRACT = Contract((Field("x", Kind.NUMBER), Field("k", Kind.INTEGER), Field("t", Kind.TEXT)))
TABLE = pa.table({"x": [0.0, 10.0, 3.0, 8.0], "k": [1, 90, 3, 70], "t": ["a", "b", "c", "d"]})


class Steps:
    """Jumps at a threshold in `x` and at one in `k`."""

    def __init__(self, x: float, k: int) -> None:
        self.x, self.k = x, k

    def predict(self, table: pa.Table) -> Predicted:
        x, k = (np.asarray(table.column(each).to_numpy()) for each in ("x", "k"))
        return numbers(list(2.0 * (x <= self.x) + 1.0 * (k <= self.k)))


@given(st.floats(0.5, 9.5), st.integers(5, 60))
def test_rows_are_found_on_both_sides_of_every_jump(x: float, k: int) -> None:
    beside = beside_jumps(Steps(x, k), TABLE, CONTRACT)
    fields = [each.field for each in beside.origins]
    assert set(fields) == {"x", "k"}
    assert len(fields) == beside.table.num_rows
    values: dict[str, list[float]] = {"x": [], "k": []}
    for field, row in zip(fields, beside.table.to_pylist(), strict=True):
        assert field is not None
        values[field].append(row[field])
    below, above = (sorted(each for each in values["x"] if (each <= x) is side) for side in (True, False))
    assert below
    assert above
    assert np.float32(below[0]) == np.float32(below[-1])
    assert above[-1] - below[0] <= 1e-11 * abs(x) + 1e-12
    assert set(values["k"]) == {k, k + 1}


def test_a_smooth_model_has_no_jumps() -> None:
    class Smooth:
        def predict(self, table: pa.Table) -> Predicted:
            return numbers(list(np.tanh(table.column("x").to_numpy())))

    assert beside_jumps(Smooth(), TABLE, CONTRACT).table.num_rows == 0


ANSWERS = st.lists(st.tuples(st.floats(), st.integers(0, 2)), max_size=8)


@given(ANSWERS, st.booleans())
def test_a_model_is_the_same_as_itself_whatever_it_says(said: list[tuple[float, int]], scored: bool) -> None:
    labels = np.array([each for _, each in said], np.int64)
    scores = np.array([[each, 0.5, 1.0 - each] for each, _ in said]).reshape(-1, 3)
    one = Predicted(labels, scores if scored else None)
    found = compare_outputs(one, one, (0, 1, 2))
    assert (found.exact, found.max_difference, found.label_flips, found.where) == (True, 0.0, 0, ())
    number = numbers([each for each, _ in said])
    assert compare_outputs(number, number, ()).exact


@given(ANSWERS, ANSWERS)
def test_what_one_says_of_more_rows_or_in_another_form_is_not_the_same(
    ours: list[tuple[float, int]], theirs: list[tuple[float, int]]
) -> None:
    one, two = numbers([each for each, _ in ours]), numbers([each for each, _ in theirs])
    if len(ours) != len(theirs):
        assert not compare_outputs(one, two, ()).exact
    scored = Predicted(one.prediction, np.zeros((len(ours), 2)))
    assert not compare_outputs(one, scored, (0, 1)).exact
    assert not compare_outputs(scored, one, (0, 1)).exact
    if ours:
        wider = Predicted(one.prediction, np.zeros((len(ours), 3)))
        assert not compare_outputs(scored, wider, (0, 1)).exact


def test_the_worst_rows_are_named_flips_first() -> None:
    ours, theirs = binary([0.9] * 20), binary([0.9 - each / 100 for each in range(19)] + [0.4])
    found = compare_outputs(ours, theirs, (0, 1))
    assert [(each.row, each.flipped) for each in found.where[:3]] == [(19, True), (18, False), (17, False)]
    assert len(found.where) == 10


def test_rows_beside_jumps_differ_from_their_own_row_in_their_own_field_alone() -> None:
    table = pa.table(
        {"x": [1.0, 4.0, None, 2.0], "k": pa.array([1, None, 3, 9], pa.int16()), "t": ["a", None, "c", "d"]}
    )
    contract = Contract((Field("x", Kind.NUMBER, nullable=True), Field("k", Kind.INTEGER, nullable=True)))

    class Both:
        def predict(self, table: pa.Table) -> Predicted:
            x, k = (np.nan_to_num(np.array(table[each].to_pylist(), float)) for each in ("x", "k"))
            return numbers(list((x > 3) * 1.0 + (k > 5)))

    beside = beside_jumps(Both(), table, contract)
    again = beside_jumps(Both(), table, contract)
    assert beside.table.equals(again.table), "the same rows for the same data"
    assert {each.field for each in beside.origins} == {"x", "k"}
    own = table.to_pylist()
    for origin, row in zip(beside.origins, beside.table.to_pylist(), strict=True):
        assert origin.field is not None
        was = own[origin.row]
        assert {name: value for name, value in row.items() if name != origin.field} == {
            name: value for name, value in was.items() if name != origin.field
        }
        assert row[origin.field] is not None


@pytest.mark.parametrize("column", [[None] * 4, [1.0] * 4, [None, None, None, 2.0]])
def test_a_field_of_one_value_has_no_jumps_to_look_for(column: list[float | None]) -> None:
    table = pa.table({"x": pa.array(column, pa.float64())})
    found = beside_jumps(Steps(0.5, 0), table, Contract((Field("x", Kind.NUMBER, nullable=True),)))
    assert (found.table.num_rows, found.origins) == (0, ())
