"""What a metric is expected to be when only the chance of each label is known.

Confidence-based performance estimation (CBPE): where a label would be counted as 1 or 0, its chance is counted.
The parts of `headgate.evaluation` do the counting, so with chances of 0 and 1 a figure is the realised one.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.classification import Parts, f1_parts, precision_parts, recall_parts
from headgate.evaluation.estimate import Floats, Reading, Undefined
from headgate.evaluation.probability import SMALLEST
from headgate.evaluation.ranking import ByGroup, auc_by_group, average_precision_by_group
from headgate.evaluation.rows import Ranking
from headgate.monitors.answered import Answered
from headgate.vocabulary import Task

LEAST: Final = 0.5
"""Rows of a class that must be expected before a figure speaks of the class: half a row, rounded, is one."""

Pair = tuple[float, Floats, Floats]
"""A figure of one class, and how far each row moves it if it is of the class, and if it is not."""


@dataclass(frozen=True, slots=True, eq=False)
class Foretold:
    """One metric of rows whose labels are not known."""

    reading: Reading
    """What it is expected to be, and how far each row moves that; no interval yet."""
    spread: float | None
    """Standard deviation of how far one row moves the realised metric, label and all; None where nothing says."""


def expected(said: Answered, chances: Floats, names: Iterable[str]) -> dict[str, Foretold | Undefined]:
    """What each metric is expected to be.

    `chances` is the chance of each class, (rows, classes), at least one row; `said` must have scores. A value is
    a plug-in: sums of chances in the place of sums of labels, so a ratio is the ratio of expectations.

    >>> said = Answered(Task.BINARY, np.array([1, 0]), np.array([[0.1, 0.9], [0.8, 0.2]]), ("no", "yes"))
    >>> found = expected(said, said.scores, ["accuracy", "precision"])
    >>> round(found["accuracy"].reading.value, 3), round(found["precision"].reading.value, 3)
    (0.85, 0.9)
    """
    return {name: _EXPECTED[name](said, chances) for name in names}


def _foretold(value: float, moves: Floats, chances: Floats) -> Foretold:
    """`moves` is how far each row moves the realised metric if it is of each class, (rows, classes)."""
    influence = (chances * moves).sum(axis=1)
    square = float((chances * moves * moves).sum(axis=1).mean())
    return Foretold(Reading(value, None, None, influence), math.sqrt(square))


def _mean(losses: Floats, chances: Floats) -> Foretold:
    """The mean of one loss per row; `losses` has it for each class the row may be of."""
    value = float((chances * losses).sum(axis=1).mean())
    return _foretold(value, losses - value, chances)


def _macro(pairs: Sequence[tuple[int, Pair]], chances: Floats) -> Foretold:
    """The mean of the figures of these classes, each class with its code."""
    moves = np.zeros_like(chances)
    for code, (_, hit, miss) in pairs:
        moves += miss[:, np.newaxis]
        moves[:, code] += hit - miss
    values = [value for _, (value, _, _) in pairs]
    return _foretold(float(np.mean(values)), moves / len(pairs), chances)


def _accuracy(said: Answered, chances: Floats) -> Foretold | Undefined:
    if said.predicted is None:
        return Undefined("the model gives no predictions")
    # An answer that is none of the classes is wrong whatever the label.
    right = said.predicted[:, np.newaxis] == np.arange(chances.shape[1])
    return _mean(right.astype(np.float64), chances)


def _counted(
    said: Answered, chances: Floats, parts: Callable[[Floats, NDArray[np.bool_]], Parts], empty: str
) -> Foretold | Undefined:
    if said.predicted is None:
        return Undefined("the model gives no predictions")
    if said.task is Task.BINARY:
        if float(parts(chances[:, 1], said.predicted == 1)[1].sum()) < LEAST:
            return Undefined(empty)
        codes = np.array([1])
    else:
        called = np.unique(said.predicted[said.predicted >= 0])
        codes = np.union1d(called, np.flatnonzero(chances.sum(axis=0) >= LEAST))
        if len(codes) == 0:
            return Undefined("no class is expected or predicted")
    return _macro([(int(code), _ratio(chances[:, code], said.predicted == code, parts)) for code in codes], chances)


def _ratio(chance: Floats, called: NDArray[np.bool_], parts: Callable[[Floats, NDArray[np.bool_]], Parts]) -> Pair:
    """A ratio of two sums (delta method); zero where nothing was summed."""
    above, below = parts(chance, called)
    total = float(below.sum())
    if total == 0.0:
        return 0.0, np.zeros(len(chance)), np.zeros(len(chance))
    value, sure = float(above.sum()) / total, np.ones(len(chance))
    hit, miss = (
        (numerator - value * denominator) * (len(chance) / total)
        for numerator, denominator in (parts(sure, called), parts(0 * sure, called))
    )
    return value, hit, miss


def _precision(said: Answered, chances: Floats) -> Foretold | Undefined:
    return _counted(said, chances, precision_parts, "no row was predicted positive")


def _recall(said: Answered, chances: Floats) -> Foretold | Undefined:
    return _counted(said, chances, recall_parts, "no row is expected to be positive")


def _f1(said: Answered, chances: Floats) -> Foretold | Undefined:
    return _counted(said, chances, f1_parts, "no row is expected or predicted to be positive")


def _ranked(said: Answered, chances: Floats, measure: Callable[[Ranking], ByGroup], both: bool) -> Foretold | Undefined:
    """The mean over the classes; they are ranked by the scores as stated, which is what callers sort by."""
    pairs: list[tuple[int, Pair]] = []
    for code in (1,) if said.task is Task.BINARY else range(len(said.classes)):
        many = float(chances[:, code].sum())
        if many < LEAST or (both and len(said) - many < LEAST):
            return Undefined(f"rows {'with and without' if both else 'of'} {_name(said, code)} must be expected")
        ranking = Ranking.of(_scores(said)[:, code], chances[:, code])
        value, by_hit, by_miss = measure(ranking)
        hit, miss = np.empty(len(said)), np.empty(len(said))
        hit[ranking.order], miss[ranking.order] = by_hit[ranking.group], by_miss[ranking.group]
        pairs.append((code, (value, hit, miss)))
    return _macro(pairs, chances)


def _auc(said: Answered, chances: Floats) -> Foretold | Undefined:
    return _ranked(said, chances, auc_by_group, both=True)


def _average_precision(said: Answered, chances: Floats) -> Foretold | Undefined:
    return _ranked(said, chances, average_precision_by_group, both=False)


def _log_loss(said: Answered, chances: Floats) -> Foretold:
    return _mean(-np.log(np.clip(_scores(said), SMALLEST, 1 - SMALLEST)), chances)


def _brier(said: Answered, chances: Floats) -> Foretold:
    scores = _scores(said)
    if said.task is Task.BINARY:
        stated = scores[:, 1]
        return _mean(np.column_stack((stated**2, (1 - stated) ** 2)), chances)
    squares = (scores * scores).sum(axis=1, keepdims=True)
    return _mean(np.maximum(squares - 2 * scores + 1, 0.0), chances)


def _scores(said: Answered) -> Floats:
    assert said.scores is not None  # noqa: S101 - callers look with `unreadable` first
    return said.scores


def _name(said: Answered, code: int) -> str:
    return "the positive class" if said.task is Task.BINARY else f"class '{said.classes[code]}'"


_EXPECTED: Final[dict[str, Callable[[Answered, Floats], Foretold | Undefined]]] = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "auc": _auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "brier": _brier,
}
EXPECTED: Final = tuple(_EXPECTED)
"""Metrics of classes that can be expected without labels.

The calibration error is not among them: it is made of the very difference of stated and observed that is not observed.
"""
