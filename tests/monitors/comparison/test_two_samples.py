"""Exact statistics of two samples are SciPy's, sorted or not, with ties, outliers and one value alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ks_2samp, wasserstein_distance

from headgate.errors import BadInput
from headgate.monitors.comparison.two_samples import kolmogorov_smirnov, ks_statistic, wasserstein
from headgate.monitors.comparison.unsorted_samples import exact_comparison

Sample = NDArray[np.float64]
FLOATS = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=60)
TIED = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=200)
SAMPLES = st.one_of(FLOATS, TIED).map(np.array)


def drawn(shape: str, rows: int, seed: int, shift: float = 0.0) -> Sample:
    random = np.random.default_rng(seed)
    normal = random.normal(shift, 1.0, rows)
    shapes = {
        "normal": normal,
        "far from zero": normal + 1e9,
        "heavy": np.exp(3 * normal),
        "both tails": normal / (random.random(rows) + 1e-6),
        "often zero": np.where(random.random(rows) < 0.4, 0.0, np.exp(normal)),
        "two decimals": np.round(normal, 2),
        "whole": np.floor(40 * normal),
        "constant": np.full(rows, 7.0 + shift),
    }
    return shapes[shape]


SHAPES = ("normal", "far from zero", "heavy", "both tails", "often zero", "two decimals", "whole", "constant")


@pytest.mark.filterwarnings("ignore:ks_2samp")
@settings(max_examples=50)
@given(SAMPLES, SAMPLES)
def test_small_samples_are_scipys(reference: Sample, current: Sample) -> None:
    first, second = np.sort(reference), np.sort(current)
    expected = ks_2samp(reference, current)
    found = kolmogorov_smirnov(first, second)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)
    assert ks_statistic(first, second) == pytest.approx(expected.statistic, abs=1e-12)
    area = wasserstein_distance(reference, current)
    assert wasserstein(first, second) == pytest.approx(area, rel=1e-9, abs=1e-9)
    unsorted = exact_comparison(reference, current)
    assert unsorted.ks == pytest.approx(expected.statistic, abs=1e-12)
    assert unsorted.wasserstein == pytest.approx(area, rel=1e-9, abs=1e-9 * max(1.0, np.abs(reference).max()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("rows", "shift"), [(20_000, 0.0), (13_331, 0.05), (9_000, 8.0)])
def test_large_samples_are_scipys(shape: str, rows: int, shift: float) -> None:
    reference, current = drawn(shape, 20_000, 1), drawn(shape, rows, 2, shift)
    expected = ks_2samp(reference, current)
    found = kolmogorov_smirnov(np.sort(reference), np.sort(current))
    assert found.statistic == expected.statistic
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    area = wasserstein_distance(reference, current)
    assert wasserstein(np.sort(reference), np.sort(current)) == pytest.approx(area, rel=1e-9)
    unsorted = exact_comparison(reference, current)
    assert unsorted.ks == expected.statistic
    # One value far from zero has no more digits than the floats there.
    assert unsorted.wasserstein == pytest.approx(area, rel=1e-8 if shape != "far from zero" else 1e-6)


def test_values_at_the_end_of_the_floats_are_compared() -> None:
    largest = 1.7e308
    reference, current = np.array([-largest, 0.0, 1.0]), np.array([0.0, 1.0, largest])
    assert exact_comparison(reference, current).ks == pytest.approx(1 / 3)
    assert math.isinf(wasserstein(np.array([-largest]), np.array([largest])))
    assert exact_comparison(np.array([5e-324, 0.0]), np.array([1e-320, 0.0])).ks == 0.5


def test_what_cannot_be_compared_is_refused() -> None:
    values, nothing, holes = np.array([1.0, 2.0]), np.array([]), np.array([1.0, np.nan])
    for wrong in (nothing, holes, values[::-1]):
        with pytest.raises(BadInput, match="reference"):
            kolmogorov_smirnov(wrong, values)
        with pytest.raises(BadInput, match="reference"):
            wasserstein(wrong, values)
    for wrong in (nothing, holes, np.array([np.inf])):
        with pytest.raises(BadInput, match="current"):
            exact_comparison(values, wrong)
    with pytest.raises(BadInput, match="infinite"):
        wasserstein(values, np.array([1.0, np.inf]))
