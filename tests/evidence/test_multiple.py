"""Several tests judged together."""

import math

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.multiple import average, benjamini_hochberg, bonferroni


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
