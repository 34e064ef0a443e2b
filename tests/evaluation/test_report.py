"""A whole evaluation: rivals on the same rows, slices, gates, JSON, text."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error, root_mean_squared_error

from headgate.errors import BadInput
from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import Answers, Report, as_text, evaluate, from_json, to_json
from headgate.vocabulary import Task

CLASSES = ("no", "yes")


def world(rows: int = 1200) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any]]:
    """Labels, an honest probability and the carrier; carrier ZZ is hard to predict."""
    draw = np.random.default_rng(12)
    chance = draw.beta(2, 4, rows)
    carrier = draw.choice(["AA", "UA", "ZZ", "rare"], rows, p=[0.4, 0.38, 0.2, 0.02])
    truth = draw.random(rows) < np.where(carrier == "ZZ", 0.33, chance)
    return np.where(truth, "yes", "no"), chance, carrier


def answers(chance: NDArray[np.float64]) -> Answers:
    return Answers(np.where(chance > 0.5, "yes", "no"), np.column_stack((1 - chance, chance)))


def evaluated(**given: Any) -> Report:
    labels, chance, carrier = world()
    ours = answers(chance)
    return evaluate(
        Task.BINARY, labels, ours.predictions, ours.scores, CLASSES, **{"slices": {"carrier": carrier}, **given}
    )


def test_the_dummy_is_scikit_learns() -> None:
    labels, chance, _ = world()
    report = evaluated()
    dummy = DummyClassifier(strategy="prior").fit(chance.reshape(-1, 1), labels)
    stated = dummy.predict_proba(chance.reshape(-1, 1))
    assert report.baseline["log_loss"].value == pytest.approx(log_loss(labels, stated))
    assert report.baseline["brier"].value == pytest.approx(brier_score_loss(labels == "yes", stated[:, 1]))
    assert report.baseline["auc"].value == 0.5
    assert report.baseline["accuracy"].value == pytest.approx((labels == "no").mean())
    ours, theirs, gap = (each["auc"].value for each in (report.estimates, report.baseline, report.over_baseline))
    assert gap == pytest.approx((ours or 0) - (theirs or 0))


def test_the_regression_dummy_is_the_best_constant_of_each_metric() -> None:
    truth = np.random.default_rng(3).gamma(2, 5, 300)
    report = evaluate(Task.REGRESSION, truth, truth + 1, None, gates=["pinball@0.9 <= 5"])
    for strategy, name, measure in (
        ("mean", "rmse", root_mean_squared_error),
        ("median", "mae", mean_absolute_error),
    ):
        constant = DummyRegressor(strategy=strategy).fit(truth.reshape(-1, 1), truth).predict(truth.reshape(-1, 1))
        assert report.baseline[name].value == pytest.approx(measure(truth, constant)), name
    assert report.baseline["r2"].value == pytest.approx(0.0, abs=1e-12)
    best = report.baseline["pinball@0.9"].value
    for other in (5.0, 10.0, 20.0):
        gaps = truth - other
        assert best is not None
        assert best <= np.maximum(0.9 * gaps, -0.1 * gaps).mean()


def test_the_champion_is_measured_on_the_same_labelled_rows() -> None:
    labels, chance, _ = world()
    partly = labels.astype(object)
    partly[::7] = None
    ours, theirs = answers(chance), answers(np.clip(chance * 0.5 + 0.2, 0, 1))
    report = evaluate(Task.BINARY, partly, ours.predictions, ours.scores, CLASSES, champion=theirs)
    kept = np.array([each is not None for each in partly])
    assert isinstance(theirs.scores, np.ndarray)
    assert report.champion["log_loss"].value == pytest.approx(log_loss(labels[kept], theirs.scores[kept]))
    assert report.unlabelled == int((~kept).sum())
    assert report.rows == int(kept.sum())
    ours_loss, theirs_loss = report.estimates["log_loss"].value, report.champion["log_loss"].value
    assert report.over_champion["log_loss"].value == pytest.approx((ours_loss or 0) - (theirs_loss or 0))


def test_slices_are_measured_against_everybody_and_come_worst_first() -> None:
    labels, chance, carrier = world()
    report = evaluated(champion=answers(chance))
    assert report.slices[0].value == "ZZ"
    assert report.slices[-1].value == "rare"
    assert not report.slices[-1].measured
    worst = report.slices[0]
    assert worst.rows == int((carrier == "ZZ").sum())
    inside = carrier == "ZZ"
    stated = np.column_stack((1 - chance, chance))[inside]
    assert worst.estimates["log_loss"].value == pytest.approx(log_loss(labels[inside], stated))
    share = (labels == "yes").mean()  # the dummy learnt on all rows, not on the slice
    constant = np.tile([1 - share, share], (worst.rows, 1))
    assert worst.baseline["log_loss"].value == pytest.approx(log_loss(labels[inside], constant))
    assert worst.over_champion["auc"].value == 0.0


def test_slices_count_labelled_rows_alone() -> None:
    labels, chance, carrier = world()
    partly = labels.astype(object)
    partly[:900][carrier[:900] == "AA"] = None
    ours = answers(chance)
    report = evaluate(
        Task.BINARY, partly, ours.predictions, ours.scores, CLASSES, slices={"carrier": carrier}, smallest_slice=1
    )
    known = np.array([each is not None for each in partly])
    assert {each.value: each.rows for each in report.slices} == {
        name: int((known & (carrier == name)).sum()) for name in ("AA", "UA", "ZZ", "rare")
    }


def test_gates_are_judged_into_one_verdict() -> None:
    good, bad = "auc >= 0.55", "auc >= 0.6 in every slice of carrier"
    assert evaluated(gates=[good]).passed
    report = evaluated(gates=[good, bad])
    assert [each.outcome for each in report.gates] == [Outcome.PASSED, Outcome.FAILED]
    assert report.verdict is Outcome.FAILED
    assert not report.passed
    assert evaluated(gates=["auc better than champion"]).verdict is Outcome.UNDECIDED
    assert not evaluated().passed


def test_a_metric_only_a_gate_names_is_measured() -> None:
    report = evaluate(Task.REGRESSION, [1.0, 2.0], [1.0, 3.0], None, gates=["pinball@0.9 <= 1"])
    assert report.estimates["pinball@0.9"].value == pytest.approx(0.05)
    assert report.passed


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"gates": ["rmse <= 3"]}, "not for binary"),
        ({"gates": ["auc >= 0.5 in every slice of origin"]}, "no slices of 'origin'"),
        ({"gates": ["auc high"]}, "comparison"),
        ({"slices": {"carrier": ["AA"]}}, "1 values for 1200 labels"),
        ({"champion": Answers(["no"], None)}, "1 for 1200 labels"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        evaluated(**given)


def test_tensors_cannot_be_evaluated() -> None:
    with pytest.raises(BadInput, match="no metrics"):
        evaluate(Task.TENSOR, [1], [1], None)


def test_no_labels_at_all_is_a_report_that_says_so() -> None:
    report = evaluate(Task.BINARY, [None, None], ["no", "no"], None, CLASSES, gates=["auc >= 0.5"])
    assert report.rows == 0
    assert report.verdict is Outcome.UNDECIDED
    assert report.baseline["auc"].reason == "no labelled rows"
    assert "no labelled rows" in as_text(report)


def test_a_report_survives_json() -> None:
    _, chance, _ = world()
    report = evaluated(champion=answers(chance), gates=["auc >= 0.55", "f1 better than dummy"])
    assert from_json(to_json(report)) == report
    assert b"NaN" not in to_json(report)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"task": "binary"}', b"\xff"])
def test_json_of_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="no evaluation report"):
        from_json(data)


def test_the_text_shows_figures_rivals_slices_and_gates_within_100_columns() -> None:
    _, chance, _ = world()
    report = evaluated(champion=answers(np.clip(chance + 0.1, 0, 1)), gates=["auc >= 0.55", "auc >= 0.99"])
    text = as_text(report)
    table = text.split("\n\n")[1]
    assert table.splitlines()[0].split() == [
        "metric", "value", "interval", "dummy", "champion", "difference", "interval",
    ]  # fmt: skip
    assert max(len(line) for line in table.splitlines()) <= 100
    assert "carrier = ZZ" in text
    assert "and 1 with too few rows to be measured" in text
    assert "passed: auc >= 0.55" in text
    assert text.endswith("verdict: failed")
    assert "and 2 better than these" in as_text(report, slices=1)


def test_a_report_without_gates_says_so() -> None:
    assert as_text(evaluated()).endswith("verdict: undecided (no gates were given)")
