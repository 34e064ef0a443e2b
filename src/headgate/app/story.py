"""The records of which a model's story is told, gathered: runs, data sets, proofs, rollouts, alerts, the history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from headgate.alerts.alert import Alert
from headgate.app.changes import Change, changes, named
from headgate.app.storyfacts import alarmed, diagnosis, moved, rolled
from headgate.clock import Clock
from headgate.errors import HeadgateError, NotFound
from headgate.evaluation.report import from_json
from headgate.events import Event, EventKind
from headgate.registry.packages import PARITY
from headgate.registry.parity import ParityReport
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.retraining.datasets.dataset import VALUE_FILE, Dataset
from headgate.retraining.proof.values import Proof
from headgate.retraining.run import Run, Source
from headgate.retraining.story.facts import Carded, Facts, Made, Measured, Moved
from headgate.retraining.story.story import Mention, Story
from headgate.retraining.story.tell import in_short, tell
from headgate.settings import Home
from headgate.store.sql import SqlStore
from headgate.traffic.endpoint import load_endpoint

PROOF_FILE: Final = "proof.json"
"""Beside a run's other files."""
MOST_EVENTS: Final = 100_000
"""Of an endpoint's history that are read."""
OTHERS: Final = 20
"""Other changes of the endpoint that are mentioned."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is kept of one endpoint, read once."""

    endpoint: str
    live: str
    events: list[Event]
    """The first one first."""
    alerts: list[Alert]
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Stories:
    """The stories of one project's models."""

    project: str
    home: Home
    store: SqlStore
    registry: Registry
    clock: Clock

    def explain(self, subject: str) -> Story:
        """The story of what `subject` names: an endpoint (its last change), a run, a rollout, or a version.

        Raises NotFound where it names nothing here.
        """
        wanted = named(subject, self.project)
        if wanted.version:
            version = self.registry.resolve(wanted.version, project=self.project)
            found = self._of_version(version)
            return tell(self._unused(version)) if found is None else self._told(*found)
        known = self._known(wanted.endpoint)
        if not known.changes and not known.live:
            raise NotFound("endpoint, run, rollout or version", subject, self._there())
        if wanted.id:
            return self._told(_of_id(known.changes, wanted.id), known)
        if not known.changes:
            live = self.registry.resolve(known.live, project=self.project)
            return tell(self._unused(live, known))
        done = [each for each in known.changes if each.took_over is not None]
        return self._told(done[-1] if done else known.changes[-1], known)

    def facts(self, id_: str) -> Facts:
        """Everything that is known of one change. Raises NotFound."""
        wanted = named(id_, self.project)
        known = self._known(wanted.endpoint)
        return self._facts(_of_id(known.changes, wanted.id), known)

    def run_of(self, endpoint: str, version: str) -> Run | None:
        """The run of the endpoint's loop that made a version."""
        runs = self.store.runs(self.project, endpoint)
        return next((each for each in reversed(runs) if each.challenger == version), None)

    def card(self, version: str) -> Carded:
        """What a version's card is made of. Raises NotFound, BadInput for another spelling, IntegrityError."""
        found = self.registry.resolve(version, project=self.project)
        package = self.registry.package(found)
        parity = msgspec.json.decode((package.path / PARITY).read_bytes(), type=ParityReport)
        change = self._of_version(found)
        facts = self._unused(found) if change is None else self._facts(*change)
        environment = tuple(sorted(package.manifest.environment.items()))
        return Carded(self._made(found), package.contract, environment, parity.reason, facts)

    def _of_version(self, version: Version) -> tuple[Change, _Known] | None:
        """The last change by which it was to come into charge anywhere."""
        for name in self._names():
            known = self._known(name)
            change = next((each for each in reversed(known.changes) if each.after == version.ref), None)
            if change is not None:
                return change, known
        return None

    def _told(self, change: Change, known: _Known) -> Story:
        others = [each for each in reversed(known.changes) if each is not change]
        return tell(self._facts(change, known), [_mention(each) for each in others[:OTHERS]])

    def _known(self, endpoint: str) -> _Known:
        events = self.store.events(self.project, endpoint, MOST_EVENTS)[::-1]
        found = changes(self.store.runs(self.project, endpoint), self.store.rollouts(self.project, endpoint), events)
        alerts = self.store.alerts(self.project, endpoint)
        return _Known(endpoint, self._live(endpoint), events, alerts, found)

    def _facts(self, change: Change, known: _Known) -> Facts:
        run, rollout = change.run, change.rollout
        fired = {each.key for each in run.firings if each.source is Source.ALARM} if run is not None else set()
        began = change.took_over or (run.over if run is not None else None)
        later = () if began is None else tuple(each for each in reversed(known.alerts) if each.raised >= began)
        return Facts(
            id=change.id,
            project=self.project,
            endpoint=change.endpoint,
            before=change.before,
            after=change.after,
            now=self.clock.now(),
            live=known.live,
            run=run,
            dataset=None if run is None or run.cut is None else self._dataset(run.cut.digest),
            proof=None if run is None else self._proof(run),
            rollout=None if rollout is None else rolled(rollout, known.events),
            applied=None if change.applied is None else moved(change.applied, "the endpoint's file was changed"),
            made=self._made_of(change.after),
            alarms=tuple(alarmed(each) for each in known.alerts if each.id in fired),
            diagnosis=tuple(diagnosis(self.store.diagnoses(self.project, change.endpoint), fired)),
            since=tuple(_since(change, known.changes)),
            alarms_since=tuple(map(alarmed, later)),
        )

    def _unused(self, version: Version, known: _Known | None = None) -> Facts:
        """The facts of a version that no change put in charge: it was there from the beginning, or never was."""
        endpoint, live, applied = "", "", None
        if known is not None:
            endpoint, live = known.endpoint, known.live
            first = next((each for each in known.events if each.kind is EventKind.APPLIED), None)
            applied = None if first is None else moved(first, f"{endpoint} was made, with {version.ref} in charge")
        made, now = self._made(version), self.clock.now()
        return Facts(version.ref, self.project, endpoint, "", version.ref, now, live, made=made, applied=applied)

    def _made_of(self, ref: str) -> Made | None:
        try:
            return self._made(self.registry.resolve(ref, project=self.project)) if ref else None
        except HeadgateError:
            return None  # the story says that it is no longer registered

    def _made(self, version: Version) -> Made:
        registered = [each for each in self.registry.history(version) if each.kind is EventKind.REGISTERED]
        return Made(
            version=version.ref,
            at=version.created_at,
            engine=version.engine,
            digest=version.digest,
            data=version.data_digest,
            code=version.code,
            parent=version.parent,
            why=version.why,
            who=registered[-1].actor if registered else "",
            measured=tuple(
                Measured(each.at, each.passed, from_json(each.report)) for each in self.registry.evaluations(version)
            ),
        )

    def _dataset(self, digest: str) -> Dataset | None:
        path = self.home.datasets / digest.removeprefix("sha256:") / VALUE_FILE
        return _read(path, Dataset)

    def _proof(self, run: Run) -> Proof | None:
        return _read(self.home.runs / run.id / PROOF_FILE, Proof)

    def _live(self, endpoint: str) -> str:
        text = next((text for _, name, text in self.store.endpoints(self.project) if name == endpoint), None)
        if text is None:
            return ""
        try:
            return self.registry.resolve(load_endpoint(text, endpoint).model, project=self.project).ref
        except HeadgateError:
            return ""  # its file names nothing that is here; `headgate doctor` says so

    def _there(self) -> str:
        return f"Endpoints here: {', '.join(self._names()) or 'none'}"

    def _names(self) -> list[str]:
        return [name for _, name, _ in self.store.endpoints(self.project)]


def _of_id(changes_: Sequence[Change], id_: str) -> Change:
    """The change of that id. Raises NotFound."""
    change = next((each for each in changes_ if each.id == id_), None)
    if change is None:
        ids = ", ".join(each.id for each in changes_[-5:])
        raise NotFound("run or rollout", id_, f"The last here: {ids or 'none'}")
    return change


def _read(path: Path, kind: type[T]) -> T | None:
    """A record in a file; None where it is not there, or is none any more, which the story then says."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def _mention(change: Change) -> Mention:
    """`change` in a line, which needs no more of it than it has itself."""
    facts = Facts(
        change.id,
        "",
        change.endpoint,
        change.before,
        change.after,
        change.at,
        run=change.run,
        rollout=None if change.rollout is None else rolled(change.rollout, ()),
        applied=None if change.applied is None else moved(change.applied, ""),
    )
    return Mention(change.id, change.at, in_short(facts))


def _since(change: Change, all_: Sequence[Change]) -> Iterator[Moved]:
    began = change.took_over
    if began is None:
        return
    for each in all_:
        if each is not change and each.took_over is not None and each.took_over >= began:
            yield Moved(each.took_over, "", f"{each.after} took over ({each.id})")
