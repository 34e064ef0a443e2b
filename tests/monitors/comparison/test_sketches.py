"""Sketches add up without loss, survive storage, and the truth lies between the bounds they state."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.comparison.test_two_samples import SHAPES, Sample, drawn

from headgate.errors import BadInput
from headgate.evaluation.estimate import Undefined
from headgate.monitors.comparison.category_sketches import (
    BUCKETS,
    category_sketch,
    compared_cells,
    read_category_sketch,
)
from headgate.monitors.comparison.contingency import table_test
from headgate.monitors.comparison.grid_choice import grid_for
from headgate.monitors.comparison.sketched import decile_counts, ks_bounds, wasserstein_bounds
from headgate.monitors.comparison.sketches import NumberSketch, read_sketch, sketch_of
from headgate.monitors.comparison.two_samples import ks_statistic, wasserstein

VALUES = st.lists(
    st.floats(-1e9, 1e9) | st.just(math.nan) | st.just(math.inf) | st.integers(-3, 3).map(float), max_size=40
)


def told(sketch: NumberSketch) -> tuple[object, ...]:
    exact = (sketch.counts.tolist(), sketch.atoms.tolist(), sketch.missing, sketch.infinite, sketch.negative_infinite)
    return (*exact, sketch.astray, sketch.minimum, sketch.maximum)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40).map(np.array), VALUES, VALUES)
def test_windows_add_up_to_what_they_are_together(reference: Sample, first: list[float], second: list[float]) -> None:
    grid = grid_for(np.sort(reference), 256)
    parts = [sketch_of(np.array(each, np.float64), grid) for each in (first, second)]
    whole = sketch_of(np.array(first + second, np.float64), grid)
    assert told(parts[0].merged(parts[1])) == told(parts[1].merged(parts[0])) == told(whole)
    assert parts[0].merged(parts[1]).total == pytest.approx(whole.total, abs=1e-3)
    assert whole.rows + whole.missing + whole.infinite == len(first) + len(second)
    kept = read_sketch(whole.to_bytes())
    assert told(kept) == told(whole)
    assert (kept.grid, kept.total, kept.squares, kept.above, kept.below) == (
        grid, whole.total, whole.squares, whole.above, whole.below,
    )  # fmt: skip


@settings(max_examples=60)
@given(
    shape=st.sampled_from(SHAPES), rows=st.integers(1, 3000), others=st.integers(1, 3000),
    shift=st.sampled_from([0.0, 0.01, 0.3, 5.0, -40.0]), seed=st.integers(0, 99),
    cells=st.sampled_from([64, 1024, 1 << 14]),
)  # fmt: skip
def test_the_truth_lies_between_the_bounds(
    *, shape: str, rows: int, others: int, shift: float, seed: int, cells: int
) -> None:
    reference, current = drawn(shape, rows, seed), drawn(shape, others, seed + 100, shift)
    grid = grid_for(np.sort(reference), cells)
    before, after = sketch_of(reference, grid), sketch_of(current, grid)
    ks, area = ks_bounds(before, after), wasserstein_bounds(before, after)
    true_ks, true_area = (
        ks_statistic(np.sort(reference), np.sort(current)),
        wasserstein(np.sort(reference), np.sort(current)),
    )
    assert ks.low - 1e-12 <= true_ks <= ks.high + 1e-12
    slack = 1e-9 * max(1.0, float(np.abs(reference).max()), float(np.abs(current).max()))
    assert area.low - slack <= true_area <= area.high + slack


@pytest.mark.parametrize("shape", ["normal", "heavy", "both tails", "often zero"])
def test_bounds_are_narrow(shape: str) -> None:
    reference, current = drawn(shape, 200_000, 1), drawn(shape, 200_000, 2, 0.1)
    grid = grid_for(np.sort(reference))
    before, after = sketch_of(reference, grid), sketch_of(current, grid)
    assert ks_bounds(before, after).error <= 0.001
    area = wasserstein_bounds(before, after)
    assert area.error <= 0.01 * area.value + 0.002 * before.deviation


@pytest.mark.parametrize("shape", ["two decimals", "whole", "constant"])
def test_a_value_with_a_cell_of_its_own_is_told_exactly(shape: str) -> None:
    reference, current = drawn(shape, 5000, 1), drawn(shape, 4000, 2)
    grid = grid_for(np.sort(reference))
    before, after = sketch_of(reference, grid), sketch_of(current, grid)
    assert (ks_bounds(before, after).error, wasserstein_bounds(before, after).error) == (0.0, 0.0)
    assert wasserstein_bounds(before, after).value == pytest.approx(wasserstein(np.sort(reference), np.sort(current)))
    assert sketch_of(current + 0.001, grid).astray == 4000


def test_moments_of_a_sketch_are_those_of_its_rows() -> None:
    values = drawn("normal", 10_000, 1) + 1000.0
    sketch = sketch_of(values, grid_for(np.sort(values)))
    assert sketch.mean == pytest.approx(values.mean())
    assert sketch.deviation == pytest.approx(values.std())
    nothing = sketch_of(np.array([np.nan]), sketch.grid)
    assert (math.isnan(nothing.mean), math.isnan(nothing.deviation), nothing.missing) == (True, True, 1)
    huge = np.array([-1e308, 1e308, 3.0])
    assert math.isnan(sketch_of(huge, grid_for(np.sort(huge))).deviation)


def test_bins_of_a_sketch_hold_a_tenth_of_the_reference_each() -> None:
    reference, current = drawn("normal", 50_000, 1), drawn("normal", 1000, 2)
    grid = grid_for(np.sort(reference))
    before, after = decile_counts(sketch_of(reference, grid), sketch_of(current, grid))
    assert np.abs(before / 50_000 - 0.1).max() < 0.001
    assert (len(after), after.sum()) == (10, 1000)


def test_what_cannot_be_added_or_read_is_refused() -> None:
    one, other = (sketch_of(np.arange(9.0), grid_for(np.arange(size))) for size in (9.0, 90.0))
    for refused in (one.merged, lambda other: ks_bounds(one, other), lambda other: wasserstein_bounds(one, other)):
        with pytest.raises(BadInput, match="grid"):
            refused(other)
    with pytest.raises(BadInput, match="finite"):
        ks_bounds(one, sketch_of(np.array([]), one.grid))
    for damaged in (b"", b"\x00", one.to_bytes()[:-1]):
        with pytest.raises(BadInput, match="no sketch"):
            read_sketch(damaged)
        with pytest.raises(BadInput, match="no sketch"):
            read_category_sketch(damaged)
    with pytest.raises(BadInput, match="capacity"):
        category_sketch({}).merged(category_sketch({}, capacity=3))


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 50)), min_size=1, max_size=5),
    st.integers(1, 12),
)
def test_counts_of_categories_are_wrong_by_no_more_than_said(windows: list[dict[str, int]], capacity: int) -> None:
    sketch, true = category_sketch({}, capacity=capacity), dict[str, int]()
    for window in windows:
        sketch = sketch.merged(category_sketch(window, capacity=capacity))
        for name, count in window.items():
            true[name] = true.get(name, 0) + count
    kept = read_category_sketch(sketch.to_bytes())
    assert kept == sketch
    assert (sketch.rows, sum(sketch.buckets.values())) == (sum(true.values()), sum(true.values()))
    assert len(sketch.counts) <= capacity
    assert sketch.error <= sketch.rows / (capacity + 1)
    for name, count in true.items():
        assert sketch.counts.get(name, 0) <= count <= sketch.counts.get(name, 0) + sketch.error


def test_tens_of_thousands_of_categories_are_no_drift_by_themselves() -> None:
    random, p_values = np.random.default_rng(9), []
    names = np.array([f"user-{each}" for each in range(20_000)])
    for _ in range(20):
        sides = []
        for _ in range(2):
            found, counts = np.unique(random.integers(0, 20_000, 30_000), return_counts=True)
            sides.append(category_sketch(dict(zip(names[found].tolist(), counts.tolist(), strict=True)), capacity=500))
        cells = compared_cells(*sides)
        assert len(cells[0]) == BUCKETS
        tested = table_test(*cells)
        assert not isinstance(tested, Undefined)
        p_values.append(tested.p)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 20)
