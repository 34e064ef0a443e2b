"""What a metric is expected to be when only the chance of each label is known.

Confidence-based performance estimation (CBPE): where a label would be counted as 1 or 0, its chance is counted.
The parts of `headgate.evaluation` do the counting, so with chances of 0 and 1 a figure is the realised one.
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.classification import Parts, f1_parts, precision_parts, recall_parts
from headgate.evaluation.estimate import Floats, Reading, Undefined, ratio
from headgate.evaluation.probability import SMALLEST
from headgate.evaluation.ranking import ByGroup, auc_by_group, average_precision_by_group
from headgate.evaluation.rows import Ranking
from headgate.monitors.answered import Answered
from headgate.vocabulary import Task

LEAST: Final = 0.5
"""Rows of a class that must be expected before a figure speaks of the class: half a row, rounded, is one."""


def expected(said: Answered, chances: Floats, names: Iterable[str]) -> dict[str, Reading | Undefined]:
    """What each metric is expected to be, with how far each row moves it; no intervals yet.

    `chances` is the chance of each class, (rows, classes), at least one row; `said` must have scores. A value is
    a plug-in: sums of chances in the place of sums of labels, so a ratio is the ratio of expectations.

    >>> said = Answered(Task.BINARY, np.array([1, 0]), np.array([[0.1, 0.9], [0.8, 0.2]]), ("no", "yes"))
    >>> found = expected(said, said.scores, ["accuracy", "precision"])
    >>> round(found["accuracy"].value, 3), round(found["precision"].value, 3)
    (0.85, 0.9)
    """
    return {name: _EXPECTED[name](said, chances) for name in names}


def _known(value: float, influence: Floats) -> Reading:
    return Reading(value, None, None, influence)


def _mean(values: Floats) -> Reading:
    value = float(values.mean())
    return _known(value, values - value)


def _accuracy(said: Answered, chances: Floats) -> Reading | Undefined:
    if said.predicted is None:
        return Undefined("the model gives no predictions")
    codes = np.maximum(said.predicted, 0)
    # An answer that is none of the classes is wrong whatever the label.
    return _mean(np.where(said.predicted >= 0, chances[np.arange(len(said)), codes], 0.0))


def _counted(
    said: Answered, chances: Floats, parts: Callable[[Floats, NDArray[np.bool_]], Parts], empty: str
) -> Reading | Undefined:
    if said.predicted is None:
        return Undefined("the model gives no predictions")
    if said.task is Task.BINARY:
        above, below = parts(chances[:, 1], said.predicted == 1)
        return Undefined(empty) if float(below.sum()) < LEAST else _known(*ratio(above, below))
    called = np.unique(said.predicted[said.predicted >= 0])
    seen = np.union1d(called, np.flatnonzero(chances.sum(axis=0) >= LEAST))
    each = [ratio(*parts(chances[:, code], said.predicted == code)) for code in seen]
    if not each:
        return Undefined("no class is expected or predicted")
    return _known(float(np.mean([value for value, _ in each])), np.mean([moved for _, moved in each], axis=0))


def _precision(said: Answered, chances: Floats) -> Reading | Undefined:
    return _counted(said, chances, precision_parts, "no row was predicted positive")


def _recall(said: Answered, chances: Floats) -> Reading | Undefined:
    return _counted(said, chances, recall_parts, "no row is expected to be positive")


def _f1(said: Answered, chances: Floats) -> Reading | Undefined:
    return _counted(said, chances, f1_parts, "no row is expected or predicted to be positive")


def _ranked(said: Answered, chances: Floats, measure: Callable[[Ranking], ByGroup], both: bool) -> Reading | Undefined:
    """The mean over the classes; they are ranked by the scores as stated, which is what callers sort by."""
    codes = (1,) if said.task is Task.BINARY else range(len(said.classes))
    total, influence = 0.0, np.zeros(len(said))
    for code in codes:
        many = float(chances[:, code].sum())
        if many < LEAST or (both and len(said) - many < LEAST):
            return Undefined(f"rows {'with and without' if both else 'of'} {_name(said, code)} must be expected")
        ranking = Ranking.of(_scores(said)[:, code], chances[:, code])
        value, hit, miss = measure(ranking)
        chance = chances[ranking.order, code]
        total += value
        influence[ranking.order] += chance * hit[ranking.group] + (1 - chance) * miss[ranking.group]
    return _known(total / len(codes), influence / len(codes))


def _auc(said: Answered, chances: Floats) -> Reading | Undefined:
    return _ranked(said, chances, auc_by_group, both=True)


def _average_precision(said: Answered, chances: Floats) -> Reading | Undefined:
    return _ranked(said, chances, average_precision_by_group, both=False)


def _log_loss(said: Answered, chances: Floats) -> Reading:
    return _mean((chances * -np.log(np.clip(_scores(said), SMALLEST, 1 - SMALLEST))).sum(axis=1))


def _brier(said: Answered, chances: Floats) -> Reading:
    scores = _scores(said)
    if said.task is Task.BINARY:
        stated, chance = scores[:, 1], chances[:, 1]
        return _mean(chance * (1 - stated) ** 2 + (1 - chance) * stated**2)
    return _mean(np.maximum((scores * scores).sum(axis=1) - 2 * (chances * scores).sum(axis=1) + 1, 0.0))


def _scores(said: Answered) -> Floats:
    assert said.scores is not None  # noqa: S101 - callers look with `unreadable` first
    return said.scores


def _name(said: Answered, code: int) -> str:
    return "the positive class" if said.task is Task.BINARY else f"class '{said.classes[code]}'"


_EXPECTED: Final[dict[str, Callable[[Answered, Floats], Reading | Undefined]]] = {
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
