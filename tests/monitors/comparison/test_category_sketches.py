"""Counts of categories are wrong by no more than a sketch says, and too many categories are no drift by themselves."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evaluation.estimate import Undefined
from headgate.monitors.comparison.category_sketches import BUCKETS, CategorySketch, category_sketch, compared_cells
from headgate.monitors.comparison.contingency import table_test


@settings(max_examples=50)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 50)), min_size=1, max_size=5),
    st.integers(1, 12),
)
def test_counts_are_wrong_by_no_more_than_said(windows: list[dict[str, int]], capacity: int) -> None:
    sketch, true = category_sketch({}, capacity=capacity), dict[str, int]()
    for window in windows:
        sketch = sketch.merged(category_sketch(window, capacity=capacity))
        for name, count in window.items():
            true[name] = true.get(name, 0) + count
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sketch), type=CategorySketch) == sketch
    assert (sketch.rows, sum(sketch.buckets.values())) == (sum(true.values()), sum(true.values()))
    assert len(sketch.counts) <= capacity
    assert sketch.error <= sketch.rows / (capacity + 1)
    for name, count in true.items():
        assert sketch.counts.get(name, 0) <= count <= sketch.counts.get(name, 0) + sketch.error


def test_sketches_of_two_capacities_are_not_added_up() -> None:
    with pytest.raises(BadInput, match="capacity"):
        category_sketch({}).merged(category_sketch({}, capacity=3))


def test_tens_of_thousands_of_categories_are_no_drift_by_themselves() -> None:
    random, p_values = np.random.default_rng(9), []
    names = np.array([f"user-{each}" for each in range(20_000)])
    for _ in range(10):
        sides = []
        for _ in range(2):
            found, counts = np.unique(random.integers(0, 20_000, 30_000), return_counts=True)
            sides.append(category_sketch(dict(zip(names[found].tolist(), counts.tolist(), strict=True)), capacity=500))
        cells = compared_cells(*sides)
        assert (len(cells.reference), cells.what) == (BUCKETS, "buckets of categories")
        tested = table_test(cells.reference, cells.current)
        assert not isinstance(tested, Undefined)
        p_values.append(tested.p)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 10)
