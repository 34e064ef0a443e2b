"""How often a classifier is right: accuracy, precision, recall, F1.

Binary tasks speak of the positive class; multiclass tasks average over the classes that occur in the labels
or in the predictions, each with the same weight (macro), a class never predicted counting zero, as
scikit-learn does. `metrics` calls the figures; monitors count expected labels with the same parts.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats, Reading, Undefined, around, ratio, wilson
from headgate.evaluation.rows import Rows
from headgate.vocabulary import Task

Parts = tuple[Floats, Floats]
"""Numerator and denominator of a ratio, one number per row."""


def accuracy(rows: Rows, z: float) -> Reading:
    """The share of rows whose prediction is the label, with Wilson's interval."""
    right = (rows.truth == _predicted(rows)).astype(np.float64)
    value = float(right.mean())
    return Reading(value, *wilson(float(right.sum()), len(right), z), influence=right - value)


def precision(rows: Rows, z: float) -> Reading | Undefined:
    """The share of rows called positive that are; Wilson's interval, for macro averages the delta method."""
    return _average(rows, z, precision_parts, "no row was predicted positive")


def recall(rows: Rows, z: float) -> Reading | Undefined:
    """The share of positive rows called positive; Wilson's interval, for macro averages the delta method."""
    return _average(rows, z, recall_parts, "no row is labelled positive")


def f1(rows: Rows, z: float) -> Reading | Undefined:
    """The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    With J = TP / (TP + FP + FN), a proportion of the rows that are positive in either sense, F1 = 2 J / (1 + J)
    grows with J; the binary interval is Wilson's for J, carried over (Lam et al. 2023, arXiv 2309.14621,
    the indirect method). Macro averages use the delta method.
    """
    if rows.task is not Task.BINARY:
        return _average(rows, z, f1_parts, "")
    truth, called = rows.truth == 1, _predicted(rows) == 1
    either = int((truth | called).sum())
    if either == 0:
        return Undefined("no row is labelled or predicted positive")
    both = int((truth & called).sum())
    value, influence = ratio(*f1_parts(truth.astype(np.float64), called))
    low, high = (2 * bound / (1 + bound) for bound in wilson(both, either, z))
    return Reading(value, low, high, influence)


def precision_parts(truth: Floats, called: NDArray[np.bool_]) -> Parts:
    """Of the rows called a class, how much of each is of it: 1 or 0, or the chance of it where no label is known.

    >>> above, below = precision_parts(np.array([0.9, 0.2]), np.array([True, False]))
    >>> above.tolist(), below.tolist()
    ([0.9, 0.0], [1.0, 0.0])
    """
    return truth * called, called.astype(np.float64)


def recall_parts(truth: Floats, called: NDArray[np.bool_]) -> Parts:
    """Of the rows of a class, how much of each was called it; `truth` as in `precision_parts`."""
    return truth * called, truth


def f1_parts(truth: Floats, called: NDArray[np.bool_]) -> Parts:
    """2 TP over 2 TP + FP + FN, row by row; `truth` as in `precision_parts`."""
    return 2 * truth * called, truth + called


def _average(
    rows: Rows, z: float, parts: Callable[[Floats, NDArray[np.bool_]], Parts], empty: str
) -> Reading | Undefined:
    predicted = _predicted(rows)
    if rows.task is Task.BINARY:
        above, below = parts((rows.truth == 1).astype(np.float64), predicted == 1)
        trials = float(below.sum())
        if trials == 0:
            return Undefined(empty)
        value, influence = ratio(above, below)
        return Reading(value, *wilson(float(above.sum()), trials, z), influence=influence)
    seen = np.union1d(rows.truth, predicted[predicted >= 0])
    ratios = [ratio(*parts((rows.truth == code).astype(np.float64), predicted == code)) for code in seen]
    value, influence = float(np.mean([each for each, _ in ratios])), np.mean([each for _, each in ratios], axis=0)
    if value in (0.0, 1.0):
        # No row stands out, so the delta method sees no variance; no sample warrants that (as for AUC).
        smallest = max(1, int(rows.support[seen].min()))
        return Reading(value, *wilson(value * smallest, smallest, z), influence=influence)
    return around(value, influence, z, floor=0.0, ceiling=1.0)


def _predicted(rows: Rows) -> NDArray[Any]:
    assert rows.predicted is not None  # noqa: S101 - these metrics declare that they need predictions
    return rows.predicted
