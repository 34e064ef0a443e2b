"""The truth lies between the bounds that two sketches state, and the bounds are narrow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.comparison.samples import SHAPES, drawn

from headgate.errors import BadInput
from headgate.monitors.comparison.grid_choice import grid_for
from headgate.monitors.comparison.sketched import decile_counts, ks_bounds, wasserstein_bounds
from headgate.monitors.comparison.sketches import sketch_of
from headgate.monitors.two_samples import ks_statistic, wasserstein


@settings(max_examples=60)
@given(
    shape=st.sampled_from(SHAPES), rows=st.integers(1, 3000), others=st.integers(1, 3000),
    shift=st.sampled_from([0.0, 0.01, 0.3, 5.0, -40.0]), seed=st.integers(0, 99),
    cells=st.sampled_from([64, 1024, 1 << 14]),
)  # fmt: skip
def test_the_truth_lies_between_the_bounds(
    *, shape: str, rows: int, others: int, shift: float, seed: int, cells: int
) -> None:
    reference, current = np.sort(drawn(shape, rows, seed)), np.sort(drawn(shape, others, seed + 100, shift))
    grid = grid_for(reference, cells)
    before, after = sketch_of(reference, grid), sketch_of(current, grid)
    ks, area = ks_bounds(before, after), wasserstein_bounds(before, after)
    assert ks.low - 1e-12 <= ks_statistic(reference, current) <= ks.high + 1e-12
    largest = max(np.abs(reference).max(), np.abs(current).max())
    slack = 1e-9 * (max(reference[-1], current[-1]) - min(reference[0], current[0])) + 4 * np.spacing(largest)
    assert area.low - slack <= wasserstein(reference, current) <= area.high + slack


@pytest.mark.parametrize("shape", ["normal", "heavy", "both tails", "often zero"])
def test_bounds_are_narrow(shape: str) -> None:
    reference, current = drawn(shape, 200_000, 1), drawn(shape, 200_000, 2, 0.1)
    grid = grid_for(np.sort(reference))
    before, after = sketch_of(reference, grid), sketch_of(current, grid)
    assert ks_bounds(before, after).error <= 0.001
    area = wasserstein_bounds(before, after)
    assert area.error <= 0.01 * area.value + 0.002 * before.deviation


def test_a_frequent_value_that_becomes_rarer_is_told_from_its_neighbours() -> None:
    random = np.random.default_rng(4)
    continuous = random.normal(size=20_000) / 3
    reference, current = np.append(continuous, np.zeros(8000)), np.append(continuous, np.zeros(4000))
    grid = grid_for(np.sort(reference))
    before, after = sketch_of(reference, grid), sketch_of(current, grid)
    bounds = ks_bounds(before, after)
    assert bounds.error < 0.001
    assert bounds.low <= ks_statistic(np.sort(reference), np.sort(current)) <= bounds.high


@pytest.mark.parametrize("shape", ["two decimals", "whole", "constant"])
def test_a_value_with_a_cell_of_its_own_is_told_exactly(shape: str) -> None:
    reference, current = drawn(shape, 5000, 1), drawn(shape, 4000, 2)
    grid = grid_for(np.sort(reference))
    before, after = sketch_of(reference, grid), sketch_of(current, grid)
    assert (ks_bounds(before, after).error, wasserstein_bounds(before, after).error) == (0.0, 0.0)
    assert wasserstein_bounds(before, after).value == pytest.approx(wasserstein(np.sort(reference), np.sort(current)))
    assert sketch_of(current + 0.001, grid).totals.astray == 4000


def test_bins_hold_a_tenth_of_the_reference_each() -> None:
    reference, current = drawn("normal", 50_000, 1), drawn("normal", 1000, 2)
    grid = grid_for(np.sort(reference))
    before, after = decile_counts(sketch_of(reference, grid), sketch_of(current, grid))
    assert np.abs(before / 50_000 - 0.1).max() < 0.001
    assert (len(after), after.sum()) == (10, 1000)


@pytest.mark.parametrize("constant", [7.0, 1 / 3, 1e12])
def test_what_lies_below_or_above_a_constant_is_in_bins_of_its_own(constant: float) -> None:
    reference, current = np.full(50, constant), np.array([-1.0, 0.0, constant, 1e15])
    grid = grid_for(reference)
    before, after = decile_counts(sketch_of(reference, grid), sketch_of(current, grid))
    assert (before.tolist(), after.tolist()) == ([0, 50, 0], [2, 1, 1])


def test_what_was_counted_on_two_grids_is_not_compared() -> None:
    one, other = (sketch_of(np.arange(9.0), grid_for(np.arange(size))) for size in (9.0, 90.0))
    for compared in (ks_bounds, wasserstein_bounds, decile_counts):
        with pytest.raises(BadInput, match="grid"):
            compared(one, other)
        with pytest.raises(BadInput, match="finite"):
            compared(one, sketch_of(np.array([]), one.grid))
