"""Rollouts moved on by the controller: decided on what was seen, applied once, resumed by whoever comes after."""

from dataclasses import replace

import msgspec
import pytest
from tests.rollouts.samples import as_good, nothing, worse

from headgate.clock import HeldClock
from headgate.controller.progress import Progress
from headgate.errors import BadInput, Unavailable
from headgate.events import Event, EventKind
from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guard
from headgate.rollouts.judge import Sample, Weighed, weigh
from headgate.rollouts.plan import Analysis, OnHorizon, Pause, Plan, SetWeight, Shadow, Step
from headgate.rollouts.rollout import Edit, Rollout
from headgate.rollouts.state import Action, Move, Phase
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import SECOND, Micros

ERRORS = usual_guard(Measure.ERRORS)
CANARY = (Shadow(1.0), Analysis(), SetWeight(0.5), Analysis())


class Installation:
    """A store, a clock, and whatever the test says was observed."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.clock = HeldClock(Micros(1000 * SECOND))
        self.sample: Sample | Exception = nothing()
        self.looks = 0
        self.kept: list[int] = []
        self.store.put_endpoint("default", "late", "model: late:1")
        self.progress = self.controller()

    def controller(self) -> Progress:
        return Progress(
            rollouts=self.store, observe=self.observe, promoted=self.promoted,
            clock=self.clock, keep=lambda running: self.kept.append(len(running)),
        )  # fmt: skip

    def promoted(self, rollout: Rollout) -> Edit:
        return Edit(self.file, f"model: {rollout.plan.candidate}")

    def observe(self, rollout: Rollout, now: Micros) -> Weighed:
        self.looks += 1
        if isinstance(self.sample, Exception):
            raise self.sample
        return weigh(rollout.plan, self.sample)

    def begin(self, *steps: Step, guards: tuple[Guard, ...] = (ERRORS,), **rest: object) -> None:
        plan = Plan(endpoint="late", candidate="late:2", steps=steps, guards=guards)
        for name, value in rest.items():
            plan = msgspec.structs.replace(plan, **{name: value})
        rollout = Rollout(plan=plan, live="late:1", started=self.clock.now())
        self.store.add_rollout(rollout, Event(self.clock.now(), EventKind.ROLLOUT, "default", "late", "ann"))

    def turn(self, sample: Sample | Exception | None = None, *, later: float = 1.0) -> Rollout:
        self.clock.move_to(Micros(self.clock.now() + round(later * SECOND)))
        self.sample = self.sample if sample is None else sample
        self.progress.turn(at_once=True)
        return self.store.rollouts("default", "late")[-1]

    @property
    def file(self) -> str:
        return self.store.endpoints("default")[0][2]


def actions(rollout: Rollout) -> list[Action]:
    return [each.action for each in rollout.moves]


def test_a_candidate_as_good_goes_all_the_way_and_owns_the_endpoint() -> None:
    here = Installation()
    here.begin(*CANARY)
    assert here.turn().state.shadow == 1.0, "the first step has taken effect"
    rollout = here.turn(as_good())
    assert rollout.state.phase is Phase.PROMOTED
    assert actions(rollout)[-1] is Action.PROMOTE
    assert here.file == "model: late:2"
    assert here.store.running() == []
    events = here.store.events("default", "late")
    assert [each.kind for each in events] == [EventKind.ROLLOUT] * (len(rollout.moves) + 1)
    assert "promoted" in events[0].after


def test_a_worse_one_is_rolled_back_at_once_and_the_file_stays() -> None:
    here = Installation()
    here.begin(*CANARY)
    rollout = here.turn(worse())
    assert (rollout.state.phase, rollout.state.weight, rollout.state.shadow) == (Phase.ROLLED_BACK, 0.0, 0.0)
    assert "errors is worse" in rollout.moves[-1].why
    assert here.file == "model: late:1"


def test_without_evidence_it_waits() -> None:
    here = Installation()
    here.begin(*CANARY)
    for _ in range(5):
        assert here.turn().state.step == 1


def test_a_pause_ends_by_the_clock_and_nothing_is_promoted_without_evidence() -> None:
    here = Installation()
    here.begin(SetWeight(0.5), Pause(Micros(10 * SECOND)))
    assert here.turn().state.step == 1
    assert here.turn(later=5).state.step == 1
    assert here.turn(later=6).state.step == 2
    assert here.turn(later=1000).state.phase is Phase.PROGRESSING


def test_a_horizon_ends_what_nobody_decides() -> None:
    here = Installation()
    here.begin(*CANARY, horizon=Micros(60 * SECOND), on_horizon=OnHorizon.ROLL_BACK)
    assert here.turn(later=61).state.phase is Phase.ROLLED_BACK


def test_unguarded_steps_need_no_look() -> None:
    here = Installation()
    here.begin(SetWeight(1.0), guards=())
    assert here.turn().state.phase is Phase.PROMOTED
    assert here.looks == 0


def test_a_measurement_that_is_broken_pauses() -> None:
    here = Installation()
    here.begin(*CANARY)
    rollout = here.turn(BadInput("values", "range", "must be numbers"))
    assert rollout.state.phase is Phase.PAUSED
    assert "must be numbers" in rollout.moves[-1].why


def test_a_guard_whose_query_fails_pauses_and_keeps_nobody_from_rolling_back() -> None:
    here = Installation()
    asked = Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query="SELECT 1", cap=1.0)
    here.begin(*CANARY, guards=(ERRORS, asked))
    broken = {"SELECT 1": "there is no such column"}
    paused = here.turn(replace(nothing(), broken=broken))
    assert paused.state.phase is Phase.PAUSED
    assert "there is no such column" in paused.moves[-1].why
    assert here.turn(replace(worse(), broken=broken)).state.phase is Phase.ROLLED_BACK


def test_one_that_cannot_be_looked_at_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    here = Installation()
    plan = Plan(endpoint="early", candidate="late:2", steps=CANARY, guards=(ERRORS,))
    begun = Event(here.clock.now(), EventKind.ROLLOUT, "default", "early", "ann")
    here.store.add_rollout(Rollout(plan=plan, live="late:1", started=here.clock.now()), begun)
    here.begin(*CANARY)
    looked: list[str] = []

    def observe(rollout: Rollout, now: Micros) -> Weighed:
        looked.append(rollout.plan.endpoint)
        if rollout.plan.endpoint == "early":
            raise TypeError("a fault of ours")
        return weigh(rollout.plan, here.sample if isinstance(here.sample, Sample) else nothing())

    here.observe = observe  # type: ignore[method-assign] # one of two that fails
    here.progress = here.controller()
    assert here.turn(worse()).state.phase is Phase.ROLLED_BACK
    assert looked == ["early", "late"]
    assert "rollout 1 of early could not be looked at" in caplog.text
    assert "a fault of ours" in caplog.text, "with its trace"
    here.progress.turn()
    assert looked == ["early", "late"], "not again within half a second"


def test_a_journal_that_cannot_be_read_for_a_moment_moves_nothing() -> None:
    here = Installation()
    here.begin(*CANARY)
    assert here.turn(Unavailable("busy")).moves == ()
    assert here.turn(nothing()).state.step == 1


def test_one_who_orders_meanwhile_is_obeyed() -> None:
    here = Installation()
    here.begin(*CANARY)
    here.turn()

    def ordered(rollout: Rollout, now: Micros) -> Weighed:
        abort = Move(Action.ABORT, now, "enough")
        here.store.move_rollout(rollout, abort, Event(now, EventKind.ROLLOUT, "default", "late", "ann"))
        return weigh(rollout.plan, as_good())

    here.observe = ordered  # type: ignore[method-assign] # somebody who is quicker than the controller
    here.progress = here.controller()
    rollout = here.turn()
    assert rollout.state.phase is Phase.ABORTED
    assert here.file == "model: late:1"


def test_a_file_that_was_changed_meanwhile_is_read_again_before_it_is_replaced() -> None:
    here = Installation()
    here.begin(*CANARY)
    here.turn()

    def promoted(rollout: Rollout) -> Edit:
        edit = Edit(here.file, f"{here.file}\nmodel: {rollout.plan.candidate}")
        if here.file == "model: late:1":
            here.store.put_endpoint("default", "late", "why: applied", here.file)
        return edit

    here.promoted = promoted  # type: ignore[method-assign] # somebody who is quicker than the controller
    here.progress = here.controller()
    rollout = here.turn(as_good())
    assert (rollout.state.phase, here.file) == (Phase.PROGRESSING, "why: applied")
    assert here.turn().state.phase is Phase.PROMOTED
    assert here.file == "why: applied\nmodel: late:2"


class Killed(BaseException):
    """The controller's process is gone."""


