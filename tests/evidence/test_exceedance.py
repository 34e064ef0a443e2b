"""Latency, told by how often answers are slower than the live version's quantiles."""

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.exceedance import ExceedanceTest, frozen_quantiles
from headgate.evidence.mixture import Floats, Mixture

SHARE = 0.2


def judged(slower: float, *, size: int = 20_000, seed: int = 6) -> Mixture:
    """A candidate whose every answer takes `slower` times as long, under a load that swings by a fifth."""
    random = np.random.default_rng(seed)
    before: Floats = random.lognormal(3.0, 0.9, 20_000)
    test = ExceedanceTest(AllocationTest.worse(), frozen_quantiles(before))
    ours = random.random(size) < SHARE
    load = 1 + 0.2 * np.sin(np.arange(size) / 1000)
    took = random.lognormal(3.0, 0.9, size) * load * np.where(ours, slower, 1.0)
    return test.update(test.start(), took, ours, np.full(size, SHARE))


def test_the_same_latency_under_a_swinging_load_is_no_evidence() -> None:
    assert not judged(1.0).rejects(0.01)


def test_what_the_slack_allows_is_no_evidence() -> None:
    assert not judged(1.1).rejects(0.01)


def test_half_as_slow_again_is_found() -> None:
    assert judged(1.5).rejects(0.01)


def test_requests_in_one_step_or_in_many_give_the_same() -> None:
    test = ExceedanceTest(AllocationTest.worse(), (1.0, 2.0))
    random = np.random.default_rng(7)
    took, ours, shares = random.exponential(1.0, 300), random.random(300) < 0.5, np.full(300, 0.5)
    pieces = test.start()
    for each in np.array_split(np.arange(300), 9):
        pieces = test.update(pieces, took[each], ours[each], shares[each])
    whole = test.update(test.start(), took, ours, shares)
    assert pieces.log_weights == pytest.approx(whole.log_weights)
    assert pieces.log_peak == pytest.approx(whole.log_peak)
    assert pieces.updates == whole.updates


def test_the_frozen_quantiles_are_values_there_were() -> None:
    assert frozen_quantiles(np.array([5.0, 1.0, 3.0]), (0.5, 1.0)) == (3.0, 5.0)


def test_without_latencies_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(BadInput, match="no latencies yet"):
        frozen_quantiles(np.zeros(0))


@pytest.mark.parametrize("thresholds", [(), (-1.0,), (float("nan"),), (1.0, float("inf"))])
def test_thresholds_are_numbers_from_0_on(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(BadInput, match="thresholds"):
        ExceedanceTest(AllocationTest.worse(), thresholds)


@pytest.mark.parametrize("slack", [-0.1, float("nan"), float("inf")])
def test_slack_is_a_number_from_0_on(slack: float) -> None:
    with pytest.raises(BadInput, match="slack"):
        ExceedanceTest(AllocationTest.worse(), (1.0,), slack)


@pytest.mark.parametrize("took", [-1.0, float("nan")])
def test_no_answer_takes_less_than_nothing(took: float) -> None:
    test = ExceedanceTest(AllocationTest.worse(), (1.0,))
    with pytest.raises(BadInput, match="values"):
        test.update(test.start(), np.array([took]), np.array([True]), np.array([0.5]))


def test_requests_are_as_many_as_their_arms_and_shares() -> None:
    test = ExceedanceTest(AllocationTest.worse(), (1.0,))
    with pytest.raises(BadInput, match="one per request"):
        test.update(test.start(), np.array([2.0, 2.0]), np.array([True]), np.array([0.5]))
