"""How long detectors take to find a change, beside reference figures and beside keeping every score."""

import numpy as np
import pytest
from benchmarks.monitors import delays


def test_a_change_that_is_not_found_counts_with_all_that_was_seen() -> None:
    found = delays.e_detector(1e300, 0.13, 2, np.random.default_rng(0))
    assert found.tolist() == [delays.AFTER] * 2
    binned, every = delays.conformal(1e300, 0.1, 1, np.random.default_rng(0))
    assert (binned.tolist(), every.tolist()) == ([delays.AFTER_SHIFT], [delays.AFTER_SHIFT])


def test_bins_find_a_change_when_every_score_would() -> None:
    binned, every = delays.conformal(1e4, 1.5, 20, np.random.default_rng(1))
    assert 5 < np.median(every) < 25
    assert abs(np.median(binned) - np.median(every)) <= 3


@pytest.mark.slow
def test_delays_are_no_longer_than_was_said() -> None:
    found = list(delays.rows(200))
    assert len(found) == len(delays.LOSSES) + len(delays.SHIFTS)
    assert [each for each in found if each["median"] > each["at_most"]] == []
