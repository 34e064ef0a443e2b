"""Intervals that may be looked at all the time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.confidence import mean_interval, ratio_interval

ALPHA = 0.05


def test_the_truth_is_hardly_ever_left_out_however_often_somebody_looks() -> None:
    random, misses, runs = np.random.default_rng(9), 0, 80
    for _ in range(runs):
        values = (random.random(2000) < 0.1).astype(float)
        looks = (mean_interval(values[:end], low=0.0, high=1.0, alpha=ALPHA) for end in range(200, 2001, 200))
        misses += any(not each.low <= 0.1 <= each.high for each in looks)
    assert misses / runs <= ALPHA


def test_the_ratio_is_hardly_ever_left_out_on_a_ramp() -> None:
    random, misses, runs = np.random.default_rng(10), 0, 80
    shares = np.repeat([0.05, 0.25, 0.5], 200)
    odds = shares * 1.5 / (shares * 1.5 + 1 - shares)
    for _ in range(runs):
        ours = random.random(len(shares)) < odds
        looks = (ratio_interval(ours[:end], shares[:end], alpha=ALPHA) for end in range(100, 601, 100))
        misses += any(not each.low <= 1.5 <= each.high for each in looks)
    assert misses / runs <= ALPHA


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.25, 1.0]), max_size=60))
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = mean_interval(np.array(values, float), low=-1.0, high=1.0, alpha=ALPHA)
    assert -1.0 <= found.low <= (np.mean(values) if values else 0.0) <= found.high <= 1.0


def test_more_values_narrow_it() -> None:
    few, many = (mean_interval(np.tile([0.0, 1.0], size), low=0.0, high=1.0, alpha=ALPHA) for size in (50, 5000))
    assert few.low < many.low < 0.5 < many.high < few.high


def test_a_ratio_outside_the_interval_is_one_the_test_rejects() -> None:
    ours, shares = np.tile([True, True, True, False], 200), np.full(800, 0.5)
    found = ratio_interval(ours, shares, alpha=ALPHA)
    for null, rejected in ((found.low * 0.98, True), (found.low * 1.02, False)):
        test = AllocationTest.worse(null)
        assert (test.update(test.start(), ours, shares).log_e >= math.log(2 / ALPHA)) is rejected


def test_events_of_one_arm_alone_bound_one_side() -> None:
    found = ratio_interval(np.ones(100, np.bool_), np.full(100, 0.5), alpha=ALPHA)
    assert found.low > 1
    assert found.high == math.inf


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_values_outside_are_refused(value: float) -> None:
    with pytest.raises(BadInput, match="values"):
        mean_interval(np.array([value]), low=0.0, high=1.0, alpha=ALPHA)


def test_an_empty_range_and_no_error_rate_are_refused() -> None:
    with pytest.raises(BadInput, match="low"):
        mean_interval(np.zeros(0), low=1.0, high=1.0, alpha=ALPHA)
    with pytest.raises(BadInput, match="alpha"):
        mean_interval(np.zeros(0), low=0.0, high=1.0, alpha=0.0)
    with pytest.raises(BadInput, match="alpha"):
        ratio_interval(np.zeros(0, np.bool_), np.zeros(0), alpha=1.0)
