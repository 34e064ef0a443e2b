"""Where formulas end: certain answers, classes nobody knows, a single row, numbers no double can hold."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headgate.evaluation.estimate import quantile_of, ratio, standard_error, wilson
from headgate.evaluation.metrics import measure, names_for
from headgate.evaluation.report import evaluate
from headgate.evaluation.rows import absent
from headgate.vocabulary import Task

Z = quantile_of(0.95)
CLASSES = ("a", "b", "c")


def said(truth: str, predicted: str, classes: tuple[str, ...] = CLASSES) -> dict[str, Any]:
    words = {"z": "zebra"}
    return dict(measure(Task.MULTICLASS, list(truth), [words.get(each, each) for each in predicted], None, classes))


@given(st.integers(1, 400), st.floats(0.1, 5))
def test_what_always_or_never_happened_has_an_exact_end(trials: int, z: float) -> None:
    never, always = wilson(0, trials, z), wilson(trials, trials, z)
    assert (never[0], always[1]) == (0.0, 1.0)
    assert 0.0 < never[1] < 1.0
    assert always[0] == pytest.approx(1.0 - never[1])


@given(st.integers(1, 400), st.data())
def test_a_proportion_lies_in_its_interval_and_turns_with_what_is_counted(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = wilson(successes, trials, Z)
    assert 0.0 <= low <= successes / trials <= high <= 1.0
    turned = wilson(trials - successes, trials, Z)
    assert [low, high] == pytest.approx([1.0 - turned[1], 1.0 - turned[0]])


def test_answers_that_are_no_class_are_wrong_and_no_class_of_their_own() -> None:
    found = said("aabbcc", "aabzcc")
    assert found["accuracy"].value == pytest.approx(5 / 6)
    assert found["recall"].value == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert found["precision"].value == pytest.approx(1.0)
    assert found["f1"].value == pytest.approx((1 + 2 / 3 + 1) / 3)


def test_a_class_that_is_not_there_does_not_count_and_one_wrongly_answered_does() -> None:
    assert said("aabb", "aabb")["f1"].value == 1.0
    assert said("aabb", "aabc")["f1"].value == pytest.approx((1 + 2 / 3 + 0) / 3)


@pytest.mark.parametrize("rare", [1, 3, 20])
def test_a_perfect_average_is_as_sure_as_its_rarest_class(rare: int) -> None:
    truth = "a" * 500 + "b" * 400 + "c" * rare
    for name in ("precision", "recall", "f1"):
        found = said(truth, truth)[name]
        assert (found.value, found.high) == (1.0, 1.0)
        assert found.low == pytest.approx(wilson(rare, rare, Z)[0])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcz")), min_size=1, max_size=25))
@example([("a", "a"), ("a", "a"), ("b", "b"), ("b", "b"), ("c", "c"), ("c", "a")])
def test_shares_and_their_intervals_stay_between_zero_and_one(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = ("".join(each) for each in zip(*pairs, strict=True))
    for name in ("accuracy", "precision", "recall", "f1"):
        found = said(truth, predicted)[name]
        assert 0.0 <= found.value <= 1.0
        if found.low is not None:
            assert 0.0 <= found.low <= found.value <= found.high <= 1.0


@pytest.mark.parametrize(("size", "value", "interval"), [(1e200, True, True), (1e308, False, False)])
def test_numbers_beyond_any_double_have_no_value_and_no_interval_is_made_up(
    size: float, value: bool, interval: bool
) -> None:
    truth = [size, -size, size / 2, 0.0]
    with np.errstate(all="raise"):
        found = measure(Task.REGRESSION, truth, [-each for each in truth], None, ())
    for name in names_for(Task.REGRESSION):
        each = found[name]
        for bound in (each.value, each.low, each.high):
            assert bound is None or math.isfinite(bound)
        if each.low is None:
            assert each.reason
    assert (found["mae"].value is not None) == value
    assert found["rmse"].value is None
    assert "too large" in found["rmse"].reason
    if not interval:
        assert found["mae"].low is None


def test_a_value_whose_interval_overflows_keeps_its_value() -> None:
    found = measure(Task.REGRESSION, [1e200, -1e200, 3e199], [0.0, 0.0, 0.0], None, ())["mae"]
    assert found.value == pytest.approx(2.3e200 / 3)
    assert (found.low, found.high) == (None, None)
    assert "too large for an interval" in found.reason


def test_one_row_has_a_value_and_no_interval() -> None:
    assert standard_error(np.array([0.0])) is None
    found = measure(Task.REGRESSION, [1.0], [3.0], None, ())["mae"]
    assert (found.value, found.low, found.high) == (2.0, None, None)
    assert "two rows" in found.reason


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.5, 5)), min_size=2, max_size=20), st.data())
def test_an_influence_is_what_a_little_more_of_a_row_does(
    pairs: list[tuple[float, float]], data: st.DataObject
) -> None:
    above, below = (np.array(each) for each in zip(*pairs, strict=True))
    value, influence = ratio(above, below)
    assert influence.sum() == pytest.approx(0.0, abs=1e-9)
    row, more = data.draw(st.integers(0, len(pairs) - 1)), 1e-6
    weights = np.ones(len(pairs))
    weights[row] += more
    moved = float((above * weights).sum() / (below * weights).sum())
    assert (moved - value) / more * len(pairs) == pytest.approx(influence[row], abs=1e-3)


def test_a_ratio_of_nothing_is_zero_and_nobody_moves_it() -> None:
    value, influence = ratio(np.zeros(3), np.zeros(3))
    assert (value, influence.tolist()) == (0.0, [0.0, 0.0, 0.0])


@pytest.mark.parametrize("missing", [None, float("nan"), np.float32("nan"), np.datetime64("NaT"), pd.NA, pd.NaT])
def test_whatever_stands_for_no_label_is_left_out_and_counted(missing: object) -> None:
    report = evaluate(Task.BINARY, [1, 0, missing, 1], [1, 0, 1, 0], None, (0, 1))
    assert (report.rows, report.unlabelled) == (3, 1)
    assert report.estimates["accuracy"].value == pytest.approx(2 / 3)


@pytest.mark.parametrize("value", [0, "", False, [], np.array([1, 2]), np.array([])])
def test_what_is_a_value_is_not_missing(value: object) -> None:
    assert not absent(value)


def test_one_row_has_no_interval_whatever_is_measured() -> None:
    found = measure(Task.BINARY, [1], [1], np.array([0.75]), (0, 1))
    assert found["calibration_error"].value == pytest.approx(0.25)
    for each in found.values():
        assert (each.low is None) == (each.high is None)
        assert each.value is None or each.low is None or each.low <= each.value <= each.high  # type: ignore[operator]


def test_a_slice_value_that_only_unlabelled_rows_have_is_not_shown() -> None:
    report = evaluate(
        Task.BINARY, [1, 0, None], [1, 0, 1], None, (0, 1), slices={"e": np.array(["u", "u", "v"], object)}
    )
    assert [each.value for each in report.slices] == ["u"]
