"""What a reference's losses allow: bounds that chance does not pass, of each season, and words where there are none."""

import math

import numpy as np
import pytest

from headgate.evidence.mixture import Floats
from headgate.monitors.alarms.losses import LEAST, LEAST_OF_SEASON, Direction, bounds_of, shortfall, warnings_of
from headgate.monitors.standing import Shortfall, Standing
from headgate.vocabulary import HOUR


def losses(rows: int, rate: float, seed: int) -> Floats:
    return (np.random.default_rng(seed).random(rows) < rate).astype(float)


def bounds(values: Floats, tolerance: float | None = None, direction: Direction = "worse") -> tuple[float, ...]:
    found = bounds_of(values, np.zeros(len(values), np.int64), 1, tolerance, direction)
    assert not isinstance(found, Shortfall)
    return found


def test_the_bound_is_the_mean_its_uncertainty_and_the_tolerance() -> None:
    values = losses(4000, 0.1, 0)
    mean = values.mean()
    half = 1.96 * math.sqrt(mean * (1 - mean) / 4000)
    assert bounds(values) == pytest.approx((mean + half + min(0.01, 0.1 * mean),), rel=1e-3)
    assert bounds(values, tolerance=0.05) == pytest.approx((mean + half + 0.05,), rel=1e-3)
    assert bounds(values, 0.05, "better") == pytest.approx((mean - half - 0.05,), rel=1e-2)


def test_a_reference_without_a_single_loss_is_not_taken_for_certain() -> None:
    assert 0.003 < bounds(np.zeros(1000))[0] < 0.004


def test_each_season_has_a_bound_of_its_own() -> None:
    seasons = np.arange(4000) % 2
    values = np.where(seasons == 1, losses(4000, 0.3, 1), losses(4000, 0.05, 2))
    found = bounds_of(values, seasons, 2, None, "worse")
    assert found == (bounds(values[seasons == 0])[0], bounds(values[seasons == 1])[0])


def test_a_bound_is_passed_by_chance_in_one_of_forty_references_at_most() -> None:
    random, runs = np.random.default_rng(3), 2000
    passed = sum(bounds((random.random(LEAST) < 0.2).astype(float), 0.0)[0] < 0.2 for _ in range(runs))
    assert passed / runs <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / runs) + 0.005


@pytest.mark.parametrize(
    ("values", "seasons", "direction", "reason"),
    [
        (np.full(2000, 0.999), 1, "worse", "none can be worse by"),
        (np.zeros(2000), 1, "better", "no room to become better by"),
        (np.zeros(2000), 24, "worse", f"fewer than {LEAST_OF_SEASON} labelled rows in 24 of 24 seasons"),
    ],
)
def test_where_there_is_no_bound_the_reason_is_told(
    values: Floats, seasons: int, direction: Direction, reason: str
) -> None:
    found = bounds_of(values, np.arange(len(values)) % seasons, seasons, None, direction)
    assert isinstance(found, Shortfall)
    assert found.standing is Standing.UNDECIDED
    assert reason in found.reason


@pytest.mark.parametrize(
    ("values", "standing", "reason"),
    [
        (np.zeros(LEAST - 1), Standing.UNDECIDED, "the reference has 999 labelled rows; at least 1,000 are needed"),
        (np.zeros(0), Standing.UNDECIDED, "the reference has 0 labelled rows"),
        (np.full(2000, np.nan), Standing.BROKEN, "in the reference 2,000 of 2,000 losses are no numbers"),
        (np.zeros((2000, 2)), Standing.BROKEN, "losses are not one number per row"),
        (np.array(["0"] * 2000), Standing.BROKEN, "losses are not one number per row"),
    ],
)
def test_a_reference_that_says_too_little_says_so(values: Floats, standing: Standing, reason: str) -> None:
    found = shortfall(values, None)
    assert found is not None
    assert found.standing is standing
    assert reason in found.reason


def test_moments_of_a_reference_are_looked_at_too() -> None:
    assert shortfall(np.zeros(2000), np.arange(2000)) is None
    found = shortfall(np.zeros(2000), np.arange(3))
    assert found is not None
    assert found.reason == "in the reference there are 3 moments of 2,000 observations"


def test_errors_in_runs_are_warned_of_unless_a_season_explains_them() -> None:
    at = np.arange(6000) * (HOUR // 20)
    seasons = at // HOUR % 24 // 12
    values = np.where(seasons == 1, losses(6000, 0.6, 4), losses(6000, 0.05, 5))
    assert "follow each other are alike" in warnings_of(values, at, np.zeros(6000, np.int64), 1)[0]
    assert warnings_of(values, at, seasons, 2) == ()
    assert warnings_of(losses(6000, 0.1, 6), None, np.zeros(6000, np.int64), 1) == ()


def test_what_follows_what_is_told_by_time_where_it_is_known() -> None:
    at = np.random.default_rng(7).permutation(4000)
    runs = (np.sin(at / 100) > 0.5).astype(float)
    none = np.zeros(4000, np.int64)
    assert warnings_of(runs, at, none, 1)
    assert not warnings_of(runs, None, none, 1)
