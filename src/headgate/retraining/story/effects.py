"""The second half of a story: who or what approved, and what happened since."""

from collections.abc import Iterator

from headgate.retraining.run import Outcome, Run, Stage
from headgate.retraining.story.facts import Facts, Moved, Rolled
from headgate.retraining.story.story import Sentence, missing, moment

ENDS = {
    Outcome.PROMOTED: "What it learned is in charge, and its probation is over.",
    Outcome.KEPT_CHAMPION: "The champion was kept.",
    Outcome.FAILED: "It failed, and the endpoint is as it was.",
    Outcome.CANCELLED: "It was cancelled.",
    Outcome.TAKEN_BACK: "It was taken back: the version before is in charge again.",
    Outcome.SUPERSEDED: "Somebody else changed who answers meanwhile.",
}
"""How runs end, in words."""


def approved(facts: Facts) -> Iterator[Sentence]:
    """Who or what approved."""
    run, rollout = facts.run, facts.rollout
    if run is not None and run.proof is not None:
        # A run whose endpoint asks a person notes that it may go on to be asked; the proof says what it is worth.
        if run.proof.may_promote if facts.proof is None else facts.proof.may_promote:
            yield Sentence("Nobody had to be asked: what was proved is enough to promote by itself.", "run")
        elif rollout is not None:
            yield Sentence("What was proved is not enough to promote by itself; a person had to say so.", "run")
    if rollout is not None:
        yield from _rolled(rollout)
    elif facts.applied is not None:
        yield _told(facts.applied)
        yield Sentence("No rollout stood between: the endpoint's file was changed.")
    elif run is not None and run.rollout is not None:
        yield missing(f"Rollout {run.rollout} is no longer kept.")
    elif run is not None and run.ended:
        yield Sentence(f"Nothing was approved: {_why(run)}", "run", run.over)
    elif run is not None:
        yield Sentence("Nothing is approved yet.", "run")
    else:
        yield Sentence("Nothing was to be approved: it has answered no caller.")


def _rolled(rollout: Rolled) -> Iterator[Sentence]:
    begun = rollout.begun
    yield Sentence(
        f"{moment(begun.at)}: {begun.who or 'somebody'} began rollout {rollout.number}, from {rollout.live} to "
        f"{rollout.candidate}.",
        "history",
        begun.at,
    )
    yield from (Sentence(each, f"rollout {rollout.number}") for each in rollout.plan)
    for each in rollout.moves:
        yield _told(each)
        if not each.who:
            yield missing(f"Who moved it on {moment(each.at)} is no longer in the history.")
    if not rollout.moves:
        yield Sentence(f"Nothing has moved it yet; it is {rollout.phase}.", f"rollout {rollout.number}")


def since(facts: Facts) -> Iterator[Sentence]:
    """What happened since."""
    run, rollout = facts.run, facts.rollout
    if run is not None:
        yield from _probation(run)
        if run.ended and run.outcome is not None:
            yield Sentence(f"{moment(run.entered)}: {ENDS[run.outcome]} {_why(run)}", "run", run.over)
        elif not run.ended:
            yield Sentence(f"The run is still {run.stage.value.replace('_', ' ')}.", "run")
    elif rollout is not None:
        yield Sentence(f"The rollout is {rollout.phase.replace('_', ' ')}.", f"rollout {rollout.number}")
    yield from (_told(each) for each in facts.since)
    for alarm in facts.alarms_since:
        until = "it still stands" if alarm.ended is None else f"over {moment(alarm.ended)}"
        yield Sentence(
            f"{moment(alarm.raised)}: {alarm.monitor} found: {alarm.what} ({until}).", f"alert {alarm.id}", alarm.raised
        )
    yield from _now(facts)


def _probation(run: Run) -> Iterator[Sentence]:
    if run.promoted is not None:
        yield Sentence(f"{moment(run.promoted)}: {run.challenger} took the endpoint over.", "run", run.promoted)
    if run.probed is not None:
        yield Sentence(
            f"Probation, {moment(run.probed.at)}, on {run.probed.rows:,} labels: "
            f"{run.probed.verdict.replace('_', ' ')}. {run.probed.why.rstrip('.')}.",
            "run",
            run.probed.at,
        )
    elif run.promoted is not None and run.ended and run.outcome is Outcome.PROMOTED:
        yield missing("What its probation found was not kept.")
    elif run.stage is Stage.PROBATION:
        yield Sentence("It is on probation, and no label has come since.", "run")


def _now(facts: Facts) -> Iterator[Sentence]:
    if not facts.endpoint:
        return
    if not facts.live:
        yield missing(f"The endpoint {facts.endpoint} is not there any more.")
    elif facts.live == facts.after:
        quiet = "" if facts.since or facts.alarms_since else " Nothing else has happened to it since."
        yield Sentence(f"{facts.after} is in charge of {facts.endpoint}.{quiet}", "endpoint", facts.now)
    else:
        yield Sentence(f"{facts.live} is in charge of {facts.endpoint} now.", "endpoint", facts.now)


def _told(moved: Moved) -> Sentence:
    who = f" by {moved.who}" if moved.who else ""
    why = f": {moved.why.rstrip('.')}" if moved.why else ""
    return Sentence(f"{moment(moved.at)}: {moved.what}{who}{why}.", "history" if moved.sealed else "", moved.at)


def _why(run: Run) -> str:
    return f"{run.why.rstrip('.')}." if run.why else ""
