"""Pairs of small windows for the tests of this room: numbers, a category, and a model that is often right."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.rows import Column, Rows
from headgate.monitors.attribution.samples import Sample
from headgate.vocabulary import Task

Floats = NDArray[np.float64]
Chance = Callable[[Floats], Floats]


def chance_of(numbers: Floats) -> Floats:
    """What the model says, and what is true where nothing changed."""
    found: Floats = 1 / (1 + np.exp(-2 * numbers[:, 0] + numbers[:, 1]))
    return found


def flipped(numbers: Floats) -> Floats:
    """A relation in which a fifth of the outcomes are swapped where the second number is high."""
    before = chance_of(numbers)
    changed: Floats = np.where(numbers[:, 1] > 0, 0.8 * before + 0.2 * (1 - before), before)
    return changed


def sample(seed: int, rows: int = 2000, *, shift: float = 0.0, relation: Chance = chance_of) -> Sample:
    """A window of `rows` labelled rows with three numbers, the first moved by `shift`, and a colour."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 3))
    numbers[:, 0] += shift
    said = chance_of(numbers)
    labels = (random.random(rows) < relation(numbers)).astype(np.int64)
    scores = np.column_stack((1 - said, said))
    answers = Rows(Task.BINARY, labels, (said > 0.5).astype(np.int64), scores, (False, True))
    colours = np.array(["red", "green", "blue"])[random.integers(3, size=rows)]
    return Sample({"x": numbers[:, 0], "y": numbers[:, 1], "z": numbers[:, 2], "colour": colours}, answers)


def with_fields(given: Sample, **columns: Column) -> Sample:
    """The same rows with some fields replaced or added."""
    return Sample({**given.fields, **columns}, given.rows)


def numbers(seed: int, rows: int, *, cost: float, size: float = 1.0) -> tuple[Sample, Sample]:
    """Two windows of a model that says 0: the truth is normal in units of `size`, and `cost` more in the second."""
    random = np.random.default_rng(seed)
    windows = []
    for more in (0.0, cost):
        x, truth = random.normal(size=rows), size * (random.normal(size=rows) + more)
        windows.append(Sample({"x": x}, Rows(Task.REGRESSION, truth, np.zeros(rows), None)))
    return windows[0], windows[1]


ROWS = 1500
CURRENT = np.arange(2 * ROWS) >= ROWS
"""Two windows of `ROWS` rows, the reference's first."""


def normal(seed: int, shift: float = 0.0, spread: float = 1.0) -> Floats:
    """A normal number in both windows, moved and widened in the second."""
    values = np.random.default_rng(seed).normal(size=2 * ROWS)
    values[CURRENT] = spread * values[CURRENT] + shift
    return values
