"""The first half of a story: what fired, what data, what was learnt, what was proved."""

from collections.abc import Iterator
from typing import Final

from headgate.retraining.datasets.dataset import Dataset, RowSource
from headgate.retraining.proof.values import Proof
from headgate.retraining.run import STAGES, Cutting, Firing, Learning, Run, Source, Stage
from headgate.retraining.story.facts import Alarmed, Facts, Made
from headgate.retraining.story.story import Sentence, missing, moment

FIRED: Final = {
    Source.ALARM: "an alarm",
    Source.SCHEDULE: "the schedule",
    Source.LABELS: "new labels",
    Source.DATA: "new data upstream",
    Source.MESSAGE: "a message from outside",
    Source.PERSON: "a person",
    Source.AGAIN: "more rows of the new world",
}
"""What fires, in words."""
MOST: Final = 6
"""Parameters, packages or windows that are told; the JSON of their record has all."""


def fired(facts: Facts) -> Iterator[Sentence]:
    """What fired."""
    if facts.run is not None:
        alarms = {each.id: each for each in facts.alarms}
        for each in facts.run.firings:
            yield from _firing(each, alarms)
        yield from (Sentence(each, "diagnosis") for each in facts.diagnosis)
        if not facts.diagnosis and any(each.source is Source.ALARM for each in facts.run.firings):
            yield missing("There is no diagnosis of these alarms any more, or none was made before the run began.")
        return
    begun = facts.rollout.begun if facts.rollout is not None else facts.applied
    if begun is None:
        yield Sentence("Nothing fired: it was registered, and no endpoint was to ask it.")
        return
    yield Sentence(f"No trigger fired: {begun.who} did it by hand, {moment(begun.at)}.", "history", begun.at)
    if begun.why:
        yield Sentence(f"The reason given: {begun.why}.", "history", begun.at)
    else:
        yield missing("No reason was given; --why keeps one.")


def _firing(firing: Firing, alarms: dict[str, Alarmed]) -> Iterator[Sentence]:
    by = "" if firing.who in ("", "controller") else f" ({firing.who})"
    yield Sentence(f"{moment(firing.at)}: {FIRED[firing.source]}: {firing.why}{by}.", "run", firing.at)
    if firing.source is not Source.ALARM:
        return
    alarm = alarms.get(firing.key)
    if alarm is None:
        yield missing("The alert it names is no longer kept; alerts leave with the endpoint's retention.")
        return
    cause = f" {alarm.cause}" if alarm.cause else ""
    yield Sentence(
        f"The monitor {alarm.monitor} had found, {moment(alarm.raised)}: {alarm.what}.{cause}",
        f"alert {alarm.id}",
        alarm.raised,
    )


def data(facts: Facts) -> Iterator[Sentence]:
    """What data."""
    run, made = facts.run, facts.made
    if run is not None and run.cut is not None:
        yield from _cut(run.cut)
        if facts.dataset is None:
            yield missing(f"The training set {run.cut.digest[:19]} itself is no longer in this home.")
        else:
            yield from _dataset(facts.dataset)
    elif run is not None:
        yield from _never(run, Stage.CUTTING, "No training set was cut")
    elif made is None:
        yield missing("The version is no longer registered, so that nothing says what it learned from.")
    elif made.data is not None:
        yield Sentence(f"It was registered with rows of the digest {made.data[:19]}.", made.version, made.at)
        yield missing("Which rows these were, and as of when, nobody wrote down: it was not learned by the loop.")
    else:
        yield missing("Nothing says what it learned from.")


def _cut(cut: Cutting) -> Iterator[Sentence]:
    span = f"from {moment(cut.start)} " if cut.start is not None else ""
    yield Sentence(
        f"{cut.rows:,} labelled rows {span}until {moment(cut.end)}, as they were known on {moment(cut.as_of)}: "
        f"the window '{cut.choice}'. {cut.why.rstrip('.')}.",
        f"data set {cut.digest[:19]}",
        cut.as_of,
    )
    if cut.change is not None:
        yield Sentence(f"The world is another one since {moment(cut.change)}.", at=cut.change)
    if cut.leaked:
        yield Sentence(f"{cut.leaked:,} rows were left out, whose truth was there before their features were.")
    if cut.held_out:
        yield Sentence(f"{cut.held_out:,} newer rows were kept from it, to prove it on.")


def _dataset(dataset: Dataset) -> Iterator[Sentence]:
    if dataset.original_rows:
        yield Sentence(
            f"{dataset.original_rows:,} of them are {RowSource.ORIGINAL.value} rows, of the model before.", "data set"
        )
    if dataset.classes:
        shares = ", ".join(f"{rows:,} of {name}" for name, rows in list(dataset.classes.items())[:MOST])
        yield Sentence(f"By class: {shares}.", "data set")
    for each in dataset.cut.tried[:MOST]:
        value = "" if each.value is None else f" (mean loss {each.value:.4g})"
        yield Sentence(
            f"Tried beside it, '{each.choice.value}' with {each.rows:,} rows: {each.words.rstrip('.')}{value}.",
            "data set",
        )


