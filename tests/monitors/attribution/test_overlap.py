"""What windows share, how it is weighted, and what speaks against the weights."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from headgate.monitors.attribution import regression
from headgate.monitors.attribution.overlap import FARTHEST, overlap

ROWS = 3000
CURRENT = np.arange(2 * ROWS) >= ROWS


def columns(shift: float, seed: int = 0) -> NDArray[np.float64]:
    matrix = np.random.default_rng(seed).normal(size=(2 * ROWS, 2))
    matrix[CURRENT, 0] += shift
    found: NDArray[np.float64] = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    return found


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 2.0])
def test_weights_make_the_shared_rows_look_alike(shift: float) -> None:
    matrix = columns(shift)
    found = overlap(matrix, CURRENT, 0)
    assert found.checks.failed == ()
    assert found.checks.imbalance_after < 0.1
    assert found.checks.imbalance_before == pytest.approx(shift / math.sqrt(1 + shift**2 / 4), abs=0.08)
    assert bool((found.weights[found.shared] > 0).all())
    assert bool((found.weights[~found.shared] == 0).all())


@pytest.mark.parametrize("shift", [1.0, 2.0, 3.0])
def test_rows_without_a_counterpart_are_those_beyond_the_density_ratio(shift: float) -> None:
    found = overlap(columns(shift), CURRENT, 0)
    # log ratio is shift * (x - shift / 2) with x of either window normal.
    edge = math.log(FARTHEST) / shift + shift / 2
    inside = 0.5 * (math.erf(edge / math.sqrt(2)) - math.erf((shift - edge) / math.sqrt(2)))
    assert found.checks.reference_share == pytest.approx(inside, abs=0.03)
    assert found.checks.current_share == pytest.approx(inside, abs=0.03)


def test_chances_are_what_they_say_for_windows_of_any_size() -> None:
    current = np.arange(2 * ROWS) >= 5000
    random = np.random.default_rng(5)
    x = random.normal(size=2 * ROWS) + current
    found = overlap(((x - x.mean()) / x.std())[:, None], current, 0)
    assert float(found.chance.mean()) == pytest.approx(1 / 6, abs=0.01)
    truth = 1 / (1 + 5 * np.exp(-(x - 0.5)))
    assert float(np.abs(found.chance - truth).mean()) < 0.03
    assert found.checks.slope == pytest.approx(1.0, abs=0.1)


def test_windows_that_cannot_be_told_apart_have_one_chance_for_all() -> None:
    found = overlap(columns(0.0), CURRENT, 0)
    assert float(found.chance.std()) < 0.02
    assert found.checks.separation == pytest.approx(0.5, abs=0.03)
    assert found.checks.reference_rows > 0.99 * ROWS


def test_a_classifier_that_cannot_see_the_difference_is_found_out() -> None:
    # Either window has its numbers on one diagonal: no column of its own moved, only their product would tell.
    random = np.random.default_rng(2)
    x, side = random.normal(size=2 * ROWS), np.where(CURRENT, 1.0, -1.0)
    y = side * x + random.normal(size=2 * ROWS)
    seen = np.column_stack((x / x.std(), y / y.std()))
    told = np.column_stack((seen, x * y / (x * y).std()))
    assert overlap(seen, CURRENT, 0).checks.separation < 0.55
    assert overlap(told, CURRENT, 0).checks.separation > 0.75


def test_a_classifier_that_is_wrong_far_out_speaks_against_itself() -> None:
    random = np.random.default_rng(3)
    spread = random.normal(size=2 * ROWS) * np.where(CURRENT, 3.0, 1.0)
    found = overlap((spread / spread.std())[:, None], CURRENT, 0)
    assert "foretold wrongly" in found.checks.failed[0]  # a line sees nothing of it, and rows far out tell
    step = np.where(np.abs(spread) > 2, 1.0, 0.0)
    matrix = np.column_stack((spread / spread.std(), (step - step.mean()) / step.std()))
    assert overlap(matrix, CURRENT, 0).checks.imbalance_after < 0.1


def test_too_little_in_common_is_said_with_how_much() -> None:
    found = overlap(columns(9.0), CURRENT, 0)
    assert "effective rows, 100 are needed" in found.checks.failed[0]
    assert "0% of the current rows" in found.checks.failed[1]


def test_folds_hold_either_window_in_equal_parts_and_follow_their_seed() -> None:
    current = np.arange(1003) >= 400
    fold = regression.folds(current, 3)
    assert np.ptp(np.bincount(fold[current])) <= 1
    assert np.ptp(np.bincount(fold[~current])) <= 1
    assert bool((regression.folds(current, 3) == fold).all())
    assert not bool((regression.folds(current, 4) == fold).all())


def test_separable_rows_have_a_finite_fit() -> None:
    matrix = np.where(CURRENT, 1.0, -1.0)[:, None]
    odds = regression.fitted(matrix, CURRENT)
    assert bool(np.isfinite(odds).all())
    assert float(np.abs(odds).max()) > 3


def test_coefficients_are_those_that_no_step_improves() -> None:
    random = np.random.default_rng(8)
    matrix = random.normal(size=(500, 3))
    target = random.random(500) < regression.sigmoid(matrix @ np.array([1.0, -2.0, 0.0]))
    penalty = np.ones(3)
    found = regression.newton(matrix, target, np.zeros(3), penalty)
    gradient = matrix.T @ (target - regression.sigmoid(matrix @ found)) - penalty * found
    assert float(np.abs(gradient).max()) < 1e-6
