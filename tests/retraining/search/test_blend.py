"""Families together: taken where they are clearly better, left where one is enough, and exact when served."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate.clock import HeldClock
from headgate.registry.importers.files import open_model
from headgate.registry.package import Engine
from headgate.registry.packages import PackageStore
from headgate.registry.register import Registration, register
from headgate.registry.registry import Registry
from headgate.retraining.recipes.models import keep
from headgate.retraining.search.blend import MEMBERS, assembled, blended
from headgate.retraining.search.families import BOOSTING, FOREST, LINEAR, NET, Family, Parameters
from headgate.retraining.search.folds import folds_of
from headgate.retraining.search.learnable import Learning, examine
from headgate.retraining.search.roles import Roles
from headgate.retraining.search.trial import Said, Trial, Trials
from headgate.runtimes.predictor import predict_with
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros, Task


def trials_of(data: Learning) -> Trials:
    found = examine(data)
    roles = Roles.of(found.frame, found.contract)
    return Trials(found, roles, folds_of(found, 0), seed=0, threads=1, clock=time.monotonic)


def said_by(trials: Trials, family: Family, number: int, positive: Any) -> Trial:
    said = (Said(np.arange(len(positive)), np.column_stack([1 - positive, positive])),)
    loss = float(trials.losses(said[0]).mean())
    return Trial(number, family, {}, {}, 1.0, loss, 1.0, said=said)


def test_those_that_err_differently_are_better_together(learning: Any) -> None:
    data = learning(rows=2_000)
    trials, random = trials_of(data), np.random.default_rng(0)
    truth = np.where(data.y == 1, 1.0, -1.0)
    errs = [1 / (1 + np.exp(-(truth + 2 * random.normal(size=2_000)))) for _ in range(4)]
    kinds = (LINEAR, BOOSTING, FOREST, NET)
    best = [said_by(trials, kind, place, each) for place, (kind, each) in enumerate(zip(kinds, errs, strict=True))]
    best.sort(key=lambda each: each.loss)
    found = blended(best, trials, 9)
    assert found is not None
    assert (found.number, len(found.parameters)) == (9, MEMBERS)
    weights = [float(each or 0) for each in found.parameters.values()]
    assert sum(weights) == pytest.approx(1.0, abs=0.01)
    assert found.loss < best[0].loss - 0.1
    answers = sum(
        weight * each.said[0].answers
        for weight, each in zip(weights, [each for each in best if each.family.name in found.parameters], strict=True)
    )
    np.testing.assert_allclose(found.said[0].answers, answers, atol=0.01)


def test_one_that_is_better_than_all_others_is_left_alone(learning: Any) -> None:
    data = learning()
    trials = trials_of(data)
    good = said_by(trials, LINEAR, 0, np.where(data.y == 1, 0.95, 0.05))
    bad = said_by(trials, BOOSTING, 1, np.where(data.y == 1, 0.4, 0.6))
    assert blended([good, bad], trials, 2) is None
    assert blended([good], trials, 2) is None, "one alone is no blend"


@pytest.mark.parametrize(
    ("task", "columns"),
    [
        (Task.BINARY, ["a", "b", "k", "e", "same", "free"]),
        (Task.BINARY, ["a", "b", "k"]),
        (Task.REGRESSION, ["a", "e"]),
    ],
)
def test_a_blend_says_the_mean_and_so_does_its_onnx(
    task: Task, columns: list[str], learning: Any, tmp_path: Path
) -> None:
    data = learning(task, 300)
    data = replace(data, X=data.X[columns])
    if task is Task.BINARY:
        data = replace(data, y=np.where(data.y == 1, "late", "good"))
    trials, examined = trials_of(data), examine(data)
    rows = np.arange(len(examined))
    few = {**BOOSTING.first[0], "max_iter": 5}
    kinds: tuple[tuple[Family, Parameters], ...] = ((LINEAR, {"C": 1.0}), (BOOSTING, few))
    members = [(kind.name, trials.learn(kind, given, rows, coded=True)) for kind, given in kinds]
    model = assembled(members, [0.25, 0.75], examined, examined.labels)
    said, (one, two) = trials.answers(model, rows), (trials.answers(each, rows) for _, each in members)
    np.testing.assert_allclose(said, 0.25 * one + 0.75 * two)
    again = open_model(tmp_path / keep(model, tmp_path, trust=False))
    np.testing.assert_array_equal(trials.answers(again, rows), said)
    registry = Registry(MemoryStore(), PackageStore(tmp_path / "p"), HeldClock(Micros(1_600_000_000_000_000)))
    asked = Registration(name="m", label="y")
    done = register(registry, predict_with, model, data.X.assign(y=data.y), asked)
    assert done.version.engine is Engine.ONNX
    assert done.parity.exact