def learnt(facts: Facts) -> Iterator[Sentence]:
    """What was learnt."""
    run, made = facts.run, facts.made
    if run is not None and run.learned is not None:
        yield from _learned(run.learned)
    elif run is not None:
        yield from _never(run, Stage.LEARNING, "Nothing was learned")
    if made is not None:
        yield from _made(made, by_hand=run is None)
    elif run is not None and run.challenger:
        yield missing(f"{run.challenger} is no longer registered.")
    elif run is not None:
        yield from _never(run, Stage.REGISTERING, "No version was made of it")


def _learned(learned: Learning) -> Iterator[Sentence]:
    peak = f" and {learned.peak_mb:,.0f} MB" if learned.peak_mb else ""
    yield Sentence(f"The recipe took {learned.seconds:,.1f} s{peak}.", "recipe")
    if learned.code:
        yield Sentence(f"What was run has the digest {learned.code[:19]}.", "recipe")
    else:
        yield missing("Nothing says which code was run.")
    if learned.environment:
        yield Sentence(f"It ran with {_pairs(learned.environment, ' ')}.", "recipe")
    else:
        yield missing("Nothing says in which environment it ran.")
    if learned.parameters:
        yield Sentence(f"Parameters: {_pairs(learned.parameters, ' = ')}.", "recipe")
    if learned.metrics:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in list(learned.metrics.items())[:MOST])
        yield Sentence(f"It measured itself: {figures}.", "recipe")


def _pairs(of: "dict[str, str] | dict[str, str | int | float | bool | None]", sign: str) -> str:
    shown = [f"{name}{sign}{value}" for name, value in list(of.items())[:MOST]]
    more = len(of) - MOST
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _made(made: Made, *, by_hand: bool) -> Iterator[Sentence]:
    who = f" by {made.who}" if made.who else ""
    yield Sentence(
        f"{moment(made.at)}: registered as {made.version}{who}, runs as {made.engine}, digest {made.digest[:19]}.",
        made.version,
        made.at,
    )
    if made.parent:
        yield Sentence(f"It is derived from {made.parent}.", made.version)
    if not by_hand:
        return
    if made.code:
        yield Sentence(f"It was built by {made.code}.", made.version)
    else:
        yield missing("Nobody said what built it; --code keeps that.")


def proved(facts: Facts) -> Iterator[Sentence]:
    """What was proved, with which error rate."""
    run = facts.run
    if facts.proof is not None:
        yield from _proof(facts.proof)
    elif run is not None and run.proof is not None:
        yield Sentence(f"{run.proof.rows:,} rows: {run.proof.outcome}. {_full(run.proof.why)}", "run", run.proof.at)
        if run.proof.error_rate:
            yield Sentence(_full(run.proof.error_rate), "run")
        yield missing("The proof itself, check by check, is no longer in this home.")
    elif run is not None:
        yield from _never(run, Stage.PROVING, "Nothing was proved")
    yield from _gates(facts)
    if facts.rollout is not None:
        yield Sentence(facts.rollout.error_rate, f"rollout {facts.rollout.number}")


def _proof(proof: Proof) -> Iterator[Sentence]:
    beside = [each for each in (proof.champion, proof.anchor) if each is not None]
    against = f" beside {' and '.join(dict.fromkeys(beside))}" if beside else ""
    span = "" if proof.window is None else f", {moment(proof.window[0])} to {moment(proof.window[1])}"
    yield Sentence(
        f"{proof.challenger} was held{against} on the same {proof.rows:,} rows{span}, by {proof.metric}: "
        f"{proof.outcome.value}. {_full(proof.why)}",
        "proof",
    )
    for each in proof.checks:
        idle = "" if each.decides else " (told, decides nothing)"
        yield Sentence(f"{each.name}: {each.outcome.value}. {_full(each.sentence)}{idle}", "proof")
    yield Sentence(f"How often this may be wrong: {_full(proof.error_rate)}", "proof")


def _gates(facts: Facts) -> Iterator[Sentence]:
    """The gates of evaluations; what the loop proved is in its proof, and is not told twice."""
    made = facts.made
    if facts.run is not None:
        return
    for each in () if made is None else made.measured:
        for gate in each.report.gates:
            yield Sentence(f"{moment(each.at)}: gate {gate.gate}: {_full(gate.sentence)}", "evaluation", each.at)
        if not each.report.gates:
            yield Sentence(f"{moment(each.at)}: measured on {each.report.rows:,} rows, without a gate.", "evaluation")
    if made is not None and not any(each.report.gates for each in made.measured):
        yield missing(f"No gate of {made.version} was ever judged; --force let it through, or it never took traffic.")


def _never(run: Run, stage: Stage, what: str) -> Iterator[Sentence]:
    """Why a stage left nothing: it was not reached, the run ended in it, or its record is gone."""
    reached = max((STAGES.index(each.stage) for each in run.history if each.stage is not Stage.ENDED), default=0)
    place = STAGES.index(stage)
    if reached > place:
        yield missing(f"{what} that there is a record of, although the run went on.")
    elif not run.ended:
        yield Sentence(f"{what} yet.", "run")
    elif reached == place:
        yield Sentence(f"{what}: {_full(run.why)}", "run", run.over)
    else:
        yield Sentence(f"{what}: the run had ended before.", "run")


def _full(text: str) -> str:
    """`text` with the full stop that a sentence ends with."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
