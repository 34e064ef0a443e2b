"""The decision: a pure function of plan, state, verdict and time. Read `decide` first.

What a person orders does not pass here: it is a move of its own. What the evidence forbids comes before everything
else, in every phase that has not ended, so that a paused or held rollout is rolled back all the same.
"""

from headgate.rollouts.plan import Analysis, Approve, OnHorizon, Partial, Pause, Plan
from headgate.rollouts.state import Action, Move, Phase, State
from headgate.vocabulary import Micros, Verdict


def decide(plan: Plan, state: State, verdict: Verdict, now: Micros, confidence: float | None = None) -> Move | None:
    """What is to happen now, of itself; None when nothing is.

    `confidence` is the least with which the candidate was proved to hold the plan's risk; None while there is none.
    """
    if state.ended:
        return None
    if verdict is Verdict.ROLL_BACK:
        return Move(Action.ROLL_BACK, now, "a guard says that the candidate is worse")
    if state.phase is Phase.HELD:
        return None
    if now - state.started >= plan.horizon:
        return _late(plan, now)
    if state.phase is not Phase.PROGRESSING:
        return None
    if verdict is Verdict.BROKEN:
        return Move(Action.PAUSE, now, "a measurement is broken, so that nobody knows how the candidate is")
    if plan.schedule is not None and not plan.schedule.allows(now):
        return None
    if state.step < len(plan.steps) and isinstance(plan.steps[state.step], Partial):
        return _decides(plan, state, confidence, now)
    return _onwards(plan, state, verdict, now)


def _decides(plan: Plan, state: State, confidence: float | None, now: Micros) -> Move | None:
    if confidence is not None:
        why = f"where it is at least {confidence:.4g} sure, it is wrong no more often than {plan.risk:.4g}"
        return Move(Action.STEP, now, why, confidence=confidence)
    return _unmoved(plan, state, now)


def _late(plan: Plan, now: Micros) -> Move:
    action = Action.ROLL_BACK if plan.on_horizon is OnHorizon.ROLL_BACK else Action.HOLD
    return Move(action, now, "the horizon was reached without a decision")


def _onwards(plan: Plan, state: State, verdict: Verdict, now: Micros) -> Move | None:
    if state.step >= len(plan.steps):
        return _end(plan, verdict, now)
    match plan.steps[state.step]:
        case Pause(length=length):
            return Move(Action.STEP, now, "the pause is over") if now - state.entered >= length else None
        case Analysis():
            return _analysed(plan, state, verdict, now)
        case Approve():
            return None
        case _:
            return Move(Action.STEP, now, "it has taken effect")


def _analysed(plan: Plan, state: State, verdict: Verdict, now: Micros) -> Move | None:
    if verdict is Verdict.PROMOTE:
        return Move(Action.STEP, now, "every guard says that it may take more traffic")
    return _unmoved(plan, state, now)


def _unmoved(plan: Plan, state: State, now: Micros) -> Move | None:
    if now - state.entered >= plan.progress_deadline:
        return Move(Action.HOLD, now, "the analysis made no progress before its deadline")
    return None


def _end(plan: Plan, verdict: Verdict, now: Micros) -> Move | None:
    """Undecided never promotes: what is measured has to have spoken."""
    if not plan.guarded:
        return Move(Action.PROMOTE, now, "all steps are done; nothing was measured")
    if verdict is Verdict.PROMOTE:
        return Move(Action.PROMOTE, now, "all steps are done, and every guard holds")
    return None
