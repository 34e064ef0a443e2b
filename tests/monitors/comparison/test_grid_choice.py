"""Grids hold every value in exactly one cell, in order, and suit the reference they are chosen for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.comparison.samples import SHAPES, Sample, drawn

from headgate.monitors.comparison.grid_choice import grid_for
from headgate.monitors.comparison.grids import Even, Widening, even_over

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60)
@given(st.lists(FINITE, min_size=1, max_size=30).map(np.array), st.lists(FINITE, min_size=1, max_size=30))
def test_a_larger_value_is_in_no_cell_before(reference: Sample, values: list[float]) -> None:
    axis = grid_for(np.sort(reference), 128).axis
    with np.errstate(over="ignore"):
        places = axis.places(np.sort(values))
    assert (np.diff(places) >= 0).all()
    assert 0 <= places[0] <= places[-1] <= axis.cells + 1
    assert axis.cells <= 128
    assert np.isfinite(axis.edges).all()
    assert (np.diff(axis.edges) > 0).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_hardly_any_of_the_reference_is_outside_and_no_cell_is_full(shape: str) -> None:
    reference = np.sort(drawn(shape, 20_000, 1))
    grid = grid_for(reference)
    counts = np.bincount(grid.axis.places(reference), minlength=grid.axis.cells + 2)
    assert counts[0] + counts[-1] <= 10
    if shape in ("normal", "far from zero", "heavy", "both tails"):
        assert counts.max() <= 100
    inside = (grid.axis.edges[0] <= reference) & (reference <= grid.axis.edges[-1])
    places = grid.axis.places(reference[inside])
    slack = 2 * np.spacing(np.abs(reference).max())
    assert (reference[inside] >= grid.axis.edges[np.maximum(places - 1, 0)] - slack).all()
    assert (reference[inside] <= grid.axis.edges[np.minimum(places, grid.axis.cells)] + slack).all()


def test_the_kind_of_grid_goes_with_the_shape() -> None:
    grids = {shape: grid_for(np.sort(drawn(shape, 5000, 1))) for shape in SHAPES}
    exact = [shape for shape, each in grids.items() if each.axis.digits is not None]
    assert exact == ["two decimals", "whole", "constant"]
    assert isinstance(grids["normal"].axis, Even)
    assert isinstance(grids["heavy"].axis, Widening)
    assert isinstance(grids["both tails"].axis, Widening)
    assert grids["often zero"].atoms == (0.0,)


def test_cells_are_no_narrower_than_floats_allow() -> None:
    axis = grid_for(np.sort(np.random.default_rng(1).uniform(1e15, 1e15 + 1000, 5000))).axis
    assert isinstance(axis, Even)
    assert 1 < axis.width < 10
    assert even_over(3.0, 3.0, 8).edges[[0, -1]].tolist() == [3.0 - 4 * 3 * 2.0**-20, 3.0 + 4 * 3 * 2.0**-20]
    assert even_over(0.0, 5e-324, 8).width == 2.0**-1000
