"""A regression finds the one place where likelihood less half the penalty is greatest, whatever that costs."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from headgate.monitors.attribution.regression import FOLDS, PENALTY, fitted, folds, linear, logistic, newton

ROWS = 2000
Floats = NDArray[np.float64]


def rows(shift: float, columns: int, seed: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Rows of two windows that lie `shift` standard deviations apart in the first column."""
    random = np.random.default_rng(seed)
    current = np.arange(ROWS) >= ROWS // 2
    matrix = random.normal(size=(ROWS, columns))
    matrix[:, 1] = matrix[:, 0] + random.normal(size=ROWS) / 100
    matrix[current, 0] += shift
    return (matrix - matrix.mean(axis=0)) / matrix.std(axis=0), current


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0, 20.0])
@pytest.mark.parametrize("columns", [2, 30])
def test_coefficients_are_scikit_learns_wherever_it_begins(shift: float, columns: int) -> None:
    matrix, current = rows(shift, columns, seed=columns)
    judge = LogisticRegression(C=1 / PENALTY, fit_intercept=False, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    expected = judge.fit(matrix, current).coef_[0]
    for start in (np.zeros(columns), np.full(columns, 3.0)):
        found = newton(matrix, current, start, np.full(columns, PENALTY))
        assert found == pytest.approx(expected, abs=1e-5)


def test_every_row_is_answered_by_a_fit_to_the_other_folds() -> None:
    matrix, current = rows(1.0, 5, seed=3)
    fold = folds(current, 7)
    found = logistic(matrix, current, fold)
    whole, penalty = np.column_stack((np.ones(ROWS), matrix)), np.array([1e-6, *[PENALTY] * 5])
    for each in range(FOLDS):
        held = fold == each
        expected = newton(whole[~held], current[~held], np.zeros(6), penalty)
        assert found[held] == pytest.approx(whole[held] @ expected, abs=1e-5)
    assert fitted(matrix, current) == pytest.approx(found, abs=0.5)


def test_the_linear_one_is_ridge_regression_out_of_fold() -> None:
    matrix, current = rows(1.0, 5, seed=4)
    target, fold = matrix[:, 0] - 2 * matrix[:, 2] + 0.5, folds(current, 7)
    found = linear(matrix, target, fold)
    whole, penalty = np.column_stack((np.ones(ROWS), matrix)), np.diag([1e-6, *[PENALTY] * 5])
    for each in range(FOLDS):
        rest = whole[fold != each]
        expected = np.linalg.solve(rest.T @ rest + penalty, rest.T @ target[fold != each])
        assert found[fold == each] == pytest.approx(whole[fold == each] @ expected, abs=1e-9)
