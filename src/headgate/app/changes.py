"""The changes of an endpoint's model, put together from runs, rollouts and the history, and what they are called."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from headgate.errors import BadConfiguration, BadInput
from headgate.events import Event, EventKind
from headgate.retraining.run import Run
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Phase
from headgate.traffic.endpoint import load_endpoint
from headgate.vocabulary import NAME_RULE, Micros

_NAMED: Final = re.compile(rf"(?:(?P<project>{NAME_RULE})\.)?(?P<endpoint>{NAME_RULE})\.(?P<number>[re]?[0-9]+)")


@dataclass(frozen=True, slots=True)
class Named:
    """What somebody wants explained."""

    endpoint: str = ""
    id: str = ""
    """Of one change of it; empty for its last."""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an endpoint's model, or one that was tried."""

    id: str
    """``ENDPOINT.3`` for a run, ``ENDPOINT.r2`` for a rollout by hand, ``ENDPOINT.e`` and its moment for an edit."""
    endpoint: str
    at: Micros
    before: str
    after: str
    run: Run | None = None
    rollout: Rollout | None = None
    applied: Event | None = None
    took_over: Micros | None = None
    """When `after` got in charge; None where it never did."""


def named(subject: str, project: str) -> Named:
    """What `subject` names.

    ``ENDPOINT``; ``ENDPOINT.3`` or ``PROJECT.ENDPOINT.3``, a run; ``ENDPOINT.r2``, a rollout; ``ENDPOINT.e`` and
    digits, an edit of its file; ``MODEL:4`` or ``MODEL@ALIAS``, a version.

    Raises BadInput for a run of another project.

    >>> named("default.late.3", "default").id, named("late.r2", "default").endpoint, named("late:4", "default").version
    ('late.3', 'late', 'late:4')
    """
    if ":" in subject or "@" in subject:
        return Named(version=subject)
    found = _NAMED.fullmatch(subject)
    if found is None:
        return Named(endpoint=subject)
    if found["project"] not in (None, project):
        raise BadInput("id", "project", f"is of another project; say --project {found['project']}")
    return Named(found["endpoint"], f"{found['endpoint']}.{found['number']}")


def changes(runs: Sequence[Run], rollouts: Sequence[Rollout], events: Sequence[Event]) -> list[Change]:
    """Those of one endpoint, the first one first; `events` are its history, the first one first."""
    by_number = {each.number: each for each in rollouts}
    theirs = {each.rollout for each in runs if each.rollout is not None}
    found = [_of_run(each, by_number.get(each.rollout or 0)) for each in runs]
    found += [_of_rollout(each) for each in rollouts if each.number not in theirs]
    found += _by_hand(events)
    return sorted(found, key=lambda each: each.took_over or each.at)


def _of_run(run: Run, rollout: Rollout | None) -> Change:
    return Change(
        f"{run.endpoint}.{run.number}",
        run.endpoint,
        run.fired,
        run.champion,
        run.challenger,
        run=run,
        rollout=rollout,
        took_over=run.promoted,
    )


def _of_rollout(rollout: Rollout) -> Change:
    promoted = next((each.at for each in rollout.moves if each.action is Action.PROMOTE), None)
    endpoint = rollout.plan.endpoint
    return Change(
        f"{endpoint}.r{rollout.number}",
        endpoint,
        rollout.started,
        rollout.live,
        rollout.plan.candidate,
        rollout=rollout,
        took_over=promoted if rollout.state.phase is Phase.PROMOTED else None,
    )


def _by_hand(events: Iterable[Event]) -> Iterator[Change]:
    """Edits of the endpoint's file that changed who answers."""
    for each in events:
        if each.kind is not EventKind.APPLIED or not each.before:
            continue
        before, after = model_in(each.before), model_in(each.after)
        if before and after and before != after:
            yield Change(
                f"{each.subject}.e{each.at}", each.subject, each.at, before, after, applied=each, took_over=each.at
            )


def model_in(text: str) -> str:
    """The version that an endpoint's file names; empty where nobody can say any more."""
    try:
        return load_endpoint(text, "history").model
    except BadConfiguration:
        return ""
