"""Exact statistics of two samples are SciPy's, sorted or not, with ties, outliers and one value alone."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance
from tests.monitors.comparison.samples import SHAPES, Sample, drawn

from headgate.errors import BadInput
from headgate.monitors.comparison.p_values import ks_p_value
from headgate.monitors.comparison.unsorted_samples import exact_comparison, in_cells
from headgate.monitors.two_samples import ks_statistic, wasserstein

FLOATS = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=60)
TIED = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=200)
SAMPLES = st.one_of(FLOATS, TIED).map(np.array)


@settings(max_examples=40)
@given(SAMPLES, SAMPLES)
def test_small_samples_are_scipys(reference: Sample, current: Sample) -> None:
    first, second = np.sort(reference), np.sort(current)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        expected, area = ks_2samp(reference, current), wasserstein_distance(reference, current)
    assert ks_statistic(first, second) == pytest.approx(expected.statistic, abs=1e-12)
    if not said:  # now and then SciPy gives up counting paths, and says so
        assert ks_p_value(expected.statistic, len(first), len(second)) == pytest.approx(expected.pvalue, abs=1e-9)
    assert wasserstein(first, second) == pytest.approx(area, rel=1e-9, abs=1e-9)
    for found in (exact_comparison(reference, current), in_cells(reference, current)):
        assert found.ks == pytest.approx(expected.statistic, abs=1e-12)
        assert found.wasserstein == pytest.approx(area, rel=1e-9, abs=1e-9 * max(1.0, np.abs(reference).max()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("rows", "shift"), [(20_000, 0.0), (13_331, 0.05), (9_000, 8.0)])
def test_large_samples_are_scipys(shape: str, rows: int, shift: float) -> None:
    reference, current = drawn(shape, 20_000, 1), drawn(shape, rows, 2, shift)
    expected, area = ks_2samp(reference, current), wasserstein_distance(reference, current)
    first, second = np.sort(reference), np.sort(current)
    assert ks_statistic(first, second) == expected.statistic
    assert ks_p_value(expected.statistic, 20_000, rows) == pytest.approx(expected.pvalue, rel=1e-9)
    assert wasserstein(first, second) == pytest.approx(area, rel=1e-9)
    unsorted = exact_comparison(reference, current)
    assert unsorted.ks == expected.statistic
    # Values far from zero have no more digits than the floats there.
    is_coarse = shape in ("far from zero", "coarse floats")
    assert unsorted.wasserstein == pytest.approx(area, rel=1e-6 if is_coarse else 1e-8)


def test_values_at_the_end_of_the_floats_are_compared() -> None:
    largest = 1.7e308
    reference, current = np.array([-largest, 0.0, 1.0]), np.array([0.0, 1.0, largest])
    for compared in (exact_comparison, in_cells):
        assert compared(reference, current).ks == pytest.approx(1 / 3)
        assert compared(np.array([5e-324, 0.0]), np.array([1e-320, 0.0])).ks == 0.5
    assert math.isinf(wasserstein(np.array([-largest]), np.array([largest])))


def test_what_cannot_be_compared_is_refused() -> None:
    values, nothing, holes = np.array([1.0, 2.0]), np.array([]), np.array([1.0, np.nan])
    for wrong in (nothing, holes, values[::-1]):
        with pytest.raises(BadInput, match="reference"):
            ks_statistic(wrong, values)
        with pytest.raises(BadInput, match="reference"):
            wasserstein(wrong, values)
    for wrong in (nothing, holes, np.array([np.inf])):
        with pytest.raises(BadInput, match="current"):
            exact_comparison(values, wrong)
    with pytest.raises(BadInput, match="infinite"):
        wasserstein(values, np.array([1.0, np.inf]))
