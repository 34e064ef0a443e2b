"""Metrics under weights: with equal ones they are the metric, with whole ones they are rows seen more than once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.evaluation.estimate import Reading, Undefined
from headgate.evaluation.metrics import metric, readings
from headgate.evaluation.rows import Rows
from headgate.evaluation.weighted import Weighted, reweighable
from headgate.vocabulary import Task

BINARY = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "brier")
NUMBERS = ("mae", "rmse", "pinball", "pinball@0.9")


def binary(seed: int, count: int = 60) -> Rows:
    random = np.random.default_rng(seed)
    chance = random.integers(1, 20, count) / 20  # ties among them
    labels = (random.random(count) < chance).astype(np.int64)
    labels[:2], said = (0, 1), (chance > 0.5).astype(np.int64)
    said[:2] = (0, 1)
    return Rows(Task.BINARY, labels, said, np.column_stack((1 - chance, chance)), (False, True))


def regression(seed: int, count: int = 60) -> Rows:
    random = np.random.default_rng(seed)
    truth = random.normal(size=count)
    return Rows(Task.REGRESSION, truth, truth + random.normal(size=count), None)


def measured(name: str, rows: Rows, weights: np.ndarray) -> Weighted:
    measure = reweighable(metric(name), rows)
    assert not isinstance(measure, Undefined)
    found = measure(weights)
    assert not isinstance(found, Undefined)
    return found


@pytest.mark.parametrize("name", [*BINARY, *NUMBERS])
def test_equal_weights_give_the_metric_and_its_influences(name: str) -> None:
    rows = binary(1) if name in BINARY else regression(1)
    [reading] = readings(rows, [metric(name)]).values()
    assert isinstance(reading, Reading)
    found = measured(name, rows, np.full(len(rows), 0.3))
    assert found.value == pytest.approx(reading.value)
    # DeLong's variance corrects for the size of each class; the weighted one has no size to correct for.
    assert found.influence == pytest.approx(reading.influence, rel=0.05, abs=1e-9)


@pytest.mark.parametrize("name", [*BINARY, *NUMBERS])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_row_of_weight_three_is_three_rows(name: str, seed: int) -> None:
    rows = binary(seed) if name in BINARY else regression(seed)
    times = np.random.default_rng(seed).integers(0, 4, len(rows))
    times[:2] = 1
    [reading] = readings(rows.take(np.repeat(np.arange(len(rows)), times)), [metric(name)]).values()
    assert isinstance(reading, Reading)
    found = measured(name, rows, times.astype(float))
    assert found.value == pytest.approx(reading.value)
    assert float((times * found.influence).sum()) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("name", ["accuracy", "f1", "auc", "rmse"])
def test_an_influence_is_what_a_little_more_weight_moves(name: str) -> None:
    rows = binary(3) if name != "rmse" else regression(3)
    weights, step = np.random.default_rng(4).uniform(0.5, 2.0, len(rows)), 1e-6
    found = measured(name, rows, weights)
    for place in (0, 7, 31):
        more = weights.copy()
        more[place] += step
        moved = (measured(name, rows, more).value - found.value) / step
        assert moved == pytest.approx(found.influence[place] / weights.sum(), rel=1e-3, abs=1e-8)


def test_an_auc_of_many_classes_is_the_mean_over_them() -> None:
    random = np.random.default_rng(5)
    scores = random.dirichlet(np.ones(3), 90)
    rows = Rows(Task.MULTICLASS, random.integers(3, size=90), scores.argmax(axis=1), scores, ("a", "b", "c"))
    [reading] = readings(rows, [metric("auc")]).values()
    assert isinstance(reading, Reading)
    assert measured("auc", rows, np.ones(90)).value == pytest.approx(reading.value)


@pytest.mark.parametrize("name", ["average_precision", "calibration_error", "r2"])
def test_a_metric_without_a_weighted_form_says_so(name: str) -> None:
    rows = binary(1) if name != "r2" else regression(1)
    found = reweighable(metric(name), rows)
    assert isinstance(found, Undefined)
    assert "not measured under weights" in found.reason


def test_what_has_no_value_has_none_under_weights_either() -> None:
    rows = binary(1)
    silent = Rows(Task.BINARY, rows.truth, rows.predicted, None, rows.classes)
    assert reweighable(metric("auc"), silent) == Undefined("the model gives no scores")
    nothing, positives = np.zeros(len(rows)), (rows.truth == 1).astype(float)
    for name, weights in (("accuracy", nothing), ("precision", nothing), ("auc", positives)):
        measure = reweighable(metric(name), rows)
        assert not isinstance(measure, Undefined)
        assert isinstance(measure(weights), Undefined)


def test_a_model_without_any_error_has_a_root_of_zero() -> None:
    rows = Rows(Task.REGRESSION, np.arange(5.0), np.arange(5.0), None)
    assert measured("rmse", rows, np.ones(5)).value == 0.0
