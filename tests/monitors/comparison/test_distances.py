"""Distances of counts are what the formulas say, in every convention in use, and PSI knows how many rows it saw."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2

from headgate.errors import BadInput
from headgate.evaluation.estimate import Undefined
from headgate.monitors.comparison.binnings import Binning, binned
from headgate.monitors.comparison.distances import (
    JensenShannon,
    Psi,
    Zeros,
    hellinger,
    jensen_shannon,
    l_infinity,
    psi,
    psi_of_size,
)

Counts = NDArray[np.int64]
RANDOM = np.random.default_rng(3)
PAIRS = [(RANDOM.integers(1, 200, bins), RANDOM.integers(1, 90, bins)) for bins in (2, 3, 10, 57)]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_distances_are_their_formulas(before: Counts, after: Counts) -> None:
    r, c = before / before.sum(), after / after.sum()
    assert psi(before, after) == pytest.approx(sum((y - x) * math.log(y / x) for x, y in zip(r, c, strict=True)))
    found = jensen_shannon(before, after)
    assert found.distance == pytest.approx(jensenshannon(r, c, base=2))
    assert found.natural_distance == pytest.approx(jensenshannon(r, c))
    assert found.divergence == pytest.approx(jensenshannon(r, c, base=2) ** 2)
    overlap = sum(math.sqrt(x * y) for x, y in zip(r, c, strict=True))
    assert hellinger(before, after) == pytest.approx(math.sqrt(1 - overlap))
    assert l_infinity(before, after) == pytest.approx(max(abs(r - c)))
    for distance in (psi, hellinger, l_infinity):
        assert distance(before, after) == pytest.approx(distance(after, before))
        assert distance(before, before * 3) == pytest.approx(0.0, abs=1e-8)


def test_thresholds_of_one_convention_are_told_in_the_others() -> None:
    evidently = JensenShannon(0.1**2 / math.log(2))
    assert evidently.natural_distance == pytest.approx(0.1)
    assert evidently.distance == pytest.approx(0.120, abs=5e-4)
    assert evidently.divergence == pytest.approx(0.0144, abs=5e-5)
    tfdv = JensenShannon(0.3)
    assert tfdv.distance == pytest.approx(0.548, abs=5e-4)
    assert tfdv.natural_distance == pytest.approx(0.456, abs=5e-4)


def test_an_empty_bin_counts_by_the_rule_that_is_named() -> None:
    before, after = np.array([90, 10, 0, 0]), np.array([80, 0, 20, 0])
    half = [(90.5 / 101.5, 80.5 / 101.5), (10.5 / 101.5, 0.5 / 101.5), (0.5 / 101.5, 20.5 / 101.5)]
    assert psi(before, after) == pytest.approx(sum((c - r) * math.log(c / r) for r, c in half))
    evidently = [(0.9, 0.8), (0.1, 1e-4), (1e-4, 0.2)]
    assert psi(before, after, Zeros.EVIDENTLY) == pytest.approx(sum((c - r) * math.log(c / r) for r, c in evidently))
    floored = [(0.9, 0.8), (0.1, 0.01), (0.01, 0.2)]
    assert psi(before, after, Zeros.DEEPCHECKS) == pytest.approx(sum((c - r) * math.log(c / r) for r, c in floored))
    assert psi(before, after, Zeros.SMALLEST) > 200
    # A side whose smallest share is at most 0.0001 has a millionth of it in its empty bins.
    rare = np.array([99_991, 9, 0])
    assert psi(rare, rare[[0, 2, 1]], Zeros.EVIDENTLY) == pytest.approx(2 * (9e-5 - 9e-11) * math.log(1e6))


def test_bins_are_cut_as_their_namesakes_cut_them() -> None:
    random = np.random.default_rng(5)
    reference, current = random.normal(size=3000), random.normal(0.3, 1.2, size=700)
    before, after = binned(reference, current)
    assert before.tolist() == [300] * 10
    edges = np.quantile(reference, np.arange(1, 10) / 10, method="inverted_cdf")
    assert after.tolist() == np.bincount(np.searchsorted(edges, current, side="left"), minlength=10).tolist()
    pooled = np.histogram_bin_edges(np.concatenate((reference, current)), "sturges")
    for ours, sample in zip(binned(reference, current, Binning.EVIDENTLY), (reference, current), strict=True):
        assert ours.tolist() == np.histogram(sample, pooled)[0].tolist()
    doane = np.histogram_bin_edges(reference, "doane")
    inside = np.histogram(current, doane)[0]
    assert binned(reference, current, Binning.NANNYML)[1].tolist() == [*inside.tolist(), 700 - inside.sum()]
    equal = binned(reference, current, Binning.EQUAL_WIDTH)
    assert (len(equal[0]), equal[0].sum(), equal[1].sum()) == (10, 3000, 700)


def test_few_distinct_values_are_categories_where_others_do_so() -> None:
    reference, current = np.array([1.0, 2.0] * 30), np.array([2.0, 3.0])
    assert [each.tolist() for each in binned(reference, current, Binning.EVIDENTLY)] == [[30, 30, 0], [0, 1, 1]]
    assert [each.tolist() for each in binned(reference, current, Binning.NANNYML)] == [[30, 30, 0], [0, 1, 1]]
    assert [each.tolist() for each in binned(reference, current)] == [[30, 30], [0, 2]]


def test_psi_is_larger_than_its_critical_value_as_often_as_said() -> None:
    random = np.random.default_rng(7)
    for rows, reference_rows in ((100, 1000), (1000, 1000), (5000, 500)):
        alarms = 0
        for _ in range(800):
            counts = binned(random.normal(size=reference_rows), random.normal(size=rows))
            found = psi_of_size(*counts)
            assert isinstance(found, Psi)
            alarms += found.value > found.critical
        assert 0.02 < alarms / 800 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 800)


@pytest.mark.parametrize("reference_rows", [100, 1000, 100_000])
def test_of_few_rows_the_published_critical_value_is_passed_too_often_and_ours_is_not(reference_rows: int) -> None:
    random, even, runs = np.random.default_rng(reference_rows), np.full(10, 0.1), 4000
    before, after = random.multinomial(reference_rows, even, runs), random.multinomial(100, even, runs)
    found = [psi_of_size(*pair) for pair in zip(before, after, strict=True)]
    known = [each for each in found if isinstance(each, Psi)]
    assert len(known) == runs
    passed = np.mean([each.value > each.critical for each in known])
    published = np.mean([each.value > each.critical_published for each in known])
    assert passed == pytest.approx(0.047, abs=3 * math.sqrt(0.05 * 0.95 / runs))
    assert 0.06 < published < 0.085


def test_the_mean_of_psi_without_drift_is_that_of_the_series() -> None:
    random, shares = np.random.default_rng(3), np.array([0.4, 0.3, 0.2, 0.1])
    rows, others, runs = 100, 200, 40_000
    drawn = zip(random.multinomial(others, shares, runs), random.multinomial(rows, shares, runs), strict=True)
    values = [psi(*pair) for pair in drawn]
    first = 3 * (1 / rows + 1 / others)
    second = ((1 / shares).sum() - 4) * (1 / rows**2 + 1 / others**2) / 2
    error = float(np.std(values)) / math.sqrt(runs)
    assert np.mean(values) == pytest.approx(first + second, abs=3 * error)
    assert abs(np.mean(values) - first) > 3 * error
    assert np.var(values) == pytest.approx(2 * 3 * (1 / rows + 1 / others) ** 2, rel=0.15)


def test_the_critical_values_of_many_rows_are_chi_squares() -> None:
    found = psi_of_size(np.full(10, 100_000), np.full(10, 50_000))
    assert isinstance(found, Psi)
    expected = chi2.ppf(0.95, 9) * (1 / 1_000_000 + 1 / 500_000)
    assert found.critical_published == pytest.approx(expected)
    assert found.critical == pytest.approx(expected, rel=1e-4)


def test_psi_of_too_few_rows_is_no_figure() -> None:
    assert psi_of_size(np.array([500] * 10), np.array([9] * 10)) == Undefined(
        "PSI over 10 bins needs 100 rows on either side, and the smaller one has 90"
    )
    assert isinstance(psi_of_size(np.array([500]), np.array([500])), Undefined)


@pytest.mark.parametrize("wrong", [[1, -1], [math.nan, 1], [0, 0], [1, 2, 3]])
def test_what_are_no_counts_is_refused(wrong: list[float]) -> None:
    for distance in (psi, jensen_shannon, hellinger, l_infinity):
        with pytest.raises(BadInput):
            distance(np.array([1, 1]), np.array(wrong))
    with pytest.raises(BadInput):
        binned(np.array([1.0]), np.array([math.inf]))
    with pytest.raises(BadInput):
        binned(np.array([]), np.array([1.0]))
