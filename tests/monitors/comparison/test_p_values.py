"""P-values of Kolmogorov-Smirnov statistics are SciPy's: counted where rows are few, at once where they are many."""

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp, kstwo

from headgate.monitors.comparison.p_values import ks_p_value


@pytest.mark.parametrize(("rows", "others"), [(14, 14), (1000, 1000), (30, 10_000), (997, 1003), (1, 400)])
def test_of_few_rows_paths_are_counted(rows: int, others: int) -> None:
    random = np.random.default_rng(rows)
    for shift in (0.0, 0.1, 0.5):
        expected = ks_2samp(random.normal(size=rows), random.normal(shift, 1.0, others))
        assert ks_p_value(expected.statistic, rows, others) == pytest.approx(expected.pvalue, rel=1e-4, abs=1e-9)


def test_of_as_many_rows_the_approximation_alone_would_alarm_too_often() -> None:
    # Half of 28 values in the least order: 2 * ((28 over 7) - 1) / (28 over 14), Gnedenko and Korolyuk 1951.
    assert ks_p_value(0.5, 14, 14) == pytest.approx(2 * (math.comb(28, 7) - 1) / math.comb(28, 14))
    assert kstwo.sf(0.5, 7) < 0.05 < ks_p_value(0.5, 14, 14)


def test_where_paths_are_no_longer_counted_little_changes() -> None:
    counted, approximated = (ks_p_value(61 / 1024, rows, rows) for rows in (1024, 1025))
    assert 0.04 < approximated < counted < 1.05 * approximated


@pytest.mark.parametrize("rows", [9_000, 60_000])
@pytest.mark.parametrize("far", [0.7, 2.1999, 2.2001, 12.0, 90.0, 340.0])
def test_of_many_rows_a_part_of_the_sum_is_the_sum(rows: int, far: float) -> None:
    statistic = math.sqrt(2 * far / rows)
    assert ks_p_value(statistic, rows, rows) == pytest.approx(kstwo.sf(statistic, rows // 2), rel=1e-10, abs=0.0)


def test_nothing_in_common_and_no_difference() -> None:
    assert ks_p_value(0.0, 20, 30) == ks_p_value(0.0, 50_000, 50_000) == 1.0
    assert ks_p_value(1.0, 3, 3) == pytest.approx(0.1)
    assert ks_p_value(1.0, 5000, 5000) < 1e-300
    assert ks_p_value(0.5, 500_000, 500_000) == 0.0
