"""A year's budget: many small steps down never add up to a large one."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from headgate.rollouts.answers import Answers, Arms, Pairs
from headgate.rollouts.budget import YEAR, at_most, spending, within_budget
from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guard
from headgate.rollouts.judge import Sample, judge, weigh
from headgate.rollouts.measures import Setting
from headgate.rollouts.plan import Analysis, Plan, Shadow
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Move, begin
from headgate.traffic.endpoint import RolloutBudget
from headgate.vocabulary import Micros, Verdict

PLAN = Plan(endpoint="late", candidate="m:2", steps=(Shadow(1.0), Analysis()), guards=(usual_guard(Measure.ACCURACY),))
BUDGET = RolloutBudget(alpha_per_year=0.2, worse_per_year=1.0)


def ended(started: int, points: float) -> Rollout:
    move = Move(Action.PROMOTE, Micros(started), "", {"accuracy": points / 100})
    return Rollout(plan=PLAN, live="m:1", started=Micros(started), moves=(move,))


def test_a_year_of_rollouts_has_the_alpha_of_the_year() -> None:
    alphas = []
    for count in range(200):
        plan = within_budget(PLAN, [ended(1, 0.0)] * count, BUDGET, Micros(2))
        alphas.append(plan.alpha.promote)
    assert alphas[0] == 0.05, "no more than the plan asks for"
    assert alphas == sorted(alphas, reverse=True)
    assert sum(alphas) <= 0.2


def test_what_was_spent_is_missing_from_the_next_margin_for_a_year() -> None:
    assert within_budget(PLAN, [], BUDGET, Micros(0)).guards[0].margin.value == 1.0
    narrowed = within_budget(PLAN, [ended(0, 0.75)], BUDGET, Micros(5)).guards[0].margin
    assert narrowed.value == pytest.approx(0.25)
    assert narrowed.unit is Unit.POINTS
    assert within_budget(PLAN, [ended(0, 3.0)], BUDGET, Micros(5)).guards[0].margin.value == 0.0
    assert within_budget(PLAN, [ended(0, 3.0)], BUDGET, Micros(YEAR)).guards[0].margin.value == 1.0


def test_what_was_proved_before_has_no_part_in_it() -> None:
    proved = msgspec.structs.replace(PLAN, proved=True)
    mine = [msgspec.structs.replace(ended(0, 0.0), plan=proved)] * 20
    assert within_budget(proved, [ended(0, 3.0)], BUDGET, Micros(5)) is proved
    assert within_budget(PLAN, mine, BUDGET, Micros(5)) == within_budget(PLAN, [], BUDGET, Micros(5))
    assert at_most(proved) == {}


def test_a_margin_in_per_cent_stays_while_anything_is_left_and_then_is_nothing() -> None:
    guard = Guard(metric=Measure.ACCURACY, margin=Margin(5.0, Unit.PERCENT))
    plan = msgspec.structs.replace(PLAN, guards=(guard,))
    assert within_budget(plan, [ended(0, 0.75)], BUDGET, Micros(5)).guards == (guard,)
    for gone in ([ended(0, 3.0)], [ended(0, 0.1)] * 10):
        assert within_budget(plan, gone, BUDGET, Micros(5)).guards[0].margin == Margin(0.0, Unit.PERCENT)


def test_what_cannot_be_measured_spends_what_its_margin_allows() -> None:
    errors, accuracy = usual_guard(Measure.ERRORS), usual_guard(Measure.ACCURACY)
    share = msgspec.structs.replace(accuracy, margin=Margin(5.0, Unit.PERCENT))
    asked = Guard(metric=Measure.SQL, margin=Margin(2.0, Unit.PLAIN), query="SELECT 1", cap=10.0)
    assert at_most(msgspec.structs.replace(PLAN, guards=(errors, accuracy))) == {"accuracy": 0.01}
    assert at_most(msgspec.structs.replace(PLAN, guards=(share,)))["accuracy"] == pytest.approx(0.05)
    sample = replace(shadowed(np.random.default_rng(4), 30_000, -0.01, 0.04), broken={"SELECT 1": "no such column"})
    spends = spending(msgspec.structs.replace(PLAN, guards=(accuracy, asked)), sample)
    assert spends["accuracy"] == 0.0
    assert spends.get("sql: SELECT 1", 0.2) == 0.2


def test_guards_without_labels_have_no_budget() -> None:
    plan = msgspec.structs.replace(PLAN, guards=(usual_guard(Measure.ERRORS), usual_guard(Measure.LATENCY)))
    assert within_budget(plan, [ended(0, 3.0)], BUDGET, Micros(5)).guards == plan.guards


def test_a_query_has_a_budget_with_labels_or_without() -> None:
    for query in ("SELECT label FROM joined", "SELECT prediction FROM joined"):
        guard = Guard(metric=Measure.SQL, margin=Margin(0.5, Unit.PLAIN), query=query, cap=2.0)
        plan = msgspec.structs.replace(PLAN, guards=(guard,))
        assert within_budget(plan, [], BUDGET, Micros(0)).guards[0].margin == Margin(0.02, Unit.PLAIN)


def shadowed(generator: np.random.Generator, count: int, worse: float, differ: float) -> Sample:
    """Pairs of which a share differs, and the candidate is wrong more often by `worse`."""
    draws = generator.random(count)
    ours_wrong = draws < (differ + worse) / 2
    live_wrong = (draws >= (differ + worse) / 2) & (draws < differ)
    nobody = Arms(_answers(np.zeros(0, np.bool_)), np.zeros(0, np.bool_), np.zeros(0))
    pairs = Pairs(_answers(live_wrong), _answers(ours_wrong))
    return Sample(pairs, nobody, pairs, nobody, Setting())


def _answers(wrong: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Answers:
    count = len(wrong)
    never, always = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    said = np.where(wrong, 0, 1)
    return Answers(np.arange(count), said, None, np.zeros(count), never, np.ones(count, np.int64), always)


@pytest.mark.parametrize("seed", [1])
def test_fifty_challengers_half_a_point_worse_each_stay_inside_the_margin(seed: int) -> None:
    """Each within a margin of one point, each looked at with 30,000 labels: together they may cost a point a year."""
    generator = np.random.default_rng(seed)
    earlier: list[Rollout] = []
    lost = 0.0
    for place in range(50):
        now = Micros(place * 7 * 86_400_000_000)
        plan = within_budget(PLAN, earlier, BUDGET, now)
        sample = shadowed(generator, 30_000, 0.005, 0.04)
        rollout = Rollout(plan=plan, live="m:1", started=now)
        if judge(plan, begin(plan, now), weigh(plan, sample)).verdict is Verdict.PROMOTE:
            lost += 0.005
            rollout = rollout.after(Move(Action.PROMOTE, now, "", spending(plan, sample)))
        earlier.append(rollout)
    assert lost <= 0.01
    assert lost > 0, "one of them is within the margin, and is promoted"


def test_a_better_one_spends_nothing_and_is_always_welcome() -> None:
    generator = np.random.default_rng(4)
    sample = shadowed(generator, 30_000, -0.01, 0.04)
    plan = within_budget(PLAN, [ended(0, 3.0)], BUDGET, Micros(5))
    assert plan.guards[0].margin.value == 0.0
    assert judge(plan, begin(plan, Micros(0)), weigh(plan, sample)).verdict is Verdict.PROMOTE
    assert spending(plan, sample) == {"accuracy": 0.0}
