"""The decision, case by case: what each kind of step waits for, and what ends a rollout nobody decides."""

import msgspec
import pytest

from headgate.rollouts.decide import decide
from headgate.rollouts.guards import Measure, usual_guard
from headgate.rollouts.plan import Analysis, Approve, OnHorizon, Partial, Pause, Plan, SetWeight, Shadow, Step
from headgate.rollouts.state import Action, Move, Phase, State, begin, moved
from headgate.vocabulary import Micros, Verdict

ERRORS = usual_guard(Measure.ERRORS)


def plan_of(*steps: Step, **more: object) -> Plan:
    plan = Plan(endpoint="late", candidate="m:2", steps=steps, guards=(ERRORS,))
    for name, value in more.items():
        plan = msgspec.structs.replace(plan, **{name: value})
    return plan


def at(plan: Plan, step: int, phase: Phase = Phase.PROGRESSING) -> State:
    """The state of a rollout that began at 0 and is in `step` since then."""
    state = begin(plan, Micros(0))
    for _ in range(step):
        state = moved(plan, state, Move(Action.STEP, Micros(0), ""))
    return msgspec.structs.replace(state, phase=phase)


def action(plan: Plan, state: State, verdict: Verdict, now: int = 1) -> Action | None:
    move = decide(plan, state, verdict, Micros(now))
    return None if move is None else move.action


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PROMOTE, Action.STEP),
        (Verdict.UNDECIDED, None),
        (Verdict.BROKEN, Action.PAUSE),
        (Verdict.ROLL_BACK, Action.ROLL_BACK),
    ],
)
def test_an_analysis_asks_for_evidence(verdict: Verdict, expected: Action | None) -> None:
    plan = plan_of(Shadow(1.0), Analysis(), SetWeight(0.5))
    assert action(plan, at(plan, 1), verdict) is expected


@pytest.mark.parametrize("verdict", [Verdict.PROMOTE, Verdict.UNDECIDED])
def test_a_person_is_waited_for_whatever_the_evidence_says(verdict: Verdict) -> None:
    plan = plan_of(Shadow(1.0), Approve())
    assert action(plan, at(plan, 1), verdict) is None


def test_a_pause_is_as_long_as_it_says() -> None:
    plan = plan_of(SetWeight(0.5), Pause(Micros(10)))
    assert action(plan, at(plan, 1), Verdict.UNDECIDED, 9) is None
    assert action(plan, at(plan, 1), Verdict.UNDECIDED, 10) is Action.STEP


@pytest.mark.parametrize(("after", "confidence"), [(SetWeight(1.0), 0.0), (Analysis(), 0.9)])
def test_the_step_after_a_partial_one_has_the_last_word(after: Step, confidence: float) -> None:
    plan = plan_of(Partial(0.02), after, people=True)
    state = moved(plan, begin(plan, Micros(0)), Move(Action.STEP, Micros(1), "", confidence=0.9))
    assert (state.step, state.weight, state.confidence) == (1, 1.0, confidence)


def test_after_the_last_step_only_evidence_promotes() -> None:
    plan = plan_of(SetWeight(0.5), Analysis())
    assert action(plan, at(plan, 2), Verdict.UNDECIDED) is None
    assert action(plan, at(plan, 2), Verdict.PROMOTE) is Action.PROMOTE
    unguarded = msgspec.structs.replace(plan, guards=())
    assert action(unguarded, at(unguarded, 2), Verdict.UNDECIDED) is Action.PROMOTE


@pytest.mark.parametrize(
    ("on_horizon", "expected"), [(OnHorizon.HOLD, Action.HOLD), (OnHorizon.ROLL_BACK, Action.ROLL_BACK)]
)
@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.PAUSED])
def test_a_horizon_ends_what_nobody_decided(phase: Phase, on_horizon: OnHorizon, expected: Action) -> None:
    plan = plan_of(Shadow(1.0), Analysis(), horizon=Micros(100), on_horizon=on_horizon)
    assert action(plan, at(plan, 1, phase), Verdict.UNDECIDED, 99) is None
    assert action(plan, at(plan, 1, phase), Verdict.UNDECIDED, 100) is expected


def test_an_analysis_without_progress_is_held_for_a_person() -> None:
    plan = plan_of(Shadow(1.0), Analysis(), progress_deadline=Micros(50))
    assert action(plan, at(plan, 1), Verdict.UNDECIDED, 49) is None
    assert action(plan, at(plan, 1), Verdict.UNDECIDED, 50) is Action.HOLD
    assert action(plan, at(plan, 1), Verdict.PROMOTE, 50) is Action.STEP, "evidence that came is progress"


@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.PAUSED, Phase.HELD])
def test_evidence_against_it_rolls_back_wherever_it_stands(phase: Phase) -> None:
    plan = plan_of(Shadow(1.0), Analysis(), horizon=Micros(100))
    assert action(plan, at(plan, 1, phase), Verdict.ROLL_BACK, 1000) is Action.ROLL_BACK


@pytest.mark.parametrize("phase", [Phase.PROMOTED, Phase.ROLLED_BACK, Phase.ABORTED])
@pytest.mark.parametrize("verdict", Verdict)
def test_what_has_ended_is_left_alone(phase: Phase, verdict: Verdict) -> None:
    plan = plan_of(SetWeight(0.5), Analysis())
    assert action(plan, at(plan, 1, phase), verdict, 1000) is None
