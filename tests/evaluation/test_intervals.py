"""Intervals cover what they say: simulated with fixed seeds, three standard errors of tolerance or more."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from headgate.evaluation.estimate import Estimate, Reading, difference, wilson
from headgate.evaluation.metrics import METRICS, measure, metric, readings
from headgate.evaluation.rows import labelled
from headgate.vocabulary import Task

RUNS = 300
NAMES = ("accuracy", "precision", "recall", "f1", "auc", "average_precision", "log_loss", "brier", "calibration_error")
Draw = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def overconfident(rows: int, draw: np.random.Generator) -> Draw:
    """Labels, predictions and scores of a model whose probabilities are pushed outwards."""
    honest = draw.beta(2, 3, rows)
    truth = (draw.random(rows) < honest).astype(int)
    stated = np.clip(0.5 + (honest - 0.5) * 1.4, 0.01, 0.99)
    return truth, (stated > 0.5).astype(int), np.column_stack((1 - stated, stated))


def noisy(rows: int, draw: np.random.Generator) -> Draw:
    truth = draw.gamma(2, 3, rows)
    return truth, truth * 0.8 + draw.normal(0.5, 1.5, rows), np.empty(0)


def share_covered(
    task: Task, sample: Callable[[int, np.random.Generator], Draw], rows: int, names: tuple[str, ...]
) -> dict[str, float]:
    classes = (0, 1) if task is Task.BINARY else ()
    draw = np.random.default_rng(17)

    def figures(count: int) -> dict[str, Estimate]:
        truth, said, scores = sample(count, draw)
        return measure(task, truth, said, scores if task is Task.BINARY else None, classes, metrics=names)

    true = {name: each.value for name, each in figures(400_000).items()}
    hits = dict.fromkeys(names, 0)
    for _ in range(RUNS):
        for name, each in figures(rows).items():
            assert each.low is not None
            assert each.high is not None
            hits[name] += each.low <= (true[name] or 0.0) <= each.high
    return {name: count / RUNS for name, count in hits.items()}


@pytest.mark.parametrize("rows", [200, 1000])
def test_binary_intervals_cover(rows: int) -> None:
    # Three standard errors of 95 % in 300 runs are 3.8 points; normal intervals lose a little more in small samples.
    for name, share in share_covered(Task.BINARY, overconfident, rows, NAMES).items():
        assert share >= 0.90, (name, share)
        assert share <= 0.995 or name == "calibration_error", (name, share)


def test_regression_intervals_cover() -> None:
    for name, share in share_covered(Task.REGRESSION, noisy, 300, ("mae", "rmse", "r2", "pinball")).items():
        assert 0.89 <= share <= 0.99, (name, share)


def test_a_calibrated_model_is_rarely_called_miscalibrated() -> None:
    draw = np.random.default_rng(2)
    beyond = 0
    for _ in range(RUNS):
        stated = draw.beta(2, 3, 500)
        truth = (draw.random(500) < stated).astype(int)
        found = measure(Task.BINARY, truth, None, stated, (0, 1), metrics=["calibration_error"])["calibration_error"]
        beyond += (found.low or 0.0) > 0
    assert beyond / RUNS <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / RUNS)


def delong_by_pairs(truth: NDArray[Any], scores: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Structural components straight from their definition, in quadratic time."""
    up, down = scores[truth == 1], scores[truth == 0]
    wins = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
    return wins.mean(axis=1), wins.mean(axis=0)


def test_auc_variance_is_delongs_to_the_last_digit() -> None:
    draw = np.random.default_rng(5)
    truth = (draw.random(80) < 0.3).astype(int)
    scores = np.round(truth * 0.3 + draw.random(80), 1)
    up, down = delong_by_pairs(truth, scores)
    error = math.sqrt(up.var(ddof=1) / len(up) + down.var(ddof=1) / len(down))
    found = measure(Task.BINARY, truth, None, np.column_stack((-scores, scores)), (0, 1))["auc"]
    assert found.value == pytest.approx(up.mean(), abs=1e-12)
    assert found.low is not None
    assert found.low == pytest.approx(up.mean() - stats.norm.ppf(0.975) * error, abs=1e-12)


def pair(name: str, truth: NDArray[Any], ours: NDArray[Any], theirs: NDArray[Any]) -> Estimate:
    sides = [labelled(Task.BINARY, truth, (each > 0.5).astype(int), each, (0, 1))[0] for each in (ours, theirs)]
    mine, other = (readings(each, [metric(name)])[name] for each in sides)
    return difference(name, mine, other, len(truth), stats.norm.ppf(0.975))


