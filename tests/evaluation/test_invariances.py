"""What may be done to rows without changing a figure, and what must change it in a known way."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, Reading, Undefined, difference
from headgate.evaluation.metrics import METRICS, measure, names_for
from headgate.evaluation.report import Answers, as_text, evaluate, from_json, to_json
from headgate.evaluation.table import digits, shown
from headgate.vocabulary import Task

few = settings(max_examples=30)
CLASSES = ("a", "b", "c")
WEIGHTS = st.lists(st.integers(1, 20), min_size=3, max_size=3)
CASES = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES), WEIGHTS), min_size=6, max_size=30)
PAIRS = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=6, max_size=40)
NUMBERS = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=3, max_size=30)


def multiclass(cases: list[tuple[str, str, list[int]]], classes: tuple[str, ...] = CLASSES) -> dict[str, Estimate]:
    at = [CLASSES.index(each) for each in classes]
    scores = np.array([np.array(weights)[at] / sum(weights) for _, _, weights in cases])
    return measure(Task.MULTICLASS, [each[0] for each in cases], [each[1] for each in cases], scores, classes)


def binary(pairs: list[tuple[bool, int]], *, classes: tuple[Any, Any] = (False, True)) -> dict[str, Estimate]:
    scores = np.array([score / 20 for _, score in pairs])
    labels = [classes[truth] for truth, _ in pairs]
    return measure(Task.BINARY, labels, [classes[score > 10] for _, score in pairs], scores, classes)


def regression(pairs: Any, names: list[str] | None = None) -> dict[str, Estimate]:
    pairs = np.asarray(pairs, dtype=float)
    return measure(Task.REGRESSION, pairs[:, 0], pairs[:, 1], None, metrics=names)


def same(one: Estimate, two: Estimate, *, tolerance: float = 1e-9) -> None:
    for first, second in zip((one.value, one.low, one.high), (two.value, two.low, two.high), strict=True):
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            assert first == pytest.approx(second, rel=tolerance, abs=tolerance)


@few
@given(CASES, st.permutations(CLASSES))
def test_the_order_of_classes_does_not_matter(cases: list[tuple[str, str, list[int]]], order: list[str]) -> None:
    plain, turned = multiclass(cases), multiclass(cases, tuple(order))
    for name in plain:
        if name != "calibration_error":  # where two classes share the top, the first one listed is taken
            same(plain[name], turned[name])


@few
@given(PAIRS)
def test_every_row_twice_is_the_same_value_and_a_narrower_interval(pairs: list[tuple[bool, int]]) -> None:
    once, twice = binary(pairs), binary(pairs * 2)
    for name, each in once.items():
        assert each.value == (pytest.approx(twice[name].value) if each.value is not None else twice[name].value)
        if each.low is not None and each.high is not None and name != "calibration_error":
            other = twice[name]
            assert other.low is not None
            assert other.high is not None
            assert other.high - other.low <= each.high - each.low + 1e-9


@few
@given(PAIRS)
def test_a_ranking_turned_round_is_as_bad_as_it_was_good(pairs: list[tuple[bool, int]]) -> None:
    forth, back = binary(pairs)["auc"], binary([(truth, 20 - score) for truth, score in pairs])["auc"]
    if forth.value is not None and back.value is not None:
        assert forth.value == pytest.approx(1 - back.value)
        if forth.low is not None and back.high is not None:
            assert forth.low == pytest.approx(1 - back.high, abs=1e-9)


@few
@given(PAIRS)
def test_the_spelling_of_classes_does_not_matter(pairs: list[tuple[bool, int]]) -> None:
    plain = binary(pairs)
    for classes in ((0, 1), ("no", "yes"), ("yes", "no"), (7, -7)):
        spelled = binary(pairs, classes=classes)
        for name in plain:
            same(plain[name], spelled[name], tolerance=1e-12)


@few
@given(PAIRS, st.integers(0, 100))
def test_one_answer_put_right_makes_no_classifier_worse(pairs: list[tuple[bool, int]], place: int) -> None:
    place %= len(pairs)
    truth, _ = pairs[place]
    better = [*pairs[:place], (truth, 20 if truth else 0), *pairs[place + 1 :]]
    before, after = binary(pairs), binary(better)
    for name in ("accuracy", "recall", "f1", "auc", "log_loss", "brier"):
        one, two = before[name].value, after[name].value
        if one is not None and two is not None:
            assert METRICS[name].better(two - one) >= -1e-9, name


@few
@given(NUMBERS, st.floats(0.1, 50))
def test_another_unit_scales_errors_and_no_share(pairs: list[tuple[float, float]], factor: float) -> None:
    plain, scaled = regression(pairs), regression(np.array(pairs) * factor)
    for name in ("mae", "rmse", "pinball"):
        one, two = plain[name], scaled[name]
        assert one.value is not None
        assert two.value == pytest.approx(one.value * factor, rel=1e-6, abs=1e-9)
    first, second = plain["r2"].value, scaled["r2"].value
    if first is not None and second is not None and abs(first) < 1e6:
        assert first == pytest.approx(second, rel=1e-5, abs=1e-6)


@few
@given(NUMBERS, st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_a_quantile_seen_from_the_other_side_is_its_complement(pairs: list[tuple[float, float]], at: float) -> None:
    mine, theirs = f"pinball@{at}", f"pinball@{1 - at}"
    one, two = regression(pairs, [mine])[mine], regression(-np.array(pairs), [theirs])[theirs]
    same(one, two, tolerance=1e-7)
    half = regression(pairs, ["pinball", "mae"])
    assert half["pinball"].value == pytest.approx((half["mae"].value or 0) / 2)


@few
@given(NUMBERS)
def test_errors_are_ordered_as_their_definitions_say(pairs: list[tuple[float, float]]) -> None:
    found = regression(pairs)
    assert (found["mae"].value or 0) <= (found["rmse"].value or 0) + 1e-9
    if found["r2"].value is not None:
        assert found["r2"].value <= 1.0


@few
@given(PAIRS)
def test_the_difference_of_two_models_is_turned_round_with_them(pairs: list[tuple[bool, int]]) -> None:
    labels = [truth for truth, _ in pairs]
    ours = np.array([score / 20 for _, score in pairs])
    theirs = ours[::-1].copy()
    forth = evaluate(Task.BINARY, labels, ours > 0.5, ours, (False, True), champion=Answers(theirs > 0.5, theirs))
    back = evaluate(Task.BINARY, labels, theirs > 0.5, theirs, (False, True), champion=Answers(ours > 0.5, ours))
    for name, one in forth.over_champion.items():
        two = back.over_champion[name]
        assert (one.value is None) == (two.value is None)
        if one.value is not None and two.value is not None:
            assert one.value == pytest.approx(-two.value, abs=1e-9)
        if one.low is not None and two.high is not None:
            assert one.low == pytest.approx(-two.high, abs=1e-9)
    assert from_json(to_json(forth)) == forth
    assert max(map(len, as_text(forth).splitlines())) <= 110


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"task": "cooking"}', b"\xff"])
def test_a_report_that_is_none_is_refused(damage: bytes) -> None:
    with pytest.raises(BadInput, match="no evaluation report"):
        from_json(damage)
    report = to_json(evaluate(Task.REGRESSION, [1.0, 2.0, 4.0], [1.5, 2.0, 3.0], None, gates=["mae <= 1"]))
    with pytest.raises(BadInput, match="no evaluation report"):
        from_json(report.replace(b"mae <= 1", b"mae \xff 1"))


def test_what_has_no_value_on_one_side_has_no_difference() -> None:
    labels = [0, 1] * 10
    scores = np.full((20, 2), 0.5)
    report = evaluate(Task.BINARY, labels, labels, scores, (0, 1), champion=Answers(labels, None))
    assert report.over_champion["auc"].value is None
    assert report.over_champion["auc"].reason == "the other side: the model gives no scores"
    without = evaluate(Task.BINARY, labels, labels, None, (0, 1), champion=Answers(labels, scores))
    assert without.over_champion["log_loss"].reason == "the model gives no scores"


def test_a_difference_says_whose_fault_it_is() -> None:
    known = Reading(0.5, 0.4, 0.6, np.array([0.1, -0.1]))
    thin = Reading(0.5, None, None, np.array([0.0]), "an interval needs at least two rows")
    assert difference("m", Undefined("no labels"), known, 2, 1.96).reason == "no labels"
    assert difference("m", known, Undefined("no labels"), 2, 1.96).reason == "the other side: no labels"
    assert difference("m", thin, thin, 1, 1.96) == Estimate(
        "m", 0.0, None, None, 1, "an interval needs at least two rows"
    )
    assert difference("m", known, known, 2, 1.96) == Estimate("m", 0.0, 0.0, 0.0, 2)


def test_a_slice_of_the_rows_is_measured_as_the_same_rows_alone() -> None:
    rng = np.random.default_rng(11)
    labels = rng.integers(0, 2, 200)
    scores = np.clip(labels * 0.4 + rng.random(200) * 0.6, 0, 1)
    part = np.where(np.arange(200) % 2, "odd", "even")
    report = evaluate(Task.BINARY, labels, scores > 0.5, scores, (0, 1), slices={"parity": part})
    for each in report.slices:
        mine = part == each.value
        alone = measure(Task.BINARY, labels[mine], scores[mine] > 0.5, scores[mine], (0, 1))
        assert each.estimates == alone
        assert each.rows == 100


def test_every_task_names_its_metrics_and_none_twice() -> None:
    for task in Task:
        names = names_for(task)
        assert len(set(names)) == len(names)
        assert all(task in METRICS[name].tasks for name in names)
    assert names_for(Task.TENSOR) == ()


@given(st.floats(-1e300, 1e300))
def test_a_figure_is_short_and_reads_back_to_four_digits(value: float) -> None:
    text = digits(value)
    assert len(text) <= 21
    assert float(text.replace(",", "")) == pytest.approx(value, rel=5e-4, abs=1e-12 if abs(value) < 1e-12 else 0)
    assert digits(value, "+")[0] in "+-0"


def test_a_figure_without_a_value_is_a_dash() -> None:
    assert shown(Estimate("auc", None, None, None, 0, "no labelled rows")) == "-"
    assert shown(Estimate("auc", 0.5, None, None, 1)) == "0.5000"
    assert shown(Estimate("auc", 0.5, 0.25, 0.75, 9), "+") == "+0.5000 (+0.2500 to +0.7500)"
