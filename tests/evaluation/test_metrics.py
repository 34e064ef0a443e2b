"""Values against scikit-learn, undefined cases, and what a metric must not depend on."""

from typing import Any, cast

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference

from headgate.errors import BadInput
from headgate.evaluation.metrics import METRICS, for_task, measure, metric, names_for
from headgate.vocabulary import Task

EXACT = 1e-9
BOTH = (0, 1)


def binary(rows: int, seed: int, decimals: int = 2) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Labels, predictions and scores of a fair model; rounded, so that scores tie."""
    draw = np.random.default_rng(seed)
    positive = np.round(draw.beta(2, 3, rows), decimals)
    truth = (draw.random(rows) < positive).astype(int)
    truth[:2] = (0, 1)
    return truth, (positive > 0.5).astype(int), np.column_stack((1 - positive, positive))


@pytest.mark.parametrize("rows", [7, 50, 2000])
def test_binary_values_are_scikit_learns(rows: int) -> None:
    truth, said, scores = binary(rows, seed=rows)
    found = measure(Task.BINARY, truth, said, scores, BOTH)
    expected = {
        "accuracy": reference.accuracy_score(truth, said),
        "precision": reference.precision_score(truth, said),
        "recall": reference.recall_score(truth, said),
        "f1": reference.f1_score(truth, said),
        "auc": reference.roc_auc_score(truth, scores[:, 1]),
        "average_precision": reference.average_precision_score(truth, scores[:, 1]),
        "log_loss": reference.log_loss(truth, scores),
        "brier": reference.brier_score_loss(truth, scores[:, 1]),
    }
    assert set(found) == {*expected, "calibration_error"}
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=EXACT), name
        low, high = found[name].low, found[name].high
        assert low is not None
        assert high is not None
        assert low <= value <= high


def test_multiclass_values_are_scikit_learns() -> None:
    draw = np.random.default_rng(3)
    names = ("early", "late", "on time", "lost")
    scores = draw.dirichlet([2, 1, 3, 1], 900)
    codes = np.array([draw.choice(4, p=each) for each in scores])
    said = scores.argmax(axis=1)
    truth = np.array(names)[codes]
    found = measure(Task.MULTICLASS, truth, np.array(names)[said], scores, names)
    onehot = np.eye(4)[codes]
    expected = {
        "accuracy": reference.accuracy_score(codes, said),
        "precision": reference.precision_score(codes, said, average="macro"),
        "recall": reference.recall_score(codes, said, average="macro"),
        "f1": reference.f1_score(codes, said, average="macro"),
        "auc": reference.roc_auc_score(codes, scores, multi_class="ovr", average="macro"),
        "average_precision": reference.average_precision_score(onehot, scores, average="macro"),
        "log_loss": reference.log_loss(codes, scores),
        "brier": float(((scores - onehot) ** 2).sum(axis=1).mean()),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=EXACT), name


def test_a_class_never_predicted_counts_zero_in_macro_precision() -> None:
    truth, said = ["a", "b", "c", "a"], ["a", "b", "b", "a"]
    found = measure(Task.MULTICLASS, truth, said, None, ("a", "b", "c", "never seen"))
    assert found["precision"].value == pytest.approx((1 + 0.5 + 0) / 3)
    assert found["recall"].value == pytest.approx((1 + 1 + 0) / 3)


def test_regression_values_are_scikit_learns() -> None:
    draw = np.random.default_rng(4)
    truth = draw.normal(10, 5, 400)
    said = truth + draw.normal(1, 2, 400)
    found = measure(Task.REGRESSION, truth, said, None, metrics=["mae", "rmse", "r2", "pinball", "pinball@0.9"])
    assert found["mae"].value == pytest.approx(reference.mean_absolute_error(truth, said), abs=EXACT)
    assert found["rmse"].value == pytest.approx(reference.root_mean_squared_error(truth, said), abs=EXACT)
    assert found["r2"].value == pytest.approx(reference.r2_score(truth, said), abs=EXACT)
    assert found["pinball"].value == pytest.approx(reference.mean_pinball_loss(truth, said), abs=EXACT)
    expected = reference.mean_pinball_loss(truth, said, alpha=0.9)
    assert found["pinball@0.9"].value == pytest.approx(expected, abs=EXACT)


def test_calibration_error_is_the_mean_gap_of_ten_bins() -> None:
    # 0.05 (bin 0): frequency 1/2, stated 0.05; 0.95 (bin 9): frequency 1, stated 0.95
    found = measure(Task.BINARY, [0, 1, 1, 1], None, np.array([0.05, 0.05, 0.95, 0.95]), BOTH)
    assert found["calibration_error"].value == pytest.approx((0.45 + 0.05) / 2)


def test_a_probability_of_one_lies_in_the_last_bin() -> None:
    # together the gaps -1 and +0.05 partly cancel, in bins of their own they would add up
    found = measure(Task.BINARY, [0, 1], None, np.array([1.0, 0.95]), BOTH)
    assert found["calibration_error"].value == pytest.approx(0.95 / 2)
    perfect = measure(Task.BINARY, [0, 1, 1, 1], None, np.array([0.0, 1.0, 1.0, 1.0]), BOTH)
    assert perfect["calibration_error"].value == 0.0


def test_multiclass_calibration_speaks_of_the_top_class() -> None:
    scores = np.array([[0.6, 0.3, 0.1], [0.6, 0.2, 0.2]])
    found = measure(Task.MULTICLASS, [0, 2], None, scores, (0, 1, 2))
    assert found["calibration_error"].value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("labels", "said", "scores", "name", "reason"),
    [
        ([], [], None, "accuracy", "no labelled rows"),
        ([None, None], [0, 1], None, "accuracy", "no labelled rows"),
        ([0, 1], None, None, "accuracy", "no predictions"),
        ([0, 1], [0, 1], None, "log_loss", "no scores"),
        ([1, 1], [1, 1], [0.4, 0.6], "auc", "with and without"),
        ([0, 0], [0, 0], [0.4, 0.6], "average_precision", "positive class"),
        ([0, 0], [0, 1], None, "recall", "labelled positive"),
        ([0, 1], [0, 0], None, "precision", "predicted positive"),
        ([0, 0], [0, 0], None, "f1", "positive"),
        ([0, 1], [0, 1], [0.4, float("nan")], "auc", "1 rows have no finite scores"),
        ([0, 1], [0, 1], [[0.4, 3.0], [0.1, 0.9]], "log_loss", "outside 0..1"),
        ([0, 1], [0, 1], [[0.4, 0.4], [0.1, 0.9]], "brier", "sum to 1"),
    ],
)
def test_an_undefined_metric_says_why(labels: Any, said: Any, scores: Any, name: str, reason: str) -> None:
    found = measure(Task.BINARY, labels, said, scores, BOTH)[name]
    assert (found.value, found.low, found.high) == (None, None, None)
    assert reason in found.reason


def test_scores_that_are_no_probabilities_can_still_rank() -> None:
    found = measure(Task.BINARY, [0, 1, 1], None, [[0.0, -2.0], [0.0, 1.0], [0.0, 7.0]], BOTH)
    assert found["auc"].value == 1.0
    assert not found["log_loss"].known


def test_regression_without_spread_or_with_infinite_answers_says_why() -> None:
    assert "different labels" in measure(Task.REGRESSION, [2.0, 2.0], [1.0, 3.0], None)["r2"].reason
    assert "no finite prediction" in measure(Task.REGRESSION, [2.0, 3.0], [1.0, float("inf")], None)["mae"].reason
    assert "too large" in measure(Task.REGRESSION, [2.0, 3.0], [1.0, 1e200], None)["rmse"].reason


def test_one_row_has_a_value_and_no_interval() -> None:
    found = measure(Task.REGRESSION, [2.0], [3.0], None)["mae"]
    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert "two rows" in found.reason


def test_certain_and_wrong_costs_a_finite_log_loss() -> None:
    truth, scores = [0, 1], np.array([[0.0, 1.0], [0.0, 1.0]])
    found = measure(Task.BINARY, truth, None, scores, BOTH)["log_loss"]
    assert found.value == pytest.approx(reference.log_loss(truth, scores), abs=EXACT)


@pytest.mark.parametrize("classes", [("no", "yes"), (False, True), (3, 7), (7, "x")])
def test_every_kind_of_class_gives_the_same_figures(classes: tuple[Any, Any]) -> None:
    truth, said, scores = binary(60, seed=1)
    plain = measure(Task.BINARY, truth, said, scores, BOTH)
    named = measure(Task.BINARY, [classes[each] for each in truth], [classes[each] for each in said], scores, classes)
    assert named == plain


@pytest.mark.parametrize("make", [tuple, pd.Series, pl.Series, pa.array, lambda each: pa.chunked_array([each])])
def test_columns_of_every_maker_give_the_same_figures(make: Any) -> None:
    labels, said = ["no", None, "yes", "yes"], ["no", "no", "yes", "no"]
    plain = measure(Task.BINARY, labels, said, None, ("no", "yes"))
    assert plain["accuracy"].rows == 3
    assert measure(Task.BINARY, make(labels), make(said), None, ("no", "yes")) == plain
    truth, answers = [1.0, None, 3.0], [1.5, 2.0, 2.0]
    numbers = measure(Task.REGRESSION, truth, answers, None)
    assert numbers["mae"].rows == 2
    assert measure(Task.REGRESSION, make(truth), make(answers), None) == numbers


def test_pandas_nullable_columns_have_missing_labels() -> None:
    found = measure(Task.BINARY, cast(Any, pd.array([0, None, 1], dtype="Int64")), [0, 0, 1], None, BOTH)
    assert (found["accuracy"].value, found["accuracy"].rows) == (1.0, 2)
    numbers = measure(Task.REGRESSION, cast(Any, pd.array([0.0, None, 1.0], dtype="Float64")), [0.0, 0.0, 1.0], None)
    assert numbers["mae"].rows == 2


def test_a_prediction_that_is_no_class_counts_as_wrong() -> None:
    assert measure(Task.BINARY, ["no", "yes"], ["no", "maybe"], None, ("no", "yes"))["accuracy"].value == 0.5


def test_rows_without_a_label_are_left_out() -> None:
    found = measure(Task.BINARY, [0.0, float("nan"), 1.0], [0, 0, 1], None, BOTH)
    assert (found["accuracy"].value, found["accuracy"].rows) == (1.0, 2)


@pytest.mark.parametrize(
    ("arguments", "field", "rule"),
    [
        ((["no", "perhaps"], ["no", "no"], None, ("no", "yes")), "labels[1]", "domain"),
        (([0, 1], [0], None, BOTH), "predictions", "shape"),
        (([0, 1], [0, 1], [[0.1, 0.2, 0.7]] * 2, BOTH), "scores", "shape"),
        (([0, 1], [0, 1], [["a", "b"]] * 2, BOTH), "scores", "type"),
        (([[1], [0]], [0, 1], None, BOTH), "labels[0]", "domain"),
    ],
)
def test_columns_that_do_not_fit_are_refused_by_name(arguments: Any, field: str, rule: str) -> None:
    with pytest.raises(BadInput) as caught:
        measure(Task.BINARY, *arguments)
    assert (caught.value.field, caught.value.rule) == (field, rule)
    assert "perhaps" not in str(caught.value)


def test_regression_refuses_text() -> None:
    for column in (["a", "b"], np.array(["a", None], dtype=object)):
        with pytest.raises(BadInput, match="needs numbers"):
            measure(Task.REGRESSION, column, [1.0, 2.0], None)


@pytest.mark.parametrize("name", ["roc", "pinball@", "pinball@1.5", "pinball@x", "auc@3"])
def test_an_unknown_metric_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        metric(name)


def test_a_metric_of_another_task_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="mae, rmse, r2, pinball"):
        for_task(Task.REGRESSION, ["auc"])


def test_tensors_have_no_metrics() -> None:
    assert names_for(Task.TENSOR) == ()
    assert measure(Task.TENSOR, [1, 2], None, None) == {}


def test_confidence_outside_0_and_1_is_refused() -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        measure(Task.BINARY, [0, 1], [0, 1], None, BOTH, confidence=1.0)


def test_more_confidence_is_a_wider_interval() -> None:
    truth, said, scores = binary(300, seed=8)
    usual = measure(Task.BINARY, truth, said, scores, BOTH)
    wider = measure(Task.BINARY, truth, said, scores, BOTH, confidence=0.99)
    for name, each in usual.items():
        other = wider[name]
        assert each.low is not None
        assert each.high is not None
        assert other.low is not None
        assert other.high is not None
        assert other.low <= each.low
        assert other.high >= each.high
        assert other.high - other.low > each.high - each.low, name


ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=4, max_size=60)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[bool, int]], shuffle: Any) -> None:
    other = list(rows)
    shuffle.shuffle(other)
    first, second = (
        measure(
            Task.BINARY,
            [truth for truth, _ in each],
            [score > 10 for _, score in each],
            np.array([score / 20 for _, score in each]),
            (False, True),
        )
        for each in (rows, other)
    )
    for name in METRICS.keys() & first.keys():
        for one, two in zip(
            (first[name].value, first[name].low, first[name].high),
            (second[name].value, second[name].low, second[name].high),
            strict=True,
        ):
            assert one == pytest.approx(two, abs=1e-6) if one is not None else two is None


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_ranks_alone_decide_auc_and_average_precision(rows: list[tuple[bool, int]]) -> None:
    truth = [label for label, _ in rows]
    plain = np.array([score / 20 for _, score in rows])
    names = ["auc", "average_precision"]
    first = measure(Task.BINARY, truth, None, plain, (False, True), metrics=names)
    second = measure(Task.BINARY, truth, None, plain**3 * 0.5 + 0.1, (False, True), metrics=names)
    assert first == second


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_every_figure_is_a_number_within_its_interval_or_a_reason(rows: list[tuple[bool, int]]) -> None:
    scores = np.array([score / 20 for _, score in rows])
    found = measure(Task.BINARY, [truth for truth, _ in rows], scores > 0.5, scores, (False, True))
    for name, each in found.items():
        assert (each.value is None) <= bool(each.reason)
        if each.value is None or each.low is None or each.high is None:
            continue
        assert np.isfinite([each.low, each.value, each.high]).all()
        assert each.low <= each.high
        if name != "calibration_error":  # biased upwards, so its interval may lie below it
            assert each.low - 1e-9 <= each.value <= each.high + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=40), st.floats(-100, 100))
def test_moving_labels_and_answers_together_changes_no_error(rows: list[tuple[float, float]], shift: float) -> None:
    truth, said = np.array([each for each, _ in rows]), np.array([each for _, each in rows])
    for name in ("mae", "rmse", "pinball"):
        first = measure(Task.REGRESSION, truth, said, None, metrics=[name])[name]
        second = measure(Task.REGRESSION, truth + shift, said + shift, None, metrics=[name])[name]
        assert first.value == pytest.approx(second.value, abs=1e-6)
