"""What a plan would do: never less with less traffic, and near what simulations take."""

import math

import msgspec
import pytest

from headgate.rollouts.budget import within_budget
from headgate.rollouts.foretell import Foretold, Pace, foretell
from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guard
from headgate.rollouts.plan import Analysis, Approve, Pause, Plan, SetWeight, Shadow, Step
from headgate.rollouts.strategies import Strategy, steps_of
from headgate.rollouts.text import foretold_text
from headgate.traffic.endpoint import RolloutBudget
from headgate.vocabulary import SECOND, Micros

PACE = Pace(inputs_per_second=10.0, error_rate=0.001, label_share=0.5, maturity_s=3600.0)
GUARDS = (usual_guard(Measure.ERRORS), usual_guard(Measure.LATENCY), usual_guard(Measure.ACCURACY))


def told(*steps: Step, guards: tuple[Guard, ...] = GUARDS, pace: Pace = PACE) -> Foretold:
    return foretell(Plan(endpoint="late", candidate="m:2", steps=steps, guards=guards), pace)


def test_an_analysis_waits_for_its_slowest_guard_and_for_its_labels() -> None:
    found = told(Shadow(1.0), Analysis(), guards=(usual_guard(Measure.ACCURACY),)).steps[1]
    assert found.waits_for == "accuracy (shadow)"
    labels = 2 * 0.1 * (math.log(20) + 2) / 0.01**2
    assert found.inputs == pytest.approx(labels / 0.5)
    assert found.seconds == pytest.approx(labels / 0.5 / 10 + 3600)


def test_what_was_seen_is_not_waited_for_again() -> None:
    found = told(Shadow(1.0), Analysis(), Analysis())
    assert found.steps[1].inputs is not None
    assert found.steps[1].inputs > 0
    assert found.steps[2].inputs == 0


def test_less_traffic_and_fewer_callers_take_longer() -> None:
    slow = msgspec.structs.replace(PACE, inputs_per_second=1.0)
    steps = steps_of(Strategy.CANARY)
    quick, late = told(*steps).seconds, told(*steps, pace=slow).seconds
    assert quick is not None
    assert late is not None
    assert late > quick
    few, half = (told(SetWeight(share), Analysis()).inputs for share in (0.05, 0.5))
    assert few > half


def test_callers_of_the_candidate_are_counted() -> None:
    found = told(SetWeight(0.25), Pause(Micros(100 * SECOND)), SetWeight(0.5), Pause(Micros(100 * SECOND)), guards=())
    assert (found.inputs, found.candidate_inputs, found.seconds) == (2000, 750, 200)


def test_without_traffic_nobody_knows_how_long_and_a_person_takes_no_time() -> None:
    found = told(Shadow(1.0), Analysis(), Approve("the report"), pace=Pace(inputs_per_second=0.0))
    assert found.seconds is None
    assert found.inputs > 0
    assert (found.steps[2].says, found.steps[2].inputs) == ("wait for a person: the report", None)
    assert "for lack of traffic" in foretold_text(found)


def test_a_margin_of_nothing_is_never_proved_by_one_as_good() -> None:
    guard = Guard(metric=Measure.ACCURACY, margin=Margin(0.0, Unit.POINTS))
    found = told(Shadow(1.0), Analysis(), guards=(guard,))
    assert found.inputs == math.inf
    assert "endless" in foretold_text(found)


def test_what_the_years_budget_leaves_is_told_beside_what_the_plan_asks_for() -> None:
    plan = Plan(endpoint="late", candidate="m:2", steps=(Shadow(1.0), Analysis()), guards=GUARDS)
    budget = RolloutBudget(alpha_per_year=0.05, worse_per_year=0.25)
    found = foretell(within_budget(plan, [], budget, Micros(0)), PACE, plan)
    assert (found.alpha.promote, found.asked.promote) == pytest.approx((0.0304, 0.05), abs=1e-4)
    accuracy = found.guards[2]
    assert (accuracy.margin.value, accuracy.asked.value) == pytest.approx((0.25, 1.0))
    lines = foretold_text(found).splitlines()
    less = "the year's budget leaves no more"
    assert lines[-4:] == [
        f"alpha: roll_back 0.01 (0.0033 for each guard and source), promote 0.0303964; the plan asks for 0.05, {less}",
        "guard: errors (shadow), margin 0.5pt",
        "guard: latency (shadow), margin 10%",
        f"guard: accuracy (shadow), margin 0.25pt; the plan asks for 1pt, {less}",
    ]


def test_alpha_is_shared_by_guards_in_each_of_their_sources_and_a_dry_run_has_none() -> None:
    dry = msgspec.structs.replace(usual_guard(Measure.AGREEMENT), dry_run=True)
    guards = (usual_guard(Measure.ERRORS), msgspec.structs.replace(usual_guard(Measure.ACCURACY), by="region"), dry)
    found = told(Shadow(1.0), Analysis(), SetWeight(0.5), Analysis(), guards=guards)
    assert found.roll_back_each == pytest.approx(0.01 / 3)
    assert foretold_text(found).splitlines()[-4:] == [
        "alpha: roll_back 0.01 (0.0033 for each guard and source), promote 0.05",
        "guard: errors (shadow, split), margin 0.5pt",
        "guard: accuracy by region (shadow), margin 1pt",
        "guard: agreement (shadow), margin 10pt; dry run, it decides nothing",
    ]
    assert "alpha" not in foretold_text(told(SetWeight(1.0), guards=())), "nobody judges"


@pytest.mark.parametrize("strategy", Strategy)
def test_every_strategy_is_foretold_in_words(strategy: Strategy) -> None:
    said = foretold_text(told(*steps_of(strategy), guards=() if strategy is Strategy.ALL_AT_ONCE else GUARDS))
    assert max(map(len, said.splitlines())) <= 130
    assert "callers" in said
