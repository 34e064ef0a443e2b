"""Where a rollout stands, and how a decision or a person moves it: pure, total, and the same when replayed.

What is in a state is all there is: the history of moves gives it again, and traffic follows from it alone.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import Final

import msgspec

from headgate.rollouts.plan import Assist, Partial, Plan, SetWeight, Shadow
from headgate.vocabulary import Micros


class Phase(StrEnum):
    """What a rollout is doing."""

    PROGRESSING = "progressing"
    PAUSED = "paused"
    """Until somebody resumes it: a person paused it, or a measurement is broken."""
    HELD = "held"
    """Its time is up; a person promotes or aborts it."""
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"


ENDED: Final = frozenset({Phase.PROMOTED, Phase.ROLLED_BACK, Phase.ABORTED})


class Action(StrEnum):
    """Everything that moves a rollout."""

    STEP = "step"
    """On to the next step."""
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    ABORT = "abort"


class Move(msgspec.Struct, frozen=True):
    """What is to happen to a rollout, when, and why; the history is a list of these."""

    action: Action
    at: Micros
    why: str
    spent: dict[str, float] = {}
    """What a promotion spends of a year's budget, by guard; see ``budget.py``."""
    confidence: float | None = None
    """From which confidence on the candidate decides beside people, where this move says so."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rollout stands."""

    phase: Phase
    step: int
    """Place of the current step; as many as there are once all are done."""
    weight: float
    """The candidate's share of the callers; the live version has the rest."""
    shadow: float
    """The share of the live version's requests that the candidate answers as well."""
    suggests: bool = False
    """Whether people are shown what the candidate says of what they decide."""
    confidence: float = 0.0
    """Beside people: where it is less sure than this, the candidate decides nothing."""
    started: Micros
    entered: Micros
    """When the current step began, less the time it was paused."""
    paused: Micros | None = None
    """Since when it is paused."""
    why: str = ""
    """What moved it last."""

    @property
    def ended(self) -> bool:
        """Whether nothing moves it any more."""
        return self.phase in ENDED


def begin(plan: Plan, now: Micros) -> State:
    """The state of a rollout that has just begun: in its first step."""
    state = State(phase=Phase.PROGRESSING, step=0, weight=0.0, shadow=0.0, started=now, entered=now)
    return _entered(plan, state, 0, now)


def moved(plan: Plan, state: State, move: Move) -> State:
    """`state` after `move`; unchanged where the move means nothing in it."""
    if state.ended or (move.action is Action.STEP and _is_unsure(plan, state, move)):
        return state
    given = state
    if move.confidence is not None:  # before the next step is entered, which may change what the move gave
        given = msgspec.structs.replace(state, weight=1.0, confidence=move.confidence)
    found = _MOVES[move.action](plan, given, move.at)
    return state if found is given else msgspec.structs.replace(found, why=move.why)


def _is_unsure(plan: Plan, state: State, move: Move) -> bool:
    """Whether a step would let the candidate decide beside people, and nobody said from which confidence on."""
    step = plan.steps[state.step] if state.step < len(plan.steps) else None
    return isinstance(step, Partial) and move.confidence is None


def replayed(plan: Plan, started: Micros, moves: Iterable[Move]) -> State:
    """The state to which a history leads."""
    state = begin(plan, started)
    for each in moves:
        state = moved(plan, state, each)
    return state


def weights(state: State, live: str, candidate: str) -> dict[str, float]:
    """Each version's share of the callers; together 1.

    >>> state = State(phase=Phase.PAUSED, step=0, weight=0.25, shadow=0.0, started=Micros(0), entered=Micros(0))
    >>> weights(state, "m:1", "m:2")
    {'m:1': 0.75, 'm:2': 0.25}
    """
    return {live: 1.0 - state.weight, candidate: state.weight}


def _entered(plan: Plan, state: State, step: int, now: Micros) -> State:
    entered = msgspec.structs.replace(state, step=step, entered=now)
    match plan.steps[step] if step < len(plan.steps) else None:
        case SetWeight(weight=wanted):
            return msgspec.structs.replace(entered, weight=wanted, confidence=0.0)
        case Shadow(share=wanted):
            return msgspec.structs.replace(entered, shadow=wanted)
        case Assist():
            return msgspec.structs.replace(entered, suggests=True)
    return entered


def _step(plan: Plan, state: State, now: Micros) -> State:
    if state.phase is not Phase.PROGRESSING or state.step >= len(plan.steps):
        return state
    return _entered(plan, state, state.step + 1, now)


def _pause(plan: Plan, state: State, now: Micros) -> State:
    if state.phase is not Phase.PROGRESSING:
        return state
    return msgspec.structs.replace(state, phase=Phase.PAUSED, paused=now)


def _resume(plan: Plan, state: State, now: Micros) -> State:
    if state.phase is not Phase.PAUSED or state.paused is None:
        return state
    # A clock that jumped back gives no time away.
    waited = max(0, now - state.paused)
    return msgspec.structs.replace(state, phase=Phase.PROGRESSING, paused=None, entered=Micros(state.entered + waited))


def _hold(plan: Plan, state: State, now: Micros) -> State:
    return state if state.phase is Phase.HELD else msgspec.structs.replace(state, phase=Phase.HELD, paused=None)


def _end(phase: Phase, plan: Plan, state: State, now: Micros) -> State:
    ended = msgspec.structs.replace(state, phase=phase, shadow=0.0, paused=None)
    if phase is Phase.PROMOTED:
        return msgspec.structs.replace(ended, weight=1.0)
    return msgspec.structs.replace(ended, weight=0.0, suggests=False, confidence=0.0)


_MOVES: Final[dict[Action, Callable[[Plan, State, Micros], State]]] = {
    Action.STEP: _step,
    Action.PAUSE: _pause,
    Action.RESUME: _resume,
    Action.HOLD: _hold,
    Action.PROMOTE: partial(_end, Phase.PROMOTED),
    Action.ROLL_BACK: partial(_end, Phase.ROLLED_BACK),
    Action.ABORT: partial(_end, Phase.ABORTED),
}
