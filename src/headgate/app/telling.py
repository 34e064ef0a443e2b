"""What a tracking server is told of the history: runs that ended, versions that came into charge, gates."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headgate.app.changes import model_in
from headgate.app.facade import Headgate
from headgate.app.told import text_of
from headgate.clock import SystemClock
from headgate.controller.telling import Telling
from headgate.errors import HeadgateError
from headgate.evaluation.gates import Outcome as GateOutcome
from headgate.events import Event, EventKind
from headgate.registry.ports import Version
from headgate.retraining.datasets.dataset import VALUE_FILE
from headgate.retraining.run import Outcome, Run
from headgate.retraining.story.facts import Facts
from headgate.retraining.story.tell import tell
from headgate.retraining.story.text import as_markdown
from headgate.rollouts.state import Action
from headgate.tracking.entries import Ending, Entry, Marked, Model, Ran
from headgate.tracking.models import known_as
from headgate.tracking.trackingfile import Tracking, load_tracking

log = logging.getLogger("headgate.tracking")

ENDINGS: Final = {Outcome.FAILED: Ending.FAILED, Outcome.CANCELLED: Ending.KILLED}
"""How the server calls the end of a run; everything else is a run that did what it was to do."""
OUTCOMES: Final = frozenset(each.value for each in Outcome)
REPORTS: Final = ("proof.md", "proof.json", "log.txt")
"""Files of a run that are kept beside it there."""
LONGEST: Final = 4 * 1024 * 1024
"""Bytes of such a file at most; of more, the last ones are kept."""


def telling_of(hg: Headgate) -> Telling:
    """The loop that tells the home's tracking server what happens."""
    tracking, read = hg.tracking, Reread(hg.home.tracking_file)

    def entries(event: Event) -> Iterator[Entry]:
        if (said := read.said()) is not None:
            yield from Told(said, hg.of(event.project)).entries(event)

    return Telling(
        wanted=lambda: read.said() is not None,
        events=tracking.events,
        entries=entries,
        send=tracking.send,
        outbox=tracking.outbox,
        place=hg.home.tracking / "read.json",
        wall=SystemClock(),
    )


