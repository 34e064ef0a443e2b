"""What the acts of ``headgate demo rollouts`` came to, as values, as JSON and as lines to read."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from headgate.demo.replay import Tally
from headgate.rollouts.foretell import Foretold
from headgate.rollouts.judge import Judgement
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.status import RolloutStatus
from headgate.rollouts.text import span, status_text
from headgate.vocabulary import SECOND


@dataclass(frozen=True, slots=True)
class Trained:
    """A version as it was handed over."""

    ref: str
    says: str
    """What it is, in a line."""
    auc: float | None
    """On rows kept aside, as its offline evaluation found it."""


@dataclass(frozen=True, slots=True)
class Act:
    """One rollout, from its plan to its end."""

    name: str
    """For programs."""
    title: str
    rollout: Rollout
    judgement: Judgement
    """What the evidence said at the last move."""
    foretold: Foretold
    """What its plan would do with a candidate that is as good as the live version."""
    flights: int
    """Asked while it ran."""
    labels: int
    """Known by its end, of flights whose label was due."""
    touched: int
    """Flights that the candidate answered, as those who asked saw it."""
    fault_found: float | None = None
    """Flights of its own after which its fault was to be found, where it has one that callers meet; else None."""


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that is told in the end."""

    versions: tuple[Trained, ...]
    acts: tuple[Act, ...]
    tally: Tally
    seconds: float
    home: Path


def as_json(account: Account) -> str:
    """One JSON object for programs."""
    tally = account.tally
    return json.dumps(
        {
            "versions": [{"version": each.ref, "says": each.says, "auc": each.auc} for each in account.versions],
            "acts": [act_row(each) for each in account.acts],
            "requests": tally.requests,
            "answered": tally.answered,
            "failed": tally.failed,
            "labels_posted": tally.labels_posted,
            "seconds": round(account.seconds, 1),
            "cores": os.cpu_count(),
        }
    )


def act_row(act: Act) -> dict[str, Any]:
    """One act as programs read it."""
    plan, state = act.rollout.plan, act.rollout.state
    return {
        "act": act.name,
        "live": act.rollout.live,
        "candidate": plan.candidate,
        "phase": state.phase.value,
        "verdict": act.judgement.verdict.value,
        "why": act.judgement.why,
        "alpha": msgspec.to_builtins(plan.alpha),
        "flights": act.flights,
        "labels": act.labels,
        "touched": act.touched,
        "foretold": {
            "flights": round(act.foretold.inputs),
            "touched": round(act.foretold.candidate_inputs),
            "touched_until_found": None if act.fault_found is None else round(act.fault_found),
        },
        "moves": msgspec.to_builtins(act.rollout.moves),
        "guards": msgspec.to_builtins(act.judgement.guards),
    }


def act_lines(act: Act) -> Iterator[str]:
    """One act as people read it: how it went, by which figures, and whom it touched."""
    last = act.rollout.moves[-1].at
    status = RolloutStatus(rollout=act.rollout, state=act.rollout.state, judgement=act.judgement, now=last)
    yield from status_text(status).splitlines()
    candidate = act.rollout.plan.candidate
    took = span((last - act.rollout.started) / SECOND)
    yield ""
    yield f"{act.flights:,} flights in {took} and {act.labels:,} labels decided it."
    yield f"{candidate} answered {act.touched:,} of them. {_foretold(act)}"


def _foretold(act: Act) -> str:
    touched = act.foretold.candidate_inputs
    says = f"Foretold: {touched:,.0f} until one as good as the live version is trusted with all"
    if act.fault_found is None:
        return f"{says}."
    return f"{says}, {act.fault_found:,.0f} until one with this fault is found."
