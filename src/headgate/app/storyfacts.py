"""Rollouts, alerts and diagnoses in the words of a story, which knows none of their rooms; `story` calls it."""

from collections.abc import Iterable, Iterator
from typing import Final

from headgate.alerts.alert import Alert
from headgate.events import Event, EventKind
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.retraining.story.facts import Alarmed, Moved, Rolled
from headgate.retraining.story.story import moment
from headgate.rollouts.judge import deciding
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Phase
from headgate.rollouts.text import step_text


def rolled(rollout: Rollout, events: Iterable[Event]) -> Rolled:
    """A rollout; `events` are its endpoint's, of which each move's actor is read."""
    plan, state = rollout.plan, rollout.state
    ours = [
        each
        for each in events
        if each.kind is EventKind.ROLLOUT and each.details.get("rollout", rollout.number) == rollout.number
    ]
    who = {(each.at, each.details.get("action")): each.actor for each in ours}
    moves = tuple(
        Moved(each.at, who.get((each.at, each.action.value), ""), _MOVES[each.action], each.why, sealed=True)
        for each in rollout.moves
    )
    promoted = next((each.at for each in rollout.moves if each.action is Action.PROMOTE), None)
    return Rolled(
        number=rollout.number,
        candidate=plan.candidate,
        live=rollout.live,
        begun=Moved(rollout.started, rollout.actor, "it began", plan.why, sealed=True),
        plan=tuple(_planned(rollout)),
        error_rate=_error_rate(rollout),
        moves=moves,
        phase=state.phase.value,
        promoted=promoted if state.phase is Phase.PROMOTED else None,
    )


_MOVES: Final = {
    Action.STEP: "it went on to the next step",
    Action.PAUSE: "it was paused",
    Action.RESUME: "it was resumed",
    Action.HOLD: "it was held",
    Action.PROMOTE: "it was promoted",
    Action.ROLL_BACK: "it was rolled back",
    Action.ABORT: "it was aborted",
}


def _planned(rollout: Rollout) -> Iterator[str]:
    yield f"Its steps: {', '.join(step_text(each) for each in rollout.plan.steps)}."
    for each in rollout.plan.guards:
        idle = " (told, decides nothing)" if each.dry_run else ""
        unit = "" if not each.margin.unit else f" {each.margin.unit.value}"
        yield f"Its guard {each.metric.value} may be worse by {each.margin.value:g}{unit}{idle}."


def _error_rate(rollout: Rollout) -> str:
    plan = rollout.plan
    if not plan.guarded:
        return "The rollout had no guard that may decide: people and time alone decided."
    back, on, count = plan.alpha.roll_back, plan.alpha.promote, deciding(plan)
    return (
        f"The rollout takes back a version that is no worse with a chance of at most {back:g}, by any of its {count} "
        f"guards, and lets one that is worse by the margin go on with at most {on:g}, however often anybody looks."
    )


def moved(event: Event, what: str) -> Moved:
    """`event`, which did `what`."""
    return Moved(event.at, event.actor, what, event.why, sealed=True)


def alarmed(alert: Alert) -> Alarmed:
    """An alert."""
    found = alert.finding
    return Alarmed(alert.id, found.monitor, found.what.rstrip("."), found.cause, alert.raised, alert.ended)


def diagnosis(every: Iterable[Diagnosed], alerts: set[str]) -> Iterator[str]:
    """What was last said of the episodes that any of `alerts` is part of, a sentence each."""
    for each in every:
        if alerts.isdisjoint(each.alerts) or not each.said:
            continue
        last = each.said[-1]
        parts = ", ".join(
            f"{name} {part.value:+.4g}" for name, part in (("data", last.data), ("concept", last.concept)) if part.known
        )
        drop = f", {last.metric} moved by {last.drop.value:+.4g} ({parts})" if last.drop.known else ""
        yield (
            f"Diagnosis, {moment(last.known)}: what changed is '{last.drift.value}'{drop}; what is likely to help: "
            f"{last.remedy.value.replace('_', ' ')}."
        )
