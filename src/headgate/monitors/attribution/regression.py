"""Two regressions on the same columns, each row answered by a fit that has not seen it.

`overlap` asks the logistic one for the window a row is from, `split` the linear one for its loss. Both are penalised
(ridge), so that columns that repeat each other and windows that do not meet have an answer.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.processor import side_by_side

FOLDS: Final = 5
"""Parts of the rows, each of which is answered by a fit to the others."""
PENALTY: Final = 1.0
"""Price of a squared coefficient of a standardised column; a likelihood takes half of it, and the intercept is free."""
_STEPS: Final = 50
"""Of Newton's method, at most."""
_SHRUNK: Final = 0.25
"""Part of the step before that a step may have at most, where the curvature is that of a place before."""
_HALVINGS: Final = 8
"""Of a step that does not help, before it is given up."""
_CLOSE: Final = 1e-6
"""A step all of whose parts are smaller is the last: it moves no chance by as much."""
_FARTHEST: Final = 30.0
"""Log odds beyond which a float64 chance is 0 or 1 for every purpose here."""


def folds(is_current: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """The fold of each row, 0 to `FOLDS` - 1, as many rows of either window in each as can be.

    >>> np.sort(folds(np.array([True] * 5 + [False] * 5), seed=0)[:5]).tolist()
    [0, 1, 2, 3, 4]
    """
    random, found = np.random.default_rng(seed), np.zeros(len(is_current), np.intp)
    for side in (is_current, ~is_current):
        places = random.permutation(np.flatnonzero(side))
        found[places] = np.arange(len(places)) % FOLDS
    return found


def linear(matrix: Floats, target: Floats, fold: NDArray[np.intp]) -> Floats:
    """Predictions of `target` from the columns of `matrix`, out of fold.

    >>> column = np.linspace(-1.0, 1.0, 500)[:, None]
    >>> fold = np.arange(500) % FOLDS
    >>> bool(np.abs(linear(column, 2 * column[:, 0] + 1, fold) - (2 * column[:, 0] + 1)).max() < 0.05)
    True
    """
    whole, penalty = _with_intercept(matrix)
    parts = [whole[fold == each] for each in range(FOLDS)]
    grams = [part.T @ part for part in parts]  # of one array with itself: half of the products are enough
    sides = [part.T @ target[fold == each] for each, part in enumerate(parts)]
    gram, side, found = np.sum(grams, axis=0) + np.diag(penalty), np.sum(sides, axis=0), np.zeros(len(target))
    for each in range(FOLDS):
        held = fold == each
        found[held] = whole[held] @ np.linalg.solve(gram - grams[each], side - sides[each])
    return found


def logistic(matrix: Floats, target: NDArray[np.bool_], fold: NDArray[np.intp]) -> Floats:
    """Log odds that a row is one of `target`, each from a fit to the other folds.

    >>> column, fold = np.linspace(-1.0, 1.0, 500)[:, None], np.arange(500) % FOLDS
    >>> odds = logistic(column, column[:, 0] > 0, fold)
    >>> bool((np.sign(odds) == np.sign(column[:, 0])).mean() > 0.99)
    True
    """
    whole, penalty = _with_intercept(matrix)
    start, found = newton(whole, target, np.zeros(whole.shape[1]), penalty), np.zeros(len(target))
    # Four fifths of the rows curve as all do, near enough to begin with.
    curvature = _curvature(whole, whole @ start, penalty) * (1 - 1 / FOLDS)

    def answer(each: int) -> None:
        held = fold == each
        found[held] = whole[held] @ newton(whole[~held], target[~held], start, penalty, curvature)

    side_by_side(answer, range(FOLDS))
    return found


def calibrated(odds: Floats, target: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Log odds scaled and moved to fit `target` (Platt 1999), and the slope: 1 where they were right as they are.

    A slope is never below zero: odds that point the wrong way become the same for all rows.

    >>> odds, slope = calibrated(np.array([5.0, -5.0, 5.0, -5.0]), np.array([True, True, False, False]))
    >>> bool(np.abs(odds).max() < 1e-6), abs(slope) < 1e-6
    (True, True)
    """
    line = np.column_stack((np.ones(len(odds)), odds))
    level, slope = newton(line, target, np.zeros(2), np.array([1e-6, 1e-6]))
    if slope < 0:
        share = float(np.clip(target.mean(), 1e-6, 1 - 1e-6))
        return np.full(len(odds), np.log(share / (1 - share))), 0.0
    return level + slope * odds, float(slope)


def fitted(matrix: Floats, target: NDArray[np.bool_]) -> Floats:
    """Log odds of a fit to all rows, for weights that are not judged on them."""
    whole, penalty = _with_intercept(matrix)
    odds: Floats = whole @ newton(whole, target, np.zeros(whole.shape[1]), penalty)
    return odds


def sigmoid(odds: Floats) -> Floats:
    """Chances of log odds.

    >>> sigmoid(np.array([0.0, 1e9])).round(6).tolist()
    [0.5, 1.0]
    """
    chance: Floats = 1 / (1 + np.exp(-np.clip(odds, -_FARTHEST, _FARTHEST)))
    return chance


def newton(
    matrix: Floats,
    target: NDArray[np.bool_],
    start: Floats,
    penalty: Floats,
    curvature: Floats | None = None,
) -> Floats:
    """Coefficients of a penalised logistic regression, by Newton's method; a step that does not help is halved.

    The greatest of likelihood less half the penalty is one alone, so `start`, and about which `curvature` is there, say
    how soon it is found and not where.
    The curvature, which is most of what a step costs, is worked out anew where steps do not shrink fast without
    (Shamanskii 1967, "A modification of Newton's method").
    """
    found, odds, last = start, matrix @ start, math.inf
    best = _likelihood(odds, target, found, penalty)
    curvature = _curvature(matrix, odds, penalty) if curvature is None else curvature
    for _ in range(_STEPS):
        gradient = matrix.T @ (target - sigmoid(odds)) - penalty * found
        step = np.linalg.solve(curvature, gradient)
        if _longest(step) > _SHRUNK * last:
            curvature = _curvature(matrix, odds, penalty)
            step = np.linalg.solve(curvature, gradient)
        moved = matrix @ step
        for _ in range(_HALVINGS):
            reached = _likelihood(odds + moved, target, found + step, penalty)
            if reached >= best:
                break
            step, moved = step / 2, moved / 2
        else:
            return found
        found, odds, best, last = found + step, odds + moved, reached, _longest(step)
        if last < _CLOSE:
            break
    return found


def _longest(step: NDArray[Any]) -> float:
    return float(np.abs(step).max())


def _curvature(matrix: Floats, odds: Floats, penalty: Floats) -> Floats:
    """How fast the gradient falls, (columns, columns)."""
    chance = sigmoid(odds)
    weighted = matrix * np.sqrt(chance * (1 - chance))[:, None]
    # Of a matrix with itself only half of the products are worked out.
    found: Floats = weighted.T @ weighted + np.diag(penalty)
    return found


def _likelihood(odds: Floats, target: NDArray[np.bool_], coefficients: Floats, penalty: Floats) -> float:
    return float((target * odds - np.logaddexp(0.0, odds)).sum() - (penalty * coefficients**2).sum() / 2)


def _with_intercept(matrix: Floats) -> tuple[Floats, Floats]:
    """The columns behind one of ones, and the penalty of each."""
    penalty = np.full(matrix.shape[1] + 1, PENALTY)
    penalty[0] = 1e-6
    return np.column_stack((np.ones(len(matrix)), matrix)), penalty
