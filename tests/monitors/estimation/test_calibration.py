"""Maps from scores to chances: fitted only where they help, and the same as scikit-learn's."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from tests.monitors.estimation.models import CLASSES, multiclass, overconfident

from headgate.evaluation.rows import Rows
from headgate.monitors.estimation.calibration import Counted, calibration, isotonic
from headgate.vocabulary import Task


def test_a_map_is_scikit_learns_isotonic_regression_clipped() -> None:
    draw = np.random.default_rng(1)
    scores, weights = draw.random(500).round(2), draw.random(500)
    hits = draw.random(500) < scores
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, hits, sample_weight=weights)
    asked = np.linspace(-0.2, 1.2, 200)
    assert isotonic(scores, hits, weights).apply(asked) == pytest.approx(theirs.predict(asked))


def test_a_map_of_the_rows_that_are_left_is_that_of_these_rows_alone() -> None:
    draw = np.random.default_rng(4)
    scores = draw.random(600).round(2)
    hits, gone = draw.random(600) < scores, np.flatnonzero(draw.random(600) < 0.3)
    rest = np.setdiff1d(np.arange(600), gone)
    left = Counted.of(scores, hits).without(gone, hits[gone])
    assert left.rising() == isotonic(scores[rest], hits[rest])


def test_overconfident_scores_are_put_right() -> None:
    found = calibration(overconfident(4000, np.random.default_rng(2)))
    assert found.changes
    assert found.stated.value is not None
    assert found.used.value is not None
    assert found.stated.value > 0.1
    assert found.used.value < 0.03


def test_a_map_that_would_not_help_is_not_used() -> None:
    # Each score is right of exactly its share of the rows, so that its error is nothing and none is lower.
    stated = np.repeat([0.25, 0.5, 0.75], 400)
    truth = np.concatenate([np.tile([1, 0, 0, 0], 100), np.tile([0, 1], 200), np.tile([0, 1, 1, 1], 100)])
    scores = np.column_stack((1 - stated, stated))
    rows = Rows(Task.BINARY, truth, (stated >= 0.5).astype(np.int64), scores, CLASSES)
    found = calibration(rows)
    assert not found.changes
    assert found.used == found.stated
    assert found.chances(scores) == pytest.approx(scores)


def test_chances_of_many_classes_sum_to_one() -> None:
    rows = multiclass(3000, np.random.default_rng(6))
    assert rows.scores is not None
    sharp = rows.scores**2 / (rows.scores**2).sum(axis=1, keepdims=True)
    found = calibration(type(rows)(rows.task, rows.truth, rows.predicted, sharp, rows.classes))
    assert found.changes
    chances = found.chances(sharp)
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(rows)))
    assert float(np.abs(chances - rows.scores).mean()) < float(np.abs(sharp - rows.scores).mean())
