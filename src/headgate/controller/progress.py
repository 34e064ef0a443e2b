"""Moves rollouts on: observe, judge, decide, apply. Read `turn` first.

Called in turn with `reconcile.py`, which publishes what a rollout's state asks for. A move is decided on a history
and kept only if the history is still that one, in the same transaction as the endpoint's file: whoever is killed in
between has changed nothing, and whoever comes after decides the same.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic, thread_time

import msgspec

from headgate.clock import Clock
from headgate.errors import Conflict, HeadgateError, PassingError
from headgate.events import Event, EventKind
from headgate.rollouts.budget import spending
from headgate.rollouts.decide import decide
from headgate.rollouts.judge import Judgement, Weighed, judge
from headgate.rollouts.rollout import Edit, Rollout, RolloutStore
from headgate.rollouts.state import Action, Move
from headgate.rollouts.text import told
from headgate.vocabulary import Micros, Verdict

log = logging.getLogger("headgate.controller")

OFTEN = 0.5
"""Seconds between two looks at a rollout's evidence, at least."""
LONG = 2.0
"""Seconds of a thread's work from which on a look is one that reads everything, and not one that finds what is new."""
STUCK = 60.0
"""Seconds without the end of a turn after which nobody should rely on rollouts being watched over."""
Observe = Callable[[Rollout, Micros], Weighed]
"""What all that was observed of a rollout by a moment comes to."""
Keep = Callable[[Sequence[Rollout]], object]
"""Forgets what is held of all rollouts but these."""
Promoted = Callable[[Rollout], Edit]
"""What becomes of the endpoint's file once a rollout's candidate owns it."""


class Progress:
    """The rollouts of an installation, a turn at a time; turns of several threads wait for each other."""

    def __init__(
        self,
        *,
        rollouts: RolloutStore,
        observe: Observe,
        promoted: Promoted,
        clock: Clock,
        keep: Keep = lambda running: None,
    ) -> None:
        self._rollouts = rollouts
        self._observe = observe
        self._promoted = promoted
        self._clock = clock
        self._keep = keep
        self._lock = threading.Lock()
        self._next: dict[tuple[str, str, int], float] = {}
        """When each is to be looked at again, on the scale of `monotonic`."""
        self._ended = monotonic()
        """When a turn last came to its end."""

    @property
    def is_at_work(self) -> bool:
        """Whether rollouts are watched over: turns end, and end well."""
        return monotonic() - self._ended < STUCK

    def turn(self, *, at_once: bool = False) -> list[Rollout]:
        """Look at every rollout whose time has come, or at all of them; returns those that moved.

        One that cannot be looked at is logged, and looked at again when its time comes.
        """
        with self._lock:
            moved = self._turn(at_once=at_once)
            self._ended = monotonic()
            return moved

    def _turn(self, *, at_once: bool) -> list[Rollout]:
        running = self._rollouts.running()
        self._keep(running)
        keys = {_key(each) for each in running}
        self._next = {key: at for key, at in self._next.items() if key in keys}
        moved = []
        for each in running:
            if not at_once and monotonic() < self._next.get(_key(each), 0.0):
                continue
            # Not by the wall: where callers take the processor, looks are due all the same. Not of the whole process:
            # sealing a busy journal takes more of it than a look does.
            began = thread_time()
            after = each
            try:
                after = self._look(each)
            except Exception:  # one rollout's trouble must not hold up those behind it
                log.exception("rollout %d of %s could not be looked at", each.number, each.plan.endpoint)
            self._next[_key(each)] = monotonic() + pause_after(thread_time() - began)
            if after is not each:
                moved.append(after)
        return moved

    def _look(self, rollout: Rollout) -> Rollout:
        """Observe once, then move as often as what was observed allows: a step that has taken effect needs no look."""
        now = self._clock.now()
        seen = self._observed(rollout, now)
        if seen is None:
            return rollout
        for _ in range(len(rollout.plan.steps) + 2):
            judgement = seen if isinstance(seen, Judgement) else judge(rollout.plan, rollout.state, seen)
            confidence = seen.confidence if isinstance(seen, Weighed) else None
            move = decide(rollout.plan, rollout.state, judgement.verdict, now, confidence)
            if move is None or not rollout.would_move(move):
                break
            if move.action is Action.PROMOTE and isinstance(seen, Weighed):
                move = msgspec.structs.replace(move, spent=spending(rollout.plan, seen.sample))
            try:
                rollout = self._apply(rollout, move, judgement)
            except Conflict as error:
                # Somebody moved it, or changed the endpoint's file, between our look and our write; the next turn sees
                # what they did and decides again.
                log.info("%s", error)
                break
        return rollout

    def _observed(self, rollout: Rollout, now: Micros) -> Weighed | Judgement | None:
        """What is to be judged, or the judgement that nothing can be measured; None when it is worth another try."""
        if not rollout.plan.guarded:
            return Judgement(verdict=Verdict.UNDECIDED)
        try:
            return self._observe(rollout, now)
        except PassingError as error:
            log.warning("rollout %d of %s: %s", rollout.number, rollout.plan.endpoint, error)
            return None
        except HeadgateError as error:
            log.error("rollout %d of %s cannot be measured: %s", rollout.number, rollout.plan.endpoint, error)
            return Judgement(verdict=Verdict.BROKEN, why=str(error))

    def _apply(self, rollout: Rollout, move: Move, judgement: Judgement) -> Rollout:
        if judgement.verdict in (Verdict.ROLL_BACK, Verdict.BROKEN):
            move = msgspec.structs.replace(move, why=f"{move.why}: {judgement.why}")
        edit = self._promoted(rollout) if move.action is Action.PROMOTE else None
        after = self._rollouts.move_rollout(rollout, move, moved_event(rollout, move, "controller"), edit)
        log.info("%s: %s, %s", rollout.plan.endpoint, move.action, move.why)
        return after


def pause_after(took: float) -> float:
    """Seconds until the next look after one that `took` so much processor time: short ones get half of it at most.

    Long ones get a sixth, because whatever else the controller does waits beside them.

    >>> pause_after(0.01), pause_after(0.8), pause_after(6.0)
    (0.5, 0.8, 30.0)
    """
    return max(OFTEN, took if took < LONG else 5 * took)


def moved_event(rollout: Rollout, move: Move, actor: str) -> Event:
    """What is remembered of a move."""
    after = rollout.after(move)
    details: dict[str, str | int | float | bool | None] = {
        "rollout": rollout.number,
        "candidate": rollout.plan.candidate,
        "action": move.action.value,
    }
    return Event(
        move.at,
        EventKind.ROLLOUT,
        rollout.plan.project,
        rollout.plan.endpoint,
        actor,
        move.why,
        details,
        told(rollout),
        told(after),
    )


def _key(rollout: Rollout) -> tuple[str, str, int]:
    return rollout.plan.project, rollout.plan.endpoint, rollout.number
