"""An interval for numbers without a bound: right nearly always, and honest about too few."""

import math

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.asymptotic import asymptotic_interval


def test_the_truth_is_hardly_ever_left_out_however_often_somebody_looks() -> None:
    random, misses, runs, alpha = np.random.default_rng(7), 0, 300, 0.1
    for _ in range(runs):
        values = random.exponential(2.0, 3000)
        looks = (asymptotic_interval(values[:end], alpha=alpha) for end in range(200, 3001, 200))
        misses += any(not each.low <= 2.0 <= each.high for each in looks)
    assert misses / runs <= alpha


def test_more_values_narrow_it_and_a_smaller_error_rate_widens_it() -> None:
    few, many = (asymptotic_interval(np.tile([0.0, 3.0], size), alpha=0.05) for size in (50, 5000))
    assert few.low < many.low < 1.5 < many.high < few.high
    surer = asymptotic_interval(np.tile([0.0, 3.0], 5000), alpha=0.001)
    assert surer.low < many.low
    assert surer.high > many.high


def test_it_moves_with_its_values() -> None:
    values = np.random.default_rng(3).normal(size=400)
    plain, moved = (asymptotic_interval(each, alpha=0.05) for each in (values, 10 * values - 4))
    assert moved.low == pytest.approx(10 * plain.low - 4)
    assert moved.high == pytest.approx(10 * plain.high - 4)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
def test_too_few_or_equal_values_say_nothing(values: list[float]) -> None:
    found = asymptotic_interval(np.array(values), alpha=0.05)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_an_error_rate_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput):
        asymptotic_interval(np.zeros(3), alpha=0.0)
