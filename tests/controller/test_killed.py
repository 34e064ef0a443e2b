"""A controller killed around any of its writes: the history is the one there would have been without."""

from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.controller.test_progress import Installation
from tests.rollouts.samples import as_good, nothing, worse

from headgate.events import Event, EventKind
from headgate.rollouts.judge import Sample
from headgate.rollouts.plan import Analysis, Approve, OnHorizon, Pause, SetWeight, Shadow, Step
from headgate.rollouts.rollout import Edit, Rollout
from headgate.rollouts.state import Action, Move
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import SECOND, Micros

SEEN: Final[dict[str, Sample]] = {"nothing": nothing(), "as good": as_good(), "worse": worse()}
STEPS: Final[tuple[Step, ...]] = (Shadow(1.0), SetWeight(0.5), Pause(Micros(10 * SECOND)), Analysis(), Approve())
ORDERS: Final = (Action.STEP, Action.PAUSE, Action.RESUME, Action.PROMOTE, Action.ABORT)


class Killed(BaseException):
    """The controller's process is gone; no error, for a process that is gone handles none."""


class DeadlyStore(MemoryStore):
    """A store one of whose next writes is the last thing its process does."""

    left = 0
    """Writes until then; 0 lets everybody live."""
    too_late = False
    """Whether the process dies after that write, and not before it."""

    def move_rollout(self, rollout: Rollout, move: Move, event: Event, edit: Edit | None = None) -> Rollout:
        self.left -= 1
        if self.left == 0 and not self.too_late:
            raise Killed
        kept = super().move_rollout(rollout, move, event, edit)
        if self.left == 0:
            raise Killed
        return kept


class Controllers(RuleBasedStateMachine):
    """Two installations that live through the same; one of them loses its controllers."""

    @initialize(
        steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=5).map(tuple),
        horizon=st.sampled_from([60, 10_000]),
        on_horizon=st.sampled_from(OnHorizon),
    )
    def begin(self, steps: tuple[Step, ...], horizon: int, on_horizon: OnHorizon) -> None:
        self.dying = DeadlyStore()
        self.calm, self.deadly = Installation(), Installation(self.dying)
        for each in (self.calm, self.deadly):
            each.begin(*steps, horizon=Micros(horizon * SECOND), on_horizon=on_horizon)

    @rule(seen=st.sampled_from(sorted(SEEN)), later=st.integers(0, 40), write=st.integers(0, 7), too_late=st.booleans())
    def the_controller_looks(self, seen: str, later: int, write: int, too_late: bool) -> None:
        self.calm.turn(SEEN[seen], later=later)
        self.dying.left, self.dying.too_late = write, too_late
        try:
            self.deadly.turn(SEEN[seen], later=later)
        except Killed:
            self.deadly.progress = self.deadly.controller()
            self.deadly.turn(later=0)
        self.dying.left = 0

    @rule(action=st.sampled_from(ORDERS))
    def somebody_orders(self, action: Action) -> None:
        for each in (self.calm, self.deadly):
            rollout = each.store.rollouts("default", "late")[-1]
            now = each.clock.now()
            move = Move(action, now, "because")
            if rollout.would_move(move):
                each.store.move_rollout(rollout, move, Event(now, EventKind.ROLLOUT, "default", "late", "ann"))

    @invariant()
    def nothing_tells_them_apart(self) -> None:
        calm, deadly = self.calm.store, self.deadly.store
        assert deadly.rollouts() == calm.rollouts()
        assert deadly.endpoints() == calm.endpoints()
        assert deadly.sealed() == calm.sealed()


TestControllers = Controllers.TestCase
TestControllers.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
