"""Models whose probabilities are right, wrong, or right on average alone, with the labels they are about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.rows import Rows
from headgate.vocabulary import Task

Floats = NDArray[np.float64]
Draw = np.random.Generator
CLASSES = ("no", "yes")
THREE = ("a", "b", "c")


def binary(chance: Floats, stated: Floats, draw: Draw, at: float = 0.5) -> Rows:
    """Labels drawn with `chance` by a model that says `stated`."""
    truth = (draw.random(len(chance)) < chance).astype(np.int64)
    scores = np.column_stack((1 - stated, stated))
    return Rows(Task.BINARY, truth, (stated >= at).astype(np.int64), scores, CLASSES)


def honest(rows: int, draw: Draw) -> Rows:
    chance = draw.beta(1.5, 2.5, rows)
    return binary(chance, chance, draw)


def overconfident(rows: int, draw: Draw) -> Rows:
    chance = draw.beta(1.5, 2.5, rows)
    return binary(chance, np.clip(0.5 + (chance - 0.5) * 1.8, 0.0, 1.0), draw)


def multiclass(rows: int, draw: Draw) -> Rows:
    scores = draw.dirichlet((1.0, 1.5, 0.8), rows)
    return Rows(Task.MULTICLASS, drawn(scores, draw), scores.argmax(axis=1), scores, THREE)


def drawn(chances: Floats, draw: Draw) -> NDArray[Any]:
    """One class per row, drawn from its chances."""
    below = chances.cumsum(axis=1) < draw.random(len(chances))[:, np.newaxis]
    codes: NDArray[Any] = np.minimum(below.sum(axis=1), chances.shape[1] - 1)
    return codes


def shifting(rows: int, centre: float, draw: Draw) -> tuple[Rows, Floats]:
    """Scores that are right on average where the feature has the centre 0, and for no value of it."""
    feature = draw.normal(centre, 1.0, rows)
    other = draw.normal(size=rows)
    stated = 1 / (1 + np.exp(-other))
    chance = 1 / (1 + np.exp(-(other + 1.2 * feature)))
    return binary(chance, stated, draw), np.column_stack((feature, other))


def noisy(rows: int, draw: Draw, centre: float = 0.0) -> tuple[Rows, Floats]:
    """A regression whose error grows with its feature."""
    feature = draw.normal(centre, 1.0, rows)
    predicted = 2 * feature
    truth = predicted + draw.normal(size=rows) * np.exp(0.6 * feature)
    return Rows(Task.REGRESSION, truth, predicted, None), feature[:, np.newaxis]