@pytest.mark.parametrize("after", [False, True])
def test_a_controller_killed_around_a_write_leaves_a_rollout_that_goes_on(after: bool) -> None:
    here = Installation()
    here.begin(*CANARY)
    here.turn()
    kept = here.store.move_rollout

    def dies(rollout: Rollout, move: Move, event: Event, edit: Edit | None = None) -> Rollout:
        if after:
            kept(rollout, move, event, edit)
        raise Killed

    here.store.move_rollout = dies  # type: ignore[method-assign] # the process ends here
    with pytest.raises(Killed):
        here.turn(as_good())
    here.store.move_rollout = kept  # type: ignore[method-assign] # another process begins
    here.progress = here.controller()
    rollout = here.turn()
    assert rollout.state.phase is Phase.PROMOTED
    assert [each for each in actions(rollout) if each is Action.PROMOTE] == [Action.PROMOTE]
    assert here.file == "model: late:2"


def test_looks_are_taken_now_and_then() -> None:
    here = Installation()
    here.begin(*CANARY)
    here.progress.turn()
    looks = here.looks
    here.progress.turn()
    assert here.looks == looks, "not again within half a second"


def test_what_has_ended_is_not_kept() -> None:
    here = Installation()
    here.begin(*CANARY)
    here.turn(as_good())
    here.turn()
    assert here.kept == [1, 0]
