"""What a guard finds: groups together, and losses that rounding takes to the end of their range."""

import math
from dataclasses import replace

import numpy as np
import pytest

from headgate.evidence.mixture import Mixture
from headgate.rollouts.answers import Answers, Arms, Pairs
from headgate.rollouts.guards import Guard, Margin, Measure, Unit
from headgate.rollouts.judge import Sample, Source, differences, weigh
from headgate.rollouts.losses import largest
from headgate.rollouts.measures import SMALLEST_GROUP, PairedLosses, Setting, found
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.tally import Group, Mean, Tally

BY = Guard(metric=Measure.ACCURACY, margin=Margin(1.0, Unit.POINTS), by="region")


def group(*, worse: float = 1.0, fine: float = 1.0, figure: float = 0.0, count: int = 500) -> Group:
    """A group with these p-values, whose candidate loses `figure` on average."""
    peaks = (Mixture((0.0,), -math.log(each)) for each in (worse, fine))
    back, on = peaks
    return Group(count, Tally(back, (on,), Mean(count, 0.0), Mean(count, figure * count), count))


def test_a_group_has_the_part_of_its_place_among_all_that_appeared() -> None:
    """Also among those too small to look at: as they grow, the evidence of the others stays what it is."""
    second = group(worse=0.0001)
    alone = found(BY, {"second": second})
    later = [found(BY, {"first": group(count=count), "second": second}) for count in (3, SMALLEST_GROUP)]
    assert alone.p_worse == pytest.approx(0.0001 * math.pi**2 / 6)
    assert [each.p_worse for each in later] == pytest.approx([4 * alone.p_worse] * 2)
    assert [each.rows for each in later] == [500, 500 + SMALLEST_GROUP]


def test_the_figures_shown_are_those_of_the_group_that_is_named() -> None:
    worse, unsure = group(worse=0.0001, fine=0.01, figure=0.3), group(fine=0.9, figure=0.1)
    together = found(BY, {"worse": worse, "unsure": unsure})
    assert together.group == "worse"
    assert (together.candidate, together.p_fine) == pytest.approx((0.3, 0.9))
    together = found(BY, {"fine": group(fine=0.01, figure=0.2), "unsure": unsure})
    assert together.group == "unsure"
    assert together.candidate == pytest.approx(0.1)


def answers(predicted: np.ndarray, truth: np.ndarray) -> Answers:
    count = len(predicted)
    never = np.zeros(count, np.bool_)
    return Answers(np.arange(count), predicted, None, np.zeros(count), never, truth, ~never)


def test_a_loss_below_what_counts_as_harm_takes_nobody_back() -> None:
    """Of 4,000 inputs the candidate is wrong on 300 that the live version answers well: 7.5 points."""
    truth = np.zeros(4000)
    wrong = np.random.default_rng(4).permutation(4000) < 300
    pairs = Pairs(answers(truth, truth), answers(wrong.astype(float), truth))
    worse = {}
    for harm in (None, Margin(5.0, Unit.POINTS), Margin(10.0, Unit.POINTS)):
        guard = Guard(metric=Measure.ACCURACY, margin=Margin(1.0, Unit.POINTS), harm=harm)
        scale = PairedLosses(guard, ("0", "1"))
        worse[harm and harm.value] = scale.after(scale.start(), pairs).worse.p_value
    assert worse[None] < worse[5.0] < 0.01
    assert worse[10.0] > 0.9


@pytest.mark.parametrize("margin", [Margin(0.05, Unit.PLAIN), Margin(2.0, Unit.PERCENT)])
def test_a_mean_of_equal_losses_is_no_larger_than_the_largest(margin: Margin) -> None:
    """Three times 0.1 and divided by three is more than 0.1."""
    guard = Guard(metric=Measure.ABSOLUTE_ERROR, margin=margin, cap=0.1)
    plan = plan_of(guard, SetWeight(0.25), Analysis())
    ours = np.tile([False, False, False, True], 50)
    arms = Arms(answers(np.where(ours, 0.0, 9.0), np.zeros(200)), ours, np.full(200, 0.25))
    nobody = answers(np.zeros(0), np.zeros(0))
    sample = Sample(Pairs(nobody, nobody), arms, Pairs(nobody, nobody), arms, Setting())
    assert differences(guard, Source.SPLIT, sample).min() == -guard.margin.factor * 0.1
    (judged,) = weigh(plan, sample).judged
    assert (judged.rows, judged.why) == (50, "")


def test_what_a_decision_is_not_worth_is_no_more_than_all_there_is() -> None:
    """0.5 x 3.3 + 0.1 x 3.3 is more than 0.6 x 3.3."""
    guard = Guard(
        metric=Measure.VALUE,
        margin=Margin(0.1, Unit.PLAIN),
        worth={"yes": {"yes": 0.5, "no": -0.1}},
        column="amount",
        cap=3.3,
    )
    plan = plan_of(guard, Shadow(1.0), Analysis())
    no, amounts = np.zeros(20, np.int64), {"features.amount": np.full(20, 3.3)}
    live, ours = (replace(answers(each, no), more=amounts) for each in (no, no + 1))
    pairs, nobody = Pairs(live, ours), Arms(answers(no[:0], no[:0]), np.zeros(0, np.bool_), np.zeros(0))
    sample = Sample(pairs, nobody, pairs, nobody, Setting((), ("no", "yes")))
    (judged,) = weigh(plan, sample).judged
    assert (judged.rows, judged.why) == (20, "")
    assert judged.candidate == pytest.approx(largest(guard))


def plan_of(guard: Guard, *steps: Shadow | SetWeight | Analysis) -> Plan:
    return Plan(endpoint="late", candidate="late:2", steps=steps, guards=(guard,))
