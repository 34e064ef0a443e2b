"""Sketches of numbers add up without loss and survive storage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.comparison.samples import Sample, drawn

from headgate.errors import BadInput
from headgate.monitors.comparison.grid_choice import grid_for
from headgate.monitors.comparison.sketches import NumberSketch, read_sketch, sketch_of

VALUES = st.lists(
    st.floats(-1e9, 1e9) | st.just(math.nan) | st.just(math.inf) | st.integers(-3, 3).map(float), max_size=40
)


def told(sketch: NumberSketch) -> tuple[object, ...]:
    totals = sketch.totals
    absent = totals.missing, totals.infinite, totals.negative_infinite
    return (sketch.counts.tolist(), sketch.atoms.tolist(), *absent, totals.astray, totals.minimum, totals.maximum)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40).map(np.array), VALUES, VALUES)
def test_windows_add_up_to_what_they_are_together(reference: Sample, first: list[float], second: list[float]) -> None:
    grid = grid_for(np.sort(reference), 256)
    parts = [sketch_of(np.array(each, np.float64), grid) for each in (first, second)]
    whole = sketch_of(np.array(first + second, np.float64), grid)
    assert told(parts[0].merged(parts[1])) == told(parts[1].merged(parts[0])) == told(whole)
    assert parts[0].merged(parts[1]).totals.total == pytest.approx(whole.totals.total, abs=1e-3)
    assert whole.rows + whole.totals.missing + whole.totals.infinite == len(first) + len(second)
    kept = read_sketch(whole.to_bytes())
    assert told(kept) == told(whole)
    assert (kept.grid, kept.totals) == (grid, whole.totals)


def test_moments_are_those_of_the_rows() -> None:
    values = drawn("normal", 10_000, 1) + 1000.0
    sketch = sketch_of(values, grid_for(np.sort(values)))
    assert sketch.mean == pytest.approx(values.mean())
    assert sketch.deviation == pytest.approx(values.std())
    nothing = sketch_of(np.array([np.nan]), sketch.grid)
    assert (math.isnan(nothing.mean), math.isnan(nothing.deviation), nothing.totals.missing) == (True, True, 1)
    huge = np.array([-1e308, 1e308, 3.0])
    assert math.isnan(sketch_of(huge, grid_for(np.sort(huge))).deviation)


def test_a_sketch_of_many_rows_takes_a_few_kilobytes() -> None:
    values = drawn("normal", 200_000, 1)
    assert len(sketch_of(values, grid_for(np.sort(values))).to_bytes()) < 20_000


def test_what_cannot_be_added_or_read_is_refused() -> None:
    one, other = (sketch_of(np.arange(9.0), grid_for(np.arange(size))) for size in (9.0, 90.0))
    with pytest.raises(BadInput, match="grid"):
        one.merged(other)
    for damaged in (b"", b"\x00", one.to_bytes()[:-1]):
        with pytest.raises(BadInput, match="no sketch"):
            read_sketch(damaged)
    wrong = NumberSketch(other.grid, one.counts, one.atoms, one.totals).to_bytes()
    with pytest.raises(BadInput, match="other cells"):
        read_sketch(wrong)
