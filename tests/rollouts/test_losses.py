"""Losses of numbers: bounded by a cap, unknown without a truth, all there is to lose without an answer."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from headgate.rollouts.answers import Answers, Arms, Pairs
from headgate.rollouts.guards import Guard, Margin, Measure, Unit
from headgate.rollouts.judge import Judgement, Sample, judge, weigh
from headgate.rollouts.losses import largest, losses
from headgate.rollouts.measures import Setting
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.state import Action, Move, begin, moved
from headgate.vocabulary import Micros, Verdict

Floats = NDArray[np.float64]
OFF = Guard(metric=Measure.ABSOLUTE_ERROR, margin=Margin(0.5, Unit.PLAIN), cap=10.0)
UNSEEN = Plan(endpoint="late", candidate="late:2", steps=(Shadow(1.0), Analysis()), guards=(OFF,))
SPLIT = msgspec.structs.replace(UNSEEN, steps=(SetWeight(0.5), Analysis()))
COUNT = 4000


def answers(predicted: Floats, truth: Floats, failed: NDArray[np.bool_] | None = None) -> Answers:
    count = len(predicted)
    never = np.zeros(count, np.bool_)
    return Answers(
        np.arange(count),
        predicted,
        None,
        np.zeros(count),
        never if failed is None else failed,
        truth,
        np.isfinite(truth),
    )


def nobody() -> Answers:
    return answers(np.zeros(0), np.zeros(0))


def judged(plan: Plan, pairs: Pairs, arms: Arms) -> Judgement:
    state = moved(plan, begin(plan, Micros(0)), Move(Action.STEP, Micros(0), ""))
    return judge(plan, state, weigh(plan, Sample(pairs, arms, pairs, arms, Setting())))


def test_what_is_far_off_loses_no_more_than_the_cap() -> None:
    lost = losses(OFF, answers(np.array([1.0, 50.0, -3.0]), np.array([1.5, 0.0, np.nan])))
    assert lost[:2].tolist() == [0.5, 10.0]
    assert np.isnan(lost[2]), "nobody knows yet"
    assert largest(OFF) == 10.0


def test_no_answer_loses_all_there_is_to_lose() -> None:
    found = answers(np.zeros(2), np.zeros(2), np.array([False, True]))
    assert losses(OFF, found).tolist() == [0.0, 10.0]


@pytest.mark.parametrize(("noise", "verdict"), [(1.0, Verdict.PROMOTE), (2.0, Verdict.ROLL_BACK)])
def test_a_shadow_is_judged_by_how_far_it_is_off_the_same_inputs(noise: float, verdict: Verdict) -> None:
    random = np.random.default_rng(21)
    truth = random.normal(0, 20, COUNT)
    live, ours = (answers(truth + random.normal(0, each, COUNT), truth) for each in (1.0, noise))
    alone = Arms(nobody(), np.zeros(0, np.bool_), np.zeros(0))
    assert judged(UNSEEN, Pairs(live, ours), alone).verdict is verdict


@pytest.mark.parametrize(("noise", "verdict"), [(1.0, Verdict.PROMOTE), (2.0, Verdict.ROLL_BACK)])
def test_a_canary_is_judged_by_how_far_it_is_off_its_own_inputs(noise: float, verdict: Verdict) -> None:
    random = np.random.default_rng(22)
    ours = random.random(COUNT) < 0.5
    truth = random.normal(0, 20, COUNT)
    said = truth + random.normal(0, 1, COUNT) * np.where(ours, noise, 1.0)
    arms = Arms(answers(said, truth), ours, np.full(COUNT, 0.5))
    assert judged(SPLIT, Pairs(nobody(), nobody()), arms).verdict is verdict