class Reread:
    """``tracking.yaml``, read again when an operator changes it; where it is wrong, that is logged once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._said: Tracking | None = None

    def said(self) -> Tracking | None:
        """What it says; None where it is not there or wrong, and then nothing is told until it is right."""
        try:
            found = self._path.stat()
            mark = found.st_mtime_ns, found.st_ino
        except FileNotFoundError:
            mark = None
        if mark != self._seen:
            self._seen, self._said = mark, None
            try:
                self._said = None if mark is None else load_tracking(text_of(self._path), str(self._path))
            except HeadgateError as error:
                log.error("nothing is told to a tracking server: %s", error)
        return self._said


@dataclass(frozen=True, slots=True)
class Told:
    """Turns events of one project into entries."""

    said: Tracking
    hg: Headgate

    def entries(self, event: Event) -> Iterator[Entry]:
        """What there is to tell of `event`."""
        details = event.details
        match event.kind:
            case EventKind.RETRAINING if event.after in OUTCOMES:
                yield from self._ran(event)
            case EventKind.ROLLOUT if details.get("action") == Action.PROMOTE.value:
                yield from self._placed(event, str(details["candidate"]), f"rollout {details['rollout']}")
            case EventKind.APPLIED if event.before and model_in(event.before) != model_in(event.after):
                yield from self._placed(event, model_in(event.after), "its file was changed")
            case EventKind.EVALUATED:
                yield from self._evaluated(event)

    def _ran(self, event: Event) -> Iterator[Entry]:
        facts = self.hg.stories.facts(f"{event.subject}.{event.details['run']}")
        if facts.run is not None:
            yield ran(self.said.experiment, facts, facts.run, self._files(facts.run))

    def _files(self, run: Run) -> dict[str, str]:
        folder = self.hg.home.runs / run.id
        found = {name: text for name in REPORTS if (text := _text(folder / name))}
        if run.cut is not None:
            digest = run.cut.digest.removeprefix("sha256:")
            found[VALUE_FILE] = _text(self.hg.home.datasets / digest / VALUE_FILE)
        return {name: text for name, text in found.items() if text}

    def _placed(self, event: Event, ref: str, how: str) -> Iterator[Entry]:
        version = self._version(ref)
        if version is None:
            return
        theirs = self.hg.stories.run_of(event.subject, version.ref)
        why = f": {event.why}" if event.why else ""
        yield Marked(
            id=f"{event.project}.{event.subject}.{version.ref}.{event.at}",
            at=event.at,
            model=_model(version),
            experiment=self.said.experiment,
            tags={
                "headgate.endpoint": f"{event.project}/{event.subject}",
                "headgate.promoted": f"{how}, by {event.actor}{why}",
            },
            alias=self.said.alias,
            run="" if theirs is None else theirs.id,
            push=self.said.push,
        )

    def _evaluated(self, event: Event) -> Iterator[Entry]:
        """The gates of a version that came from the server: it is there already, and nothing is put there for it."""
        version = self._version(event.subject)
        if version is None or known_as(version.code) is None:
            return
        tags = {
            "headgate.gates": "passed" if event.details.get("passed") else "not passed",
            "headgate.gates.asked": str(event.details.get("gates") or "none"),
        }
        yield Marked(
            id=f"{event.project}.{version.ref}.evaluated.{event.at}",
            at=event.at,
            model=_model(version),
            experiment=self.said.experiment,
            tags=tags,
            push=False,
        )

    def _version(self, ref: str) -> Version | None:
        try:
            return self.hg.registry.resolve(ref, project=self.hg.project) if ref else None
        except HeadgateError:
            return None  # the history outlives what it speaks of


def ran(experiment: str, facts: Facts, run: Run, files: dict[str, str]) -> Ran:
    """A run that has ended, as the server keeps it."""
    assert run.outcome is not None  # noqa: S101 - only such a run is told of
    story = tell(facts)
    parameters: dict[str, str] = {}
    metrics: dict[str, float] = {}
    tags = {
        "headgate.endpoint": f"{run.project}/{run.endpoint}",
        "headgate.outcome": run.outcome.value,
        "headgate.why": run.why,
        "headgate.champion": run.champion,
        "headgate.fired": "; ".join(each.why for each in run.firings),
    }
    if run.challenger:
        tags["headgate.version"] = run.challenger
    if run.cut is not None:
        parameters |= {"window": run.cut.choice, "dataset": run.cut.digest}
        metrics["rows"] = float(run.cut.rows)
    if run.learned is not None:
        parameters |= {f"recipe.{name}": str(value) for name, value in run.learned.parameters.items()}
        metrics |= {f"learned.{name}": value for name, value in run.learned.metrics.items()}
        metrics |= {"learned.seconds": run.learned.seconds, "learned.peak_mb": run.learned.peak_mb}
        tags |= {"headgate.code": run.learned.code}
        tags |= {f"headgate.environment.{name}": value for name, value in run.learned.environment.items()}
    if run.proof is not None:
        tags |= {"headgate.gates": run.proof.outcome, "headgate.error_rate": run.proof.error_rate}
        metrics["gates.rows"] = float(run.proof.rows)
    for check in () if facts.proof is None else facts.proof.checks:
        metrics[f"gate.{check.name}.passed"] = float(check.outcome is GateOutcome.PASSED)
        if check.value is not None:
            metrics[f"gate.{check.name}"] = check.value
    return Ran(
        id=run.id,
        name=f"{run.endpoint} run {run.number}",
        experiment=experiment,
        started=run.fired,
        ended=run.entered,
        ending=ENDINGS.get(run.outcome, Ending.FINISHED),
        parameters=parameters,
        metrics=metrics,
        tags={name: value for name, value in tags.items() if value},
        files={"story.md": as_markdown(story), **files},
        note=f"{story.short} {run.why}",
    )


def _model(version: Version) -> Model:
    return Model(version.model, version.ref, version.digest, known_as(version.code))


def _text(path: Path) -> str:
    """The end of a file, empty where there is none."""
    try:
        return path.read_bytes()[-LONGEST:].decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
