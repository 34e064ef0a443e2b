"""Several tests judged together."""

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from headgate.errors import BadInput
from headgate.evidence.multiple import adjusted_p_values, average, benjamini_hochberg, bonferroni


def test_each_of_m_needs_m_times_the_evidence() -> None:
    peaks = [math.log(100 * count) for count in (1.0, 2.9, 3.0, 50.0)]
    assert bonferroni(peaks[:1], 0.01) == [0]
    assert bonferroni(peaks[:3], 0.01) == [2]
    assert bonferroni(peaks, 0.01) == [3]


def test_the_mean_is_evidence_even_of_tests_that_see_the_same() -> None:
    assert average([math.log(4.0), math.log(4.0)]) == pytest.approx(math.log(4.0))
    assert average([900.0, -900.0]) == pytest.approx(900.0 - math.log(2))


def test_the_more_are_found_the_less_each_needs() -> None:
    logs = [math.log(each) for each in (12.0, 1.0, 25.0, 40.0)]
    # 40 alone reaches 4 / 0.1, and two of 20 or three of 13.4 would as well.
    assert benjamini_hochberg(logs, 0.1) == [2, 3]


def test_the_share_of_false_discoveries_is_kept() -> None:
    random, shares = np.random.default_rng(11), []
    for _ in range(400):
        # Eight nulls with evidence of mean 1, two challengers that are better.
        nulls = random.lognormal(-2.0, 2.0, 8)
        better = random.lognormal(4.0, 1.0, 2)
        found = benjamini_hochberg(np.log(np.concatenate((nulls, better))).tolist(), 0.1)
        shares.append(sum(each < 8 for each in found) / max(1, len(found)))
    assert float(np.mean(shares)) <= 0.1


def test_none_are_none() -> None:
    assert bonferroni([], 0.01) == []
    assert benjamini_hochberg([], 0.01) == []


def test_no_error_rate_is_refused() -> None:
    for judge in (bonferroni, benjamini_hochberg):
        with pytest.raises(BadInput, match="alpha"):
            judge([0.0], 0.0)


def test_adjusted_p_values_are_scipys() -> None:
    random = np.random.default_rng(4)
    for count in (1, 2, 7, 300):
        p_values = np.round(random.random(count) ** 3, 2)
        assert adjusted_p_values(p_values.tolist()) == pytest.approx(false_discovery_control(p_values))


def test_of_true_nulls_alone_one_is_rejected_as_often_as_said() -> None:
    random = np.random.default_rng(5)
    alarms = [min(adjusted_p_values(random.random(20).tolist())) <= 0.05 for _ in range(2000)]
    assert np.mean(alarms) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


def test_a_test_that_failed_is_none_that_passed() -> None:
    assert adjusted_p_values([]) == []
    for bad in (math.nan, -0.1, 1.1):
        with pytest.raises(BadInput, match="p_values"):
            adjusted_p_values([0.5, bad])
