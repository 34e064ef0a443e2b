"""Times as counts: right to one per cent, however they are laid together."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headgate.monitors.watch.times import Times

MICROSECONDS = st.lists(st.integers(0, 10**10), min_size=1, max_size=60)


@given(MICROSECONDS, st.floats(0.001, 1.0))
def test_quantiles_are_right_to_one_per_cent(values: list[int], share: float) -> None:
    exact = sorted(max(each, 1) for each in values)[math.ceil(share * len(values)) - 1] / 1000
    found = Times.of(np.array(values)).quantile(share)
    assert found is not None
    assert abs(found - exact) <= 0.01 * exact


@given(MICROSECONDS, MICROSECONDS)
def test_together_is_as_if_counted_as_one(one: list[int], other: list[int]) -> None:
    both = Times.of(np.array(one)).merged(Times.of(np.array(other)))
    assert both == Times.of(np.array(one + other))
    assert both.count == len(one) + len(other)


def test_nothing_has_no_quantile() -> None:
    assert Times().quantile(0.5) is None
    assert Times().merged(Times()) == Times()
