"""Rates, told by whose the events are."""

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.allocation import AllocationTest, first_of_each


def test_traffic_that_moves_is_no_evidence_but_a_worse_rate_is() -> None:
    random = np.random.default_rng(3)
    shares = np.repeat([0.01, 0.1, 0.5, 0.2], 20_000)
    rates = 0.05 * (1 + 0.6 * np.sin(np.arange(len(shares)) / 3000))
    ours = random.random(len(shares)) < shares
    test = AllocationTest.worse()
    for ratio, found in ((1.0, False), (2.0, True)):
        events = random.random(len(shares)) < np.where(ours, ratio, 1.0) * rates
        assert test.update(test.start(), ours[events], shares[events]).rejects(0.01) is found


def test_one_test_each_way_brackets_the_truth() -> None:
    random = np.random.default_rng(4)
    shares = np.full(200_000, 0.5)
    ours = random.random(len(shares)) < shares
    events = random.random(len(shares)) < 0.05
    worse, fine = AllocationTest.worse(), AllocationTest.better(1.25)
    assert not worse.update(worse.start(), ours[events], shares[events]).rejects(0.01)
    assert fine.update(fine.start(), ours[events], shares[events]).rejects(0.05)


@pytest.mark.parametrize("sent", [0.1, 0.5, 0.9])
def test_a_router_that_does_not_send_what_it_says_is_found(sent: float) -> None:
    random, said = np.random.default_rng(5), np.full(20_000, 0.5)
    test = AllocationTest.different()
    state = test.update(test.start(), random.random(len(said)) < sent, said)
    assert state.rejects(0.001) is (sent != 0.5)


@pytest.mark.parametrize("than", [0.0, -1.0, float("inf"), float("nan")])
def test_a_ratio_is_a_positive_number(than: float) -> None:
    for make in (AllocationTest.worse, AllocationTest.better):
        with pytest.raises(BadInput, match="ratio"):
            make(than)


@pytest.mark.parametrize(
    ("ours", "shares", "says"),
    [
        ([True], [1.5], "probabilities"),
        ([True], [float("nan")], "probabilities"),
        ([True], [0.0], "no request could reach it"),
        ([False], [1.0], "no request could reach it"),
        ([True, False], [0.5], "one per event"),
    ],
)
def test_events_that_cannot_have_been_are_refused(ours: list[bool], shares: list[float], says: str) -> None:
    test = AllocationTest.worse()
    with pytest.raises(BadInput, match=says):
        test.update(test.start(), np.array(ours), np.array(shares))


def test_only_the_first_event_of_an_entity_counts() -> None:
    assert first_of_each(["a", "b", "a", "c", "b"]).tolist() == [True, True, False, True, False]
    assert first_of_each(["a", "b"], frozenset("ab")).tolist() == [False, False]
    assert first_of_each([]).tolist() == []
