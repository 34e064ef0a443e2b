"""The records of which a model's story is told, gathered: runs, data sets, proofs, rollouts, alerts, the history."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from headgate.alerts.alert import Alert
from headgate.app.changes import Change, changes, named
from headgate.clock import Clock
from headgate.errors import HeadgateError, NotFound
from headgate.evaluation.report import from_json
from headgate.events import Event, EventKind
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.registry.packages import PARITY
from headgate.registry.parity import ParityReport
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.retraining.datasets.dataset import VALUE_FILE, Dataset
from headgate.retraining.proof.values import Proof
from headgate.retraining.run import Run, Source
from headgate.retraining.story.facts import Alarmed, Carded, Facts, Made, Measured, Moved, Rolled
from headgate.retraining.story.story import Mention, Story, moment
from headgate.retraining.story.tell import in_short, tell
from headgate.rollouts.judge import deciding
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Phase
from headgate.rollouts.text import step_text
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
        found = self._changes(wanted.endpoint)
        if wanted.version:
            version = self.registry.resolve(wanted.version, project=self.project)
            for name in [each for _, each, _ in self.store.endpoints(self.project)]:
                theirs = self._changes(name)
                change = next((each for each in reversed(theirs) if each.after == version.ref), None)
                if change is not None:
                    return self._told(change, theirs)
            return tell(self._unused(version))
        if not found and not self._live(wanted.endpoint):
            raise NotFound("endpoint, run, rollout or version", subject, self._there())
        if wanted.id:
            return self._told(_of_id(found, wanted.id), found)
        if not found:
            live = self._live(wanted.endpoint)
            return tell(self._unused(self.registry.resolve(live, project=self.project), wanted.endpoint))
        done = [each for each in found if each.took_over is not None]
        return self._told(done[-1] if done else found[-1], found)

    def facts(self, id_: str) -> Facts:
        """Everything that is known of one change. Raises NotFound."""
        wanted = named(id_, self.project)
        found = self._changes(wanted.endpoint)
        return self._facts(_of_id(found, wanted.id), found)

    def run_of(self, endpoint: str, version: str) -> Run | None:
        """The run of the endpoint's loop that made a version."""
        runs = self.store.runs(self.project, endpoint)
        return next((each for each in reversed(runs) if each.challenger == version), None)

    def card(self, version: str) -> Carded:
        """What a version's card is made of. Raises NotFound, BadInput for another spelling, IntegrityError."""
        found = self.registry.resolve(version, project=self.project)
        package = self.registry.package(found)
        parity = msgspec.json.decode((package.path / PARITY).read_bytes(), type=ParityReport)
        facts = next(
            (
                self._facts(change, theirs)
                for name in [each for _, each, _ in self.store.endpoints(self.project)]
                if (theirs := self._changes(name))
                for change in reversed(theirs)
                if change.after == found.ref
            ),
            self._unused(found),
        )
        environment = tuple(sorted(package.manifest.environment.items()))
        return Carded(self._made(found), package.contract, environment, parity.reason, facts)

    def _told(self, change: Change, all_: Sequence[Change]) -> Story:
        others = [self._mention(each) for each in reversed(all_) if each is not change]
        return tell(self._facts(change, all_), others[:OTHERS])

    def _mention(self, change: Change) -> Mention:
        return Mention(change.id, change.at, in_short(self._facts(change, ())))

    def _changes(self, endpoint: str) -> list[Change]:
        if not endpoint:
            return []
        return changes(
            self.store.runs(self.project, endpoint),
            self.store.rollouts(self.project, endpoint),
            self._events(endpoint),
        )

    def _events(self, subject: str) -> list[Event]:
        """The first one first."""
        return self.store.events(self.project, subject, MOST_EVENTS)[::-1]

    def _facts(self, change: Change, all_: Sequence[Change]) -> Facts:
        run, rollout, endpoint = change.run, change.rollout, change.endpoint
        events = self._events(endpoint)
        alerts = self.store.alerts(self.project, endpoint)
        fired = {each.key for each in run.firings if each.source is Source.ALARM} if run is not None else set()
        began = change.took_over or (run.over if run is not None and run.over is not None else None)
        return Facts(
            id=change.id,
            project=self.project,
            endpoint=endpoint,
            before=change.before,
            after=change.after,
            now=self.clock.now(),
            live=self._live(endpoint),
            run=run,
            dataset=None if run is None or run.cut is None else self._dataset(run.cut.digest),
            proof=None if run is None else self._proof(run),
            rollout=None if rollout is None else _rolled(rollout, events),
            applied=None if change.applied is None else _moved(change.applied, "the endpoint's file was changed"),
            made=self._made_of(change.after),
            alarms=tuple(_alarmed(each) for each in alerts if each.id in fired),
            diagnosis=tuple(_diagnosis(self.store.diagnoses(self.project, endpoint), fired)),
            since=tuple(_since(change, all_)),
            alarms_since=tuple(
                _alarmed(each) for each in reversed(alerts) if began is not None and each.raised >= began
            ),
        )

    def _unused(self, version: Version, endpoint: str = "") -> Facts:
        """The facts of a version that no change put in charge: it was there from the beginning, or never was."""
        live, applied = self._live(endpoint) if endpoint else "", None
        if endpoint:
            first = next((each for each in self._events(endpoint) if each.kind is EventKind.APPLIED), None)
            applied = None if first is None else _moved(first, f"{endpoint} was made, with {version.ref} in charge")
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
        path = self.home.root / "datasets" / digest.removeprefix("sha256:") / VALUE_FILE
        return _read(path, Dataset)

    def _proof(self, run: Run) -> Proof | None:
        return _read(self.home.root / "runs" / run.id / PROOF_FILE, Proof)

    def _live(self, endpoint: str) -> str:
        text = next((text for _, name, text in self.store.endpoints(self.project) if name == endpoint), None)
        if text is None:
            return ""
        try:
            return self.registry.resolve(load_endpoint(text, endpoint).model, project=self.project).ref
        except HeadgateError:
            return ""  # its file names nothing that is here; `headgate doctor` says so

    def _there(self) -> str:
        names = [name for _, name, _ in self.store.endpoints(self.project)]
        return f"Endpoints here: {', '.join(names) or 'none'}"


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


def _rolled(rollout: Rollout, events: Iterable[Event]) -> Rolled:
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


def _moved(event: Event, what: str) -> Moved:
    return Moved(event.at, event.actor, what, event.why, sealed=True)


def _alarmed(alert: Alert) -> Alarmed:
    found = alert.finding
    return Alarmed(alert.id, found.monitor, found.what.rstrip("."), found.cause, alert.raised, alert.ended)


def _diagnosis(every: Iterable[Diagnosed], alerts: set[str]) -> Iterator[str]:
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


def _since(change: Change, all_: Sequence[Change]) -> Iterator[Moved]:
    began = change.took_over
    if began is None:
        return
    for each in all_:
        if each is not change and each.took_over is not None and each.took_over >= began:
            yield Moved(each.took_over, "", f"{each.after} took over ({each.id})")
