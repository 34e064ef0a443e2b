"""How long detectors take to find a change, beside the reference figures."""

import numpy as np
import pytest
from benchmarks.monitors import delays


def test_a_change_that_is_not_found_counts_with_all_that_was_seen() -> None:
    found = delays.e_detector(1e300, 0.13, 2, np.random.default_rng(0))
    assert found.tolist() == [delays.AFTER] * 2


@pytest.mark.slow
def test_delays_are_no_longer_than_the_reference_figures() -> None:
    found = list(delays.rows(100))
    assert len(found) == len(delays.LOSSES) + len(delays.SHIFTS)
    assert [each for each in found if each["median"] > each["reference"] + 3 * each["standard_error"]] == []
