"""What a pipeline would do, and what its runs did, as lines for a terminal."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from headgate.pipelines.pipelinefile import Pipeline, SourceWords
from headgate.pipelines.quality import Quality, sentences
from headgate.pipelines.state import Run, SourceState, State, StepState
from headgate.vocabulary import SECOND, Micros

_MARKS = {StepState.WAITING: "·", StepState.DONE: "✓", StepState.FAILED: "✗", StepState.SKIPPED: "-"}


def moment(at: Micros) -> str:
    """A moment in UTC, to the second.

    >>> moment(Micros(0))
    '1970-01-01 00:00:00'
    """
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S}"


def plan_text(said: Pipeline, state: State, run: Run | None) -> str:
    """Every step, and what it would do now."""
    lines = [f"pipeline {said.pipeline}: {', '.join(said.steps)}"]
    lines += [
        f"  {name}: {source_text(each, state.sources.get(name, SourceState()))}" for name, each in said.sources.items()
    ]
    lines += [f"  transform {place + 1}: {_transform(said, place)}" for place in range(len(said.transforms))]
    lines.append(f"  label {said.label}, {said.task}" + (f", by {said.at}" if said.at else ""))
    if said.recipe is not None:
        lines.append(f"  learns: {_recipe(said)}; the newest {said.held_out} of the rows prove it")
    lines += [f"  gate: {each}" for each in said.gates]
    waits = None if run is None or run.ending is not None else run.next
    if run is not None and waits is not None:
        lines.append(f"run {run.id} goes on at {waits.name}" + (f", which failed: {waits.why}" if waits.why else ""))
    else:
        lines.append("the next run reads what is new" if state.sources else "the first run reads everything")
    return "\n".join(lines)


def source_text(words: SourceWords, known: SourceState) -> str:
    """Where a source is, and how far it was read."""
    # A database's address may hold a password; its query says what it is.
    where = " ".join((getattr(words, words.kind) or "").split())
    parts = [f"{words.kind} {where[:80]}"]
    parts.append(f"{known.rows:,} rows in {len(known.parts)} loads" if known.parts else "not read yet")
    if words.contract is not None:
        parts.append(f"a contract, at most {words.quarantine} set aside")
    if words.watermark is not None:
        parts.append(f"from {words.watermark} on")
    return "; ".join(parts)


def _transform(said: Pipeline, place: int) -> str:
    words = said.transforms[place]
    what = words.python or " ".join((words.sql or "").split())[:80]
    return what + (" (at serving too)" if words.serving else "")


def _recipe(said: Pipeline) -> str:
    recipe = said.recipe
    if recipe is None:
        return "nothing"
    if recipe.search is not None:
        return f"the built-in search, {recipe.search.budget}"
    return recipe.python or recipe.command or recipe.notebook or ""


def run_text(run: Run) -> str:
    """One run, step by step."""
    ending = "not ended" if run.ending is None else run.ending.replace("_", " ")
    return "\n".join([f"run {run.id} of {run.pipeline}, {moment(run.began)}: {ending}", *_steps(run)])


def _steps(run: Run) -> Iterator[str]:
    width = max(len(each.name) for each in run.steps)
    for each in run.steps:
        took = "" if each.began is None or each.ended is None else f" ({(each.ended - each.began) / SECOND:.1f} s)"
        yield f"  {_MARKS[each.state]} {each.name:<{width}}  {each.why or each.state}{took}"


def runs_text(runs: Sequence[Run]) -> str:
    """The newest run in full, those before it in a line each."""
    if not runs:
        return "it has not run yet"
    lines = [run_text(runs[-1])]
    for each in reversed(runs[:-1]):
        ending = "not ended" if each.ending is None else each.ending.replace("_", " ")
        failed = next((step for step in each.steps if step.state is StepState.FAILED), None)
        lines.append(f"run {each.id}, {moment(each.began)}: {ending}" + (f" at {failed.name}" if failed else ""))
    return "\n".join(lines)


def markdown(run: Run, quality: Sequence[Quality], proof: str | None) -> str:
    """One run as Markdown: its steps, what the data were like, and the proof where there is one."""
    ending = "not ended" if run.ending is None else run.ending.replace("_", " ")
    lines = [f"# Pipeline {run.pipeline}, run {run.id}: {ending}", "", "| step | | |", "|---|---|---|"]
    lines += [f"| {each.name} | {each.state} | {_plain(each.why)} |" for each in run.steps]
    for each in quality:
        lines += ["", f"**{each.source}**", ""]
        lines += [f"- {_plain(said)}" for said in sentences(each)]
    return "\n".join([*lines, "", *([] if proof is None else [proof])])


def _plain(text: str) -> str:
    """A text that cannot be taken for Markdown or HTML of its own."""
    safe = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "\\`")
    return " ".join(safe.replace("[", "\\[").replace("@", "&#64;").replace("*", "\\*").split())
