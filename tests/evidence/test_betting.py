"""Bets on the mean of bounded values."""

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.betting import BettingTest, paired


def test_the_opposite_null_is_the_same_test_of_mirrored_values() -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 500)
    less = BettingTest(low=-1.0, high=1.0, mean=0.2, alternative="less")
    mirrored = BettingTest(low=-1.0, high=1.0, mean=-0.2)
    assert less.update(less.start(), values) == mirrored.update(mirrored.start(), -values)


def test_a_version_one_point_worse_is_found_and_an_equal_one_is_not() -> None:
    random = np.random.default_rng(2)
    test = paired()
    first = (random.random(20_000) < 0.10).astype(float)
    equal = np.where(random.random(20_000) < 0.9, first, (random.random(20_000) < 0.10).astype(float))
    worse = np.maximum(first, (random.random(20_000) < 0.03).astype(float))
    assert not test.update(test.start(), equal - first).rejects(0.01)
    assert test.update(test.start(), worse - first).rejects(0.01)


@pytest.mark.parametrize("mean", [0.0, 1.0, -2.0, float("nan")])
def test_a_mean_that_no_value_can_be_beyond_is_refused(mean: float) -> None:
    with pytest.raises(BadInput, match="mean"):
        BettingTest(low=0.0, high=1.0, mean=mean)


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), float("inf")])
def test_a_value_outside_the_range_is_refused(value: float) -> None:
    test = BettingTest(low=0.0, high=1.0, mean=0.5)
    with pytest.raises(BadInput, match="must be numbers from 0 to 1"):
        test.update(test.start(), np.array([0.5, value]))


def test_the_boldest_bet_survives_the_worst_there_can_be() -> None:
    test = BettingTest(low=-1.0, high=1.0, mean=0.9)
    assert np.isfinite(test.update(test.start(), np.full(1000, -1.0)).log_e)


def test_pairs_that_are_alike_change_nothing_where_the_margin_is_0() -> None:
    test, values = paired(), np.array([1.0, -1.0, 1.0, 1.0])
    among_others = np.zeros(12)
    among_others[::3] = values
    alone, mixed = test.update(test.start(), values), test.update(test.start(), among_others)
    assert mixed.log_weights == pytest.approx(alone.log_weights)
    assert mixed.log_peak == pytest.approx(alone.log_peak)
