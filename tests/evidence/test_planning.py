"""What was foretold against what a simulation takes."""

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.betting import PAIRED_TIMIDEST, BettingTest
from headgate.evidence.blocks import block_differences, block_size
from headgate.evidence.mixture import Floats, Mixture
from headgate.evidence.planning import mean_cost, rate_cost, updates_needed

RUNS = 60
ALPHA = 0.01


@pytest.mark.parametrize(("share", "ratio"), [(0.1, 1.5), (0.5, 1.5), (0.1, 2.0)])
def test_the_events_until_a_worse_rate_is_found(share: float, ratio: float) -> None:
    random, test = np.random.default_rng(12), AllocationTest.worse()
    foretold = rate_cost(rate=0.05, ratio=ratio, share=share, alpha=ALPHA).events
    size = int(foretold * 6)
    counts = []
    for _ in range(RUNS):
        ours = random.random(size) < share * ratio / (share * ratio + 1 - share)
        gains = test.gains(ours, np.full(size, share))
        counts.append(found_after(test.start(), gains, max(1, int(foretold / 50))))
    assert 0.7 <= np.mean(counts) / foretold <= 1.15


def test_the_labels_until_a_version_one_point_worse_is_found() -> None:
    random, test = np.random.default_rng(13), BettingTest(low=-1.0, high=1.0, mean=0.0)
    foretold = updates_needed(variance=0.09, difference=0.01, alpha=ALPHA)
    counts = []
    for _ in range(RUNS):
        values = random.choice([-1.0, 0.0, 1.0], p=[0.04, 0.91, 0.05], size=int(foretold * 6))
        counts.append(found_after(test.start(), test.gains(values), 200))
    assert 0.7 <= np.mean(counts) / foretold <= 1.15


def found_after(state: Mixture, gains: Floats, step: int) -> int:
    """Updates until the null is rejected, to the next look; there is one every `step` updates."""
    for end in range(step, len(gains) + 1, step):
        state = state.moved(gains[end - step : end])
        if state.rejects(ALPHA):
            return end
    raise AssertionError("not found within six times what was foretold")


def test_the_figures_of_a_plan() -> None:
    assert round(rate_cost(rate=0.05, ratio=2.0, share=0.1, alpha=0.01).events) == 215
    assert round(rate_cost(rate=0.05, ratio=1.5, share=0.5, alpha=0.01).events) == 328


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"rate": 0.0}, "rate"),
        ({"share": 1.0}, "share"),
        ({"ratio": 1.0}, "ratio"),
        ({"ratio": -1.0}, "ratio"),
        ({"null": 0.0}, "ratio"),
        ({"alpha": 1.0}, "alpha"),
    ],
)
def test_a_plan_that_never_ends_is_refused(wrong: dict[str, float], says: str) -> None:
    asked = {"rate": 0.05, "ratio": 1.5, "share": 0.1, "alpha": 0.01} | wrong
    with pytest.raises(BadInput, match=says):
        rate_cost(**asked)


@pytest.mark.parametrize(("variance", "difference"), [(0.1, 0.0), (0.0, 0.1), (float("nan"), 0.1)])
def test_no_difference_is_never_found(variance: float, difference: float) -> None:
    with pytest.raises(BadInput):
        updates_needed(variance=variance, difference=difference, alpha=ALPHA)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_the_requests_until_a_larger_loss_is_found_where_callers_are_divided(share: float) -> None:
    random, test = np.random.default_rng(14), BettingTest(low=-1.0, high=1.0, mean=0.0, timidest=PAIRED_TIMIDEST)
    cost = mean_cost(live=0.2 * 0.8, candidate=0.3 * 0.7, difference=0.1, share=share, alpha=ALPHA)
    blocks, requests, size = [], [], block_size(share)
    for _ in range(RUNS):
        ours = random.random(size * int(cost.requests * 6 / size)) < share
        lost = (random.random(len(ours)) < np.where(ours, 0.3, 0.2)).astype(float)
        values = block_differences(ours, np.full(len(ours), share), lost, size)
        blocks.append(found_after(test.start(), test.gains(values), 20))
        requests.append(blocks[-1] * len(ours) / len(values))
    assert 0.7 <= np.mean(blocks) / cost.blocks <= 1.15
    assert 0.7 <= np.mean(requests) / cost.requests <= 1.15
    assert cost.candidate_requests == pytest.approx(cost.requests * share)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_callers_who_are_not_divided_tell_nothing_of_two_means(share: float) -> None:
    with pytest.raises(BadInput, match="share"):
        mean_cost(live=0.1, candidate=0.1, difference=0.1, share=share, alpha=ALPHA)
