"""What an answer lost: a number from 0 to the largest loss of its guard, by which versions are compared."""

from collections.abc import Callable
from typing import Final

import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.rollouts.answers import FEATURE, LOSS, Answers
from headgate.rollouts.guards import Guard, Measure


def losses(guard: Guard, answers: Answers, classes: tuple[str, ...] = ()) -> Floats:
    """What each answer lost; NaN where its truth is not known.

    An input its version did not answer lost all there is to lose. `classes` are those of the contract, as text.
    """
    if guard.metric is Measure.ERRORS:
        return answers.failed.astype(np.float64)
    if guard.metric is Measure.SQL:
        return _asked(guard, answers)
    if guard.metric is Measure.VALUE:
        lost = _unearned(guard, answers, classes)
    else:
        lost = _LOSSES[guard.metric](guard, answers)
    lost = np.where(answers.failed, largest(guard), lost)
    lost[~answers.labelled] = np.nan
    return lost


def largest(guard: Guard) -> float:
    """The largest loss of one row."""
    if guard.metric is Measure.VALUE:
        low, high = _worths(guard)
        return (high - low) * (guard.cap or 1.0)
    return 1.0 if guard.cap is None else guard.cap


def _wrong(guard: Guard, answers: Answers) -> Floats:
    found: Floats = (answers.predicted != answers.truth).astype(np.float64)
    return found


def _squared(guard: Guard, answers: Answers) -> Floats:
    """Half of Brier's score, so that it lies between 0 and 1 for any number of classes."""
    if answers.scores is None:
        return np.full(len(answers), np.nan)
    hit = np.zeros_like(answers.scores)
    rows = np.flatnonzero(answers.labelled)
    hit[rows, answers.truth[rows]] = 1.0
    found: Floats = np.minimum(((answers.scores - hit) ** 2).sum(axis=1) / 2, 1.0)
    return found


def _off(guard: Guard, answers: Answers) -> Floats:
    found: Floats = np.minimum(np.abs(answers.predicted - answers.truth), largest(guard))
    return found


_LOSSES: Final[dict[Measure, Callable[[Guard, Answers], Floats]]] = {
    Measure.ACCURACY: _wrong,
    Measure.CALIBRATION: _squared,
    Measure.ABSOLUTE_ERROR: _off,
}


def _unearned(guard: Guard, answers: Answers, classes: tuple[str, ...]) -> Floats:
    """How much less a decision was worth than the best there is."""
    worth = guard.worth or {}
    table = np.array([[worth.get(said, {}).get(true, 0.0) for true in classes] for said in classes])
    known = answers.labelled & (answers.predicted >= 0)
    value = np.zeros(len(answers))
    value[known] = table[answers.predicted[known], answers.truth[known]]
    if guard.column is not None:
        value *= np.clip(np.nan_to_num(answers.more[FEATURE + guard.column]), 0.0, guard.cap)
    found: Floats = np.clip(_worths(guard)[1] * (guard.cap or 1.0) - value, 0.0, largest(guard))
    return found


def _worths(guard: Guard) -> tuple[float, float]:
    """The least and the most a decision may be worth, nothing among it."""
    stated = [each for row in (guard.worth or {}).values() for each in row.values()]
    return min(0.0, *stated, 0.0), max(0.0, *stated, 0.0)


def _asked(guard: Guard, answers: Answers) -> Floats:
    lost: Floats = answers.more[LOSS + (guard.query or "")]
    known = lost[~np.isnan(lost)]
    if len(known) and not (known.min() >= 0.0 and known.max() <= largest(guard)):
        raise BadInput("query", "range", f"a loss must lie between 0 and the cap, {largest(guard):g}")
    return lost
