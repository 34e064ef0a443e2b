"""Tests of categories are SciPy's where SciPy has them, and keep their error rate where rows are few."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, fisher_exact, gamma
from scipy.stats.contingency import association

from headgate.evaluation.estimate import Undefined
from headgate.monitors.comparison.contingency import (
    ChiSquare,
    TableTest,
    chi_square,
    chi_square_by_moments,
    cramers_v,
    table_test,
    without_rare,
)

Counts = NDArray[np.int64]


@pytest.mark.parametrize("categories", [2, 3, 10, 4000])
def test_chi_square_is_scipys(categories: int) -> None:
    random = np.random.default_rng(categories)
    for _ in range(20):
        before, after = random.integers(0, 50, categories) + 1, random.integers(0, 90, categories)
        expected = chi2_contingency(np.stack((before, after)))
        found = chi_square(before, after)
        assert isinstance(found, ChiSquare)
        assert found.statistic == pytest.approx(expected.statistic)
        assert found.freedom == expected.dof
        assert found.p == pytest.approx(expected.pvalue, abs=1e-15)


def test_a_category_of_neither_sample_changes_nothing() -> None:
    assert chi_square(np.array([5, 0, 9]), np.array([7, 0, 3])) == chi_square(np.array([5, 9]), np.array([7, 3]))
    assert isinstance(chi_square(np.array([5, 0]), np.array([0, 0])), Undefined)


def bergsmas(before: Counts, after: Counts) -> float:
    """V of the table, from SciPy's phi without a correction."""
    rows, columns = int(before.sum() + after.sum()), len(before)
    phi = association(np.stack((before, after)), method="cramer") ** 2 - (columns - 1) / (rows - 1)
    least = min(columns - (columns - 1) ** 2 / (rows - 1), 2 - 1 / (rows - 1)) - 1
    return math.sqrt(phi / least)


def measured(before: Counts, after: Counts, *, by_rows: bool = False) -> float:
    found = cramers_v(before, after, by_rows=by_rows)
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize("times", [1, 7, 1000])
def test_cramers_v_by_rows_is_bergsmas(times: int) -> None:
    before, after = np.array([30, 50, 20]), np.array([60, 30, 10]) * times
    assert cramers_v(before, after, by_rows=True) == pytest.approx(bergsmas(before, after))


def test_cramers_v_of_a_small_sample_is_that_of_a_large_one() -> None:
    before, after = np.array([30, 50, 20]), np.array([60, 30, 10])
    expected = bergsmas(before, after)
    assert cramers_v(before, after) == pytest.approx(expected)
    assert cramers_v(before, after * 1000) == pytest.approx(expected, abs=0.01)
    assert measured(before, after * 1000, by_rows=True) < expected / 5
    # As if the larger one were drawn from down to the other's size.
    random = np.random.default_rng(4)
    shares = after / after.sum()
    drawn = [measured(before * 10, random.multinomial(1000, shares)) for _ in range(200)]
    assert cramers_v(before * 10, after * 1000) == pytest.approx(np.mean(drawn), abs=0.01)


def test_cramers_v_without_drift_is_nearly_nothing() -> None:
    random = np.random.default_rng(1)
    chance = [measured(random.multinomial(60, [0.05] * 20), random.multinomial(60, [0.05] * 20)) for _ in range(200)]
    assert np.median(chance) < 0.15  # 0.4 with its bias
    assert isinstance(cramers_v(np.array([5]), np.array([5])), Undefined)
    assert isinstance(cramers_v(np.array([1, 0]), np.array([0, 1])), Undefined)


def test_rare_categories_are_counted_together() -> None:
    before, after = without_rare(np.array([2, 400, 1, 300, 3, 3]), np.array([3, 350, 2, 350, 4, 2]))
    assert (before.tolist(), after.tolist()) == ([400, 300, 9], [350, 350, 11])
    same = np.array([50, 60]), np.array([70, 10])
    assert [each.tolist() for each in without_rare(*same)] == [each.tolist() for each in same]


def test_where_one_category_is_nearly_all_fishers_test_is_made() -> None:
    found = table_test(np.array([0, 9_998, 2]), np.array([1, 199, 0]))
    expected = fisher_exact([[9_998, 2], [199, 1]]).pvalue
    assert isinstance(found, TableTest)
    assert found.name == "Fisher's exact"
    assert found.statistic == pytest.approx(1 / 200 - 1 / 5000)
    assert found.p == pytest.approx(expected)
    assert isinstance(table_test(np.array([0, 5]), np.array([0, 9])), Undefined)
    assert isinstance(table_test(np.array([]), np.array([])), Undefined)


@pytest.mark.parametrize(
    ("shares", "rows", "reference_rows"),
    [
        ([0.97, 0.01, 0.01, 0.01], 100, 200),
        ([0.1] * 10, 1000, 1000),
        ([0.2, 0.3, 0.5], 5000, 500),
        ([0.001] * 1000, 800, 900),
        ([0.02] * 50, 200, 5000),
        ([0.9] + [0.002] * 50, 2000, 700),
    ],
)
def test_without_drift_it_alarms_as_often_as_said(shares: list[float], rows: int, reference_rows: int) -> None:
    random, p_values = np.random.default_rng(rows), []
    for _ in range(500):
        found = table_test(random.multinomial(reference_rows, shares), random.multinomial(rows, shares))
        p_values.append(1.0 if isinstance(found, Undefined) else found.p)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 500)


def test_a_fitted_distribution_has_the_mean_and_variance_of_all_tables_with_the_same_sums() -> None:
    columns, rows = np.array([3, 2, 4, 1]), 4
    found, weights = [], []
    for current in itertools.product(*(range(each + 1) for each in columns)):
        if sum(current) == rows:
            by_chance = chi_square_by_moments(columns - np.array(current), np.array(current))
            assert isinstance(by_chance, ChiSquare)
            found.append(by_chance)
            weights.append(math.prod(math.comb(int(each), taken) for each, taken in zip(columns, current, strict=True)))
    statistics = np.array([each.statistic for each in found])
    mean = np.average(statistics, weights=weights)
    variance = np.average((statistics - mean) ** 2, weights=weights)
    for each in found:
        assert each.p == pytest.approx(gamma.sf(each.statistic, mean**2 / variance, scale=variance / mean))
    assert isinstance(chi_square_by_moments(np.array([1, 1]), np.array([1, 0])), Undefined)


def test_half_the_rows_moved_among_fifty_categories_is_seen_in_two_hundred_rows() -> None:
    random, seen = np.random.default_rng(3), 0
    moved = np.repeat([0.01, 0.03], 25)
    for _ in range(100):
        found = table_test(random.multinomial(5000, [0.02] * 50), random.multinomial(200, moved))
        seen += isinstance(found, TableTest) and found.p <= 0.05
    assert seen >= 90
