"""Scaling that a model takes in says exactly what scaling its answers says; and it mends what is too sure."""

import time
from typing import Any

import numpy as np
import pytest

from headgate.retraining.search.calibration import Scaling, take_in, takes
from headgate.retraining.search.families import FOREST, families
from headgate.retraining.search.folds import folds_of
from headgate.retraining.search.learnable import examine
from headgate.retraining.search.roles import Roles
from headgate.retraining.search.trial import Said, Trials
from headgate.vocabulary import Task

KINDS = {each.name: each for each in families()}


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_model_takes_a_scaling_in(name: str, task: Task, learning: Any) -> None:
    data = examine(learning(task, 300))
    given = {each: 5 if each == KINDS[name].rounds else value for each, value in KINDS[name].first[0].items()}
    roles = Roles.of(data.frame, data.contract)
    rows = np.arange(len(data))
    model = Trials(data, roles, folds_of(data, 0), seed=0, threads=1, clock=time.monotonic).learn(
        KINDS[name], given, rows, 0.2
    )
    if KINDS[name] is FOREST:
        assert not takes(model)
        return
    assert takes(model)
    before = Said(rows, model.predict_proba(data.frame))
    scaling = Scaling(0.6, np.array([0.3]) if task is Task.BINARY else np.array([0.3, -0.2, 0.1]))
    take_in(model, scaling)
    held = before.answers.min(axis=1) > 1e-5  # below, probabilities are held where logarithms end
    assert held.mean() > 0.3
    np.testing.assert_allclose(model.predict_proba(data.frame)[held], scaling.applied(before).answers[held], atol=1e-6)


def test_what_is_too_sure_is_mended() -> None:
    random = np.random.default_rng(0)
    odds = random.normal(size=4_000)
    codes = (random.random(4_000) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    sure = 1 / (1 + np.exp(-(3 * odds + 1)))
    found = Scaling.fit([Said(np.arange(4_000), np.column_stack([1 - sure, sure]))], codes)
    assert found.slope == pytest.approx(1 / 3, abs=0.03)
    assert found.offsets[0] == pytest.approx(-1 / 3, abs=0.08)