def test_the_paired_auc_difference_is_delongs_test() -> None:
    draw = np.random.default_rng(6)
    truth = (draw.random(90) < 0.4).astype(int)
    ours = np.clip(truth * 0.2 + draw.random(90) * 0.8, 0, 1)
    theirs = np.clip(ours + draw.normal(0, 0.2, 90), 0, 1)
    (up, down), (up2, down2) = delong_by_pairs(truth, ours), delong_by_pairs(truth, theirs)
    error = math.sqrt((up - up2).var(ddof=1) / len(up) + (down - down2).var(ddof=1) / len(down))
    found = pair("auc", truth, ours, theirs)
    assert found.value == pytest.approx(up.mean() - up2.mean(), abs=1e-12)
    assert found.high == pytest.approx(up.mean() - up2.mean() + stats.norm.ppf(0.975) * error, abs=1e-12)


def test_the_paired_loss_difference_is_that_of_the_mean() -> None:
    draw = np.random.default_rng(7)
    truth = (draw.random(200) < 0.4).astype(int)
    ours, theirs = draw.random(200), draw.random(200)
    gaps = (ours - truth) ** 2 - (theirs - truth) ** 2
    found = pair("brier", truth, ours, theirs)
    assert found.value == pytest.approx(gaps.mean())
    assert found.low == pytest.approx(gaps.mean() - stats.norm.ppf(0.975) * stats.sem(gaps))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_against_itself_differs_by_nothing(name: str) -> None:
    truth, _, scores = overconfident(200, np.random.default_rng(9))
    found = pair(name, truth, scores[:, 1], scores[:, 1])
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", [each for each in NAMES if each != "calibration_error"])
def test_paired_differences_cover(name: str) -> None:
    draw = np.random.default_rng(11)

    def both(rows: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        honest = draw.beta(2, 3, rows)
        truth = (draw.random(rows) < honest).astype(int)
        worse = np.clip(honest + draw.normal(0, 0.1, rows), 0.001, 0.999)
        return truth, worse, honest

    true = pair(name, *both(300_000)).value or 0.0
    hits = 0
    for _ in range(200):
        found = pair(name, *both(600))
        hits += (found.low or 0.0) <= true <= (found.high or 0.0)
    assert hits / 200 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (480, 500)])
def test_wilson_is_scipys(successes: int, trials: int) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    found = wilson(successes, trials, stats.norm.ppf(0.975))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "f1", "auc", "average_precision"])
def test_a_perfect_sample_is_no_certainty(name: str) -> None:
    truth = [0, 1] * 10
    found = measure(Task.BINARY, truth, truth, [float(each) for each in truth], (0, 1))[name]
    assert found.value == 1.0
    assert found.high == 1.0
    assert found.low is not None
    assert found.low < 0.9


def test_a_perfect_multiclass_sample_is_no_certainty_either() -> None:
    truth = [0, 1, 2] * 5
    found = measure(Task.MULTICLASS, truth, truth, np.eye(3)[truth], (0, 1, 2))
    for name in ("precision", "recall", "f1", "auc", "average_precision"):
        assert found[name].value == 1.0
        assert (found[name].low or 1.0) < 0.9


def test_every_influence_moves_the_value_as_leaving_a_row_out_does() -> None:
    """The delta method's influences against the jackknife, for every metric there is."""
    truth, said, scores = overconfident(400, np.random.default_rng(21))
    numbers = noisy(400, np.random.default_rng(22))
    for each in METRICS.values():
        task = next(iter(each.tasks)) if Task.REGRESSION in each.tasks else Task.BINARY
        columns = (truth, said, scores, (0, 1)) if task is Task.BINARY else (numbers[0], numbers[1], None, ())
        rows, _ = labelled(task, *columns)
        whole = each.measure(rows, 1.96)
        assert isinstance(whole, Reading)
        everyone = np.arange(len(rows))
        left_out = [each.measure(rows.take(everyone != row), 1.96) for row in range(0, len(rows), 5)]
        jackknife = [(len(rows) - 1) * (whole.value - part.value) for part in left_out if isinstance(part, Reading)]
        correlation = np.corrcoef(jackknife, whole.influence[::5])[0, 1]
        assert correlation > 0.98, (each.name, correlation)
