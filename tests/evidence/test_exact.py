"""Under the null the evidence is 1 on average: summed over every sequence there can be, not simulated."""

import itertools
import math

import numpy as np
import pytest

from headgate.evidence.allocation import AllocationTest
from headgate.evidence.betting import Alternative, BettingTest, paired
from headgate.evidence.blocks import block_differences
from headgate.evidence.exceedance import ExceedanceTest
from headgate.evidence.mixture import Mixture

RAMP = np.array([0.01, 0.01, 0.05, 0.05, 0.25, 0.25, 0.5, 0.5, 0.9, 0.99, 0.3, 0.1])


def share_of_events(share: float, ratio: float) -> float:
    return share * ratio / (share * ratio + 1 - share)


@pytest.mark.parametrize(
    ("test", "truth"),
    [
        (AllocationTest.worse(), 1.0),
        (AllocationTest.worse(1.3), 1.3),
        (AllocationTest.better(1.25), 1.25),
        (AllocationTest.different(), 1.0),
    ],
)
def test_allocation_over_every_sequence_of_twelve_events_on_a_ramp(test: AllocationTest, truth: float) -> None:
    expected = 0.0
    for arms in itertools.product((False, True), repeat=len(RAMP)):
        chance = math.prod(
            share_of_events(share, truth) if ours else 1 - share_of_events(share, truth)
            for ours, share in zip(arms, RAMP, strict=True)
        )
        expected += chance * math.exp(test.update(test.start(), np.array(arms), RAMP).log_e)
    assert expected == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("test", "truth"), [(AllocationTest.worse(), 0.7), (AllocationTest.better(1.25), 1.8)], ids=["worse", "better"]
)
def test_deeper_in_the_null_the_evidence_is_less_than_1(test: AllocationTest, truth: float) -> None:
    expected = 0.0
    for arms in itertools.product((False, True), repeat=6):
        chance = math.prod(
            share_of_events(share, truth) if ours else 1 - share_of_events(share, truth)
            for ours, share in zip(arms, RAMP[3:9], strict=True)
        )
        expected += chance * math.exp(test.update(test.start(), np.array(arms), RAMP[3:9]).log_e)
    assert expected < 1


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_betting_over_every_sequence_of_seven_paired_differences(alternative: Alternative) -> None:
    margin, values = 0.01, (-1.0, 0.0, 1.0)
    chances = {-1.0: 0.1, 0.0: 0.79, 1.0: 0.11}
    assert sum(value * chance for value, chance in chances.items()) == pytest.approx(margin)
    test = BettingTest(low=-1.0, high=1.0, mean=margin, alternative=alternative)
    expected = sum(
        math.prod(chances[each] for each in found) * math.exp(test.update(test.start(), np.array(found)).log_e)
        for found in itertools.product(values, repeat=7)
    )
    assert expected == pytest.approx(1.0, abs=1e-9)


def test_paired_losses_over_every_sequence_of_twelve_pairs_that_differ() -> None:
    test = paired()
    sequences = itertools.product((-1.0, 1.0), repeat=12)
    total = sum(math.exp(test.update(test.start(), np.array(each)).log_e) for each in sequences)
    assert total / 2**12 == pytest.approx(1.0, abs=1e-9)


def test_exceedance_over_every_sequence_of_arms_of_five_slow_requests() -> None:
    test = ExceedanceTest(AllocationTest.worse(), (10.0, 20.0, 30.0), slack=0.0)
    took, shares = np.array([15.0, 25.0, 35.0, 12.0, 40.0]), RAMP[3:8]
    expected = 0.0
    for arms in itertools.product((False, True), repeat=5):
        chance = math.prod(share if ours else 1 - share for ours, share in zip(arms, shares.tolist(), strict=True))
        expected += chance * math.exp(test.update(test.start(), took, np.array(arms), shares).log_e)
    assert expected == pytest.approx(1.0, abs=1e-9)


def test_blocks_over_every_way_to_give_two_of_five_inputs_to_the_candidate() -> None:
    values, found = np.array([0.1, 0.9, 0.3, 0.7, 0.5]), []
    for ours in itertools.combinations(range(5), 2):
        arms = np.isin(np.arange(5), ours)
        # On each input the candidate is 0.05 better than what the live version gives.
        found += block_differences(arms, np.full(5, 0.4), values + 0.05 * arms, 5).tolist()
    assert len(found) == 10
    assert np.mean(found) == pytest.approx(0.05)


def test_an_update_that_says_nothing_changes_nothing() -> None:
    test = AllocationTest.worse()
    state = test.update(test.start(), np.array([True, False]), np.array([1.0, 0.0]))
    assert state.log_weights == pytest.approx(Mixture.of(12).log_weights)
