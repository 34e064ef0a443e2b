"""A ramp keeps within the bad answers it was given: worked out, and played through."""

import math
from itertools import pairwise

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.mixture import log_mean
from headgate.rollouts.foretell import Pace
from headgate.rollouts.plan import Pause, SetWeight, Step
from headgate.rollouts.ramp import GROWTH, LEAST, REACTION, TOP, answers_until_found, ramp
from headgate.vocabulary import SECOND

ALPHA = 0.01
FLOW = 500.0
RATE = 0.02


def shares(steps: tuple[Step, ...]) -> list[float]:
    return [each.weight for each in steps if isinstance(each, SetWeight)]


@pytest.mark.parametrize("late", [0.0, 3600.0])
@pytest.mark.parametrize("flow", [1.0, 100.0, 10_000.0])
@pytest.mark.parametrize("spare", [1.0, 10.0, 1000.0])
def test_shares_grow_and_each_is_held_as_long_as_it_takes(spare: float, flow: float, late: float) -> None:
    pace = Pace(inputs_per_second=flow, error_rate=RATE)
    least = answers_until_found(1.0, RATE, ALPHA) + LEAST * flow * (REACTION + late)
    steps = ramp(least * (1 + spare), pace, alpha=ALPHA, late=late)
    found = shares(steps)
    assert found == sorted(set(found))
    assert found[-1] <= TOP
    assert all(after <= GROWTH * share + 1e-3 for share, after in pairwise(found))
    held = [each.length for each in steps if isinstance(each, Pause)]
    assert len(held) == len(found) - 1
    assert all(each >= (REACTION + late) * SECOND for each in held), "evidence of a step has to be in before the next"
    with pytest.raises(BadInput, match="must be"):
        ramp(least * 0.99, pace, alpha=ALPHA, late=late)


def test_a_budget_below_what_evidence_costs_is_refused_with_what_it_must_be() -> None:
    with pytest.raises(BadInput, match="must be 13 at least"):
        ramp(5, Pace(inputs_per_second=1000.0), alpha=ALPHA, late=0.0)
    assert shares(ramp(13, Pace(inputs_per_second=1000.0), alpha=ALPHA, late=0.0))


def test_where_nobody_asks_there_is_no_pace_to_go_by() -> None:
    with pytest.raises(BadInput, match="nobody asked lately"):
        ramp(100, Pace(inputs_per_second=0.0), alpha=ALPHA, late=0.0)


@pytest.mark.parametrize("excess", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("budget", [60.0, 200.0])
def test_played_through_callers_get_no_more_bad_answers_than_that(budget: float, excess: float) -> None:
    steps = ramp(budget, Pace(inputs_per_second=FLOW, error_rate=RATE), alpha=ALPHA, late=0.0)
    generator = np.random.default_rng(11)
    bad = [_bad_answers(steps, excess, generator) for _ in range(60)]
    assert np.mean(bad) <= budget


def _bad_answers(steps: tuple[Step, ...], excess: float, generator: np.random.Generator) -> float:
    """Answers on which a candidate errs beyond what the live version would have, until it is found and gone."""
    seconds = [each.length / SECOND for each in steps if isinstance(each, Pause)] + [1000.0]
    counts = [math.ceil(FLOW * each) for each in seconds]
    each_share = np.repeat(shares(steps), counts)
    ours = generator.random(len(each_share)) < each_share
    failed = generator.random(len(each_share)) < np.where(ours, min(1.0, RATE + excess), RATE)
    places = np.flatnonzero(failed)[:8000]
    gains = AllocationTest.worse().gains(ours[places], each_share[places])
    reached = log_mean(np.cumsum(gains, axis=0)) >= -math.log(ALPHA)
    assert reached.any(), "it is found"
    end = int(places[reached.argmax()] + FLOW * REACTION)
    return float(excess * ours[:end].sum())
