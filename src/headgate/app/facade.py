"""One installation as Python sees it: ``headgate.open("./home")``.

Every method is one call into one room; what a method promises is what the room promises.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from headgate.app.alerts import Alerts
from headgate.app.channels import FileChannels
from headgate.app.keys import Keys
from headgate.app.objective import wanted_of
from headgate.app.observed import Observed
from headgate.app.reviews import Reviews
from headgate.app.rollouts import Rollouts
from headgate.app.scoring import scored
from headgate.app.sizing import Options, size
from headgate.app.told import actor, contract_of, project_of, spec_of
from headgate.app.up import running_client
from headgate.app.workers import finish_stream
from headgate.batch.score import Progress, Scored
from headgate.client import Client, Row
from headgate.clock import Clock, SystemClock
from headgate.contracts.contract import Contract
from headgate.contracts.tables import as_table
from headgate.controller.chores import Chores
from headgate.controller.declared import Declared
from headgate.controller.reconcile import Controller
from headgate.errors import GateFailed, NotFound
from headgate.evaluation.gates import parse_gate
from headgate.events import Event, EventKind, Sealed
from headgate.journal.blobs import LocalBlobs
from headgate.journal.disk import LocalDisk
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.journal.ports import SegmentRef
from headgate.journal.reader import Counts, Reader
from headgate.journal.segments import DiskSegmentSource
from headgate.monitors.status import EndpointStatus
from headgate.monitors.windows import Window
from headgate.registry.evaluate import Evaluated, evaluate_version
from headgate.registry.packages import PackageStore
from headgate.registry.ports import Version
from headgate.registry.register import Registered, Registration, register
from headgate.registry.registry import Registry
from headgate.retraining.datasets.forgotten import forget
from headgate.rollouts.rollout import Rollout
from headgate.runtimes.predictor import predict_with
from headgate.settings import Home
from headgate.sizing.figures import Sizing
from headgate.store.deaths import FileDeaths
from headgate.store.home import create_home, may_write, read_secret, require_writable
from headgate.store.home import open_home as open_directory
from headgate.store.keyfiles import FileKeys
from headgate.store.notes import FileNotes
from headgate.store.replayclock import ReplayClock
from headgate.store.sql import SqlStore
from headgate.store.trafficfiles import FileTraffic
from headgate.traffic.endpoint import EndpointSpec, dump_endpoint
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import DEFAULT_PROJECT, Micros

if TYPE_CHECKING:
    from headgate.app.monitoring import Monitoring
    from headgate.app.reports import EndpointReport
    from headgate.app.screens import Screens
    from headgate.retraining.datasets.opened import Opened


class Headgate:
    """One installation, seen by one project. Use it as a context; it holds a database connection.

    Where this user may not write the home, whatever only looks works, and what changes it raises BadConfiguration.
    """

    def __init__(
        self, home: Home, *, store: str | None = None, clock: Clock | None = None, project: str = DEFAULT_PROJECT
    ) -> None:
        """`store` is a database URL; None means the home's own SQLite file."""
        self.home = home
        self.project = project_of(project)
        self._clock = clock or SystemClock()
        self._store = SqlStore(store or home.database)
        self.registry = Registry(self._store, PackageStore(home.packages), self._clock)
        self.traffic = FileTraffic(home.traffic)
        self._disk = LocalDisk(home.root)
        self._segments = DiskSegmentSource(self._disk)
        self._lake = Lake(home.lake)
        self.reader = Reader(self._lake, self._segments)
        self._declared = Declared(self._store, self.registry, partial(read_secret, home), self._store)
        self._observed = Observed(self._declared, self.registry, self.traffic, self.reader, self._clock)
        self._key_files = FileKeys(home.keys)
        self._channels = FileChannels(home.channels)

    def of(self, project: str) -> "Headgate":
        """The same installation seen by another project; the two share one database connection."""
        if project == self.project:
            return self
        other = copy(self)
        other.project = project_of(project)
        return other

    def __enter__(self) -> "Headgate":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the database connection back."""
        self._store.close()

    # Models

    def register(
        self,
        name: str,
        model: Any,
        *,
        reference: Any,
        label: str | None = None,
        contract: Contract | Path | None = None,
        parent: str | None = None,
        code: str | None = None,
        trust: bool = False,
        why: str = "",
    ) -> Registered:
        """Turn `model` (an object or a file) into a package and keep it as the next version of `name`.

        `reference` are rows the model was fitted on, as anything ``contracts.tables.as_table`` takes; `label`
        names the column of them that holds the truth. Raises BadInput, TrustRequired or MissingExtra.
        """
        require_writable(self.home)
        asked = Registration(
            name=name,
            label=label,
            contract=contract_of(contract),
            parent=parent,
            code=code,
            why=why,
            actor=actor(),
            trust=trust,
            project=self.project,
        )
        return register(self.registry, predict_with, model, reference, asked)

    def evaluate(self, version: str, data: Any, *, gates: Sequence[str] = (), slices: Sequence[str] = ()) -> Evaluated:
        """Measure a version on labelled rows it was not fitted on, and judge gates such as ``auc >= 0.65``.

        `slices` are fields to look at value by value; those that gates speak of are looked at anyway.
        """
        require_writable(self.home)
        fields = dict.fromkeys([*slices, *(gate.slices for gate in map(parse_gate, gates) if gate.slices)])
        return evaluate_version(
            self.registry,
            predict_with,
            self.registry.resolve(version, project=self.project),
            as_table(data),
            gates=gates,
            slices=list(fields),
            actor=actor(),
        )

    def alias(self, version: str, alias: str, *, why: str = "") -> Version:
        """Point ``model@alias`` at a version."""
        require_writable(self.home)
        return self.registry.set_alias(version, alias, actor=actor(), why=why, project=self.project)

    def aliases(self, model: str) -> dict[str, int]:
        """Version numbers of a model by alias. Raises NotFound when there is no such model."""
        self.registry.resolve(model, project=self.project)
        return self.registry.aliases(model, project=self.project)

    def versions(self, model: str | None = None) -> list[Version]:
        """Every version of a model, or of all."""
        return self.registry.versions(model, project=self.project)

    def score(
        self, version: str, source: str | Path, target: str | Path, *, progress: Progress = lambda _d, _a: None
    ) -> Scored:
        """Answer every row of a file with one version; see ``batch.score.score_file``."""
        found = self.registry.resolve(version, project=self.project)
        return scored(found, self.registry.package(found), Path(source), Path(target), progress)

    def size(
        self,
        version: str,
        *,
        endpoint: EndpointSpec | str | Path | None = None,
        options: Options = Options(),  # noqa: B008 - a frozen value
    ) -> Sizing:
        """Load-test a version on this machine: what it needs for an objective, and what would save something.

        `endpoint` is the name of one of the home's, a file, or a value; without it the home's only endpoint that asks
        this model. Raises RuntimeFailed when the model errs, hangs or dies on a single row, BadConfiguration when the
        endpoint does not fit it.
        """
        found = self.registry.resolve(version, project=self.project)
        wanted = wanted_of(found, endpoint, self._declared, self.endpoints(), options)
        beside = self.home.run if may_write(self.home) and self.home.run.is_dir() else None
        return size(self.registry.package(found), replace(wanted, beside=beside))

    # Callers

    @property
    def keys(self) -> Keys:
        """The project's keys: who may call its endpoints."""
        # Keys end by the real clock, also during a replay.
        secret, clock = read_secret(self.home), SystemClock()
        return Keys(self._store, self._key_files, secret=secret, clock=clock, project=self.project, actor=actor())

    # Endpoints

    def apply(self, spec: EndpointSpec | str | Path, *, force: bool = False, why: str = "") -> Traffic:
        """Create or change an endpoint and publish its traffic; running gateways obey within a second.

        `spec` is a value, the YAML text or the path of a file. Raises GateFailed when a version without a
        passing evaluation would take traffic; `force` lets it, and the history keeps who said so and why.
        Raises BadConfiguration naming the key when the file is wrong or its versions answer different questions,
        NotFound for a version that is not registered, Conflict while a rollout says who answers, or when somebody
        changed the endpoint meanwhile.
        """
        require_writable(self.home)
        spec = spec_of(spec)
        self._declared.check(spec)
        self._screens().check(self._declared.resolve(spec))
        if force:
            spec = self._declared.forced(spec)
        elif unproved := self._declared.unproved(spec):
            raise GateFailed(
                f"{', '.join(unproved)}: no passing evaluation, so no traffic. "
                f"Run: headgate evaluate {unproved[0]} ROWS --gate '...' (or apply with --force)"
            )
        before = next((text for _, name, text in self._store.endpoints(spec.project) if name == spec.endpoint), None)
        after = dump_endpoint(spec)
        decides = self.rollouts.decides(spec, before)
        self._store.put_endpoint(spec.project, spec.endpoint, after, before, idle=decides)
        details: dict[str, str | int | float | bool | None] = {"force": force}
        now, kind = self._clock.now(), EventKind.APPLIED
        event = Event(now, kind, spec.project, spec.endpoint, actor(), why, details, before or "", after)
        self._store.add_event(event)
        self.controller().reconcile()
        return self.traffic.read()[(spec.project, spec.endpoint)]

    def endpoints(self) -> list[str]:
        """Names of the project's endpoints."""
        return [name for _, name, _ in self._store.endpoints(self.project)]

    def controller(self, *, watches: Callable[[], bool] = lambda: False) -> Controller:
        """The loop that publishes traffic; `watches` says whether rollouts are watched over beside it."""
        return Controller(
            declared=self._declared, traffic=self.traffic, events=self._store, clock=self._clock, watches=watches,
            prepare=lambda *each: self._screens().prepare(*each),
        )  # fmt: skip

    def chores(self, *, seal_interval: float) -> Chores:
        """The loop that keeps the journal in order."""
        return Chores(
            declared=self._declared,
            segments=self._segments,
            finish=partial(finish_stream, self.home),
            lake=self._lake,
            orphans=Orphans(self._disk, self._segments, self._lake, clock=SystemClock()),
            events=self._store,
            clock=self._clock,
            deaths=FileDeaths(self.home.deaths),
            notes=FileNotes(self.home.notes),
            alerts=self._store,
            sets=partial(forget, self.home.datasets, SystemClock()),
            seal_interval=seal_interval,
        )

    # Rollouts

    @property
    def rollouts(self) -> Rollouts:
        """How new versions of the project's endpoints take traffic."""
        parts = self._store, self._declared, self.registry, self.reader, self.traffic, self._served_clock()
        return Rollouts(self.project, *parts, replayed=self.home.replay_clock.exists(), actor=actor())

    @property
    def reviews(self) -> Reviews:
        """What people are to decide, where an endpoint puts anything before them."""
        blobs = LocalBlobs(self._disk)
        return Reviews(self.project, self._declared, self._store, self.reader, blobs, self._served_clock())

    @property
    def alerts(self) -> Alerts:
        """What was found of the project's endpoints, and who was told of it."""
        secret, clock = partial(read_secret, self.home), self._served_clock()
        return Alerts(self.project, self._store, self._declared, self._channels, secret, clock, actor())

    @property
    def monitoring(self) -> "Monitoring":
        """How the project's endpoints are watched, and how they stand."""
        from headgate.app.monitoring import Monitoring  # noqa: PLC0415 - most verbs have no use for monitors

        clock, replayed = self._served_clock(), self.home.replay_clock.exists()
        blobs = LocalBlobs(self._disk)
        return Monitoring(self.project, self._store, self._observed, clock, replayed=replayed, blobs=blobs)

    def report(self, endpoint: str, *, last: int | None = None) -> "EndpointReport":
        """How an endpoint stands, its `last` days, its alerts, and its newest rollout's comparison. Raises NotFound.

        ``report.page`` is all of it as one HTML page that needs nothing else, ``report.text`` for a terminal.
        """
        from headgate.app.reports import report_of  # noqa: PLC0415 - as above

        return report_of(endpoint, self.monitoring, self.alerts, self.rollouts, last=last)

    def _screens(self) -> "Screens":
        """The detectors of this home."""
        from headgate.app.screens import Screens  # noqa: PLC0415 - as above

        return Screens.of(self.home)

    def _served_clock(self) -> Clock:
        """The moment the gateways and the controller of this home are at."""
        if self.home.replay_clock.exists() and isinstance(self._clock, SystemClock):
            return ReplayClock(self.home.replay_clock)
        return self._clock

    def deploy(self, plan: str | Path, *, force: bool = False, why: str = "") -> Rollout:
        """Begin the rollout that a plan, as YAML or as a file, describes; see ``app.rollouts.Rollouts.deploy``."""
        require_writable(self.home)
        rollout = self.rollouts.deploy(plan, force=force, why=why)
        self.controller().reconcile()
        return rollout

    # The journal

    def windows(
        self,
        endpoint: str,
        *,
        every: str | float = "month",
        version: str | None = None,
        start: Micros | None = None,
        end: Micros | None = None,
        as_of: Micros | None = None,
        zone: str = "UTC",
    ) -> list[Window]:
        """What an endpoint did, window by window of event time; see ``monitors.windows.windows``."""
        return self._observed.windows(
            self._declared.spec(self.project, endpoint),
            every=every,
            version=version,
            start=start,
            end=end,
            as_of=as_of,
            zone=zone,
        )

    def status(self, endpoint: str, *, every: str = "day", last: int | None = None) -> EndpointStatus:
        """An endpoint's windows beside its objective and the figures its live version had when it was evaluated."""
        return self._observed.status(self._declared.spec(self.project, endpoint), every=every, last=last)

    def events(self, subject: str | None = None, limit: int = 100) -> list[Event]:
        """The project's history, newest first: of one version, endpoint or process, or of everything.

        >>> import tempfile
        >>> import headgate
        >>> with tempfile.TemporaryDirectory() as folder, headgate.open(folder) as hg:
        ...     hg.events()
        []
        """
        return self._store.events(self.project, subject, limit)

    def note_read(self, endpoint: str, who: str, what: str) -> None:
        """Remember that `who` read an endpoint's journal over HTTP."""
        details: dict[str, str | int | float | bool | None] = {"what": what}
        self._store.add_event(Event(self._clock.now(), EventKind.READ, self.project, endpoint, who, "", details))

    def note_advance(self, was: Micros, to: Micros, who: str) -> None:
        """Remember that `who` has a replay's clock move."""
        event = Event(was, EventKind.ADVANCED, self.project, "replay", who, "", {}, _moment(was), _moment(to))
        self._store.add_event(event)

    def audit(self) -> Iterator[Sealed]:
        """The whole history of all projects, oldest first, each record with its seal; see ``events.first_broken``."""
        after = 0
        while records := self._store.sealed(after):
            yield from records
            after = records[-1].number

    def segments(self) -> list[SegmentRef]:
        """Journal segments that are not in the lake yet, of all projects."""
        return self._segments.segments()

    def counts(self, endpoint: str) -> Counts:
        """How much the journal holds of an endpoint."""
        return self.reader.counts(self.project, endpoint)

    def training_set(
        self, endpoint: str, *, as_of: Micros, start: Micros | None = None, end: Micros | None = None,
        window: str = "everything", change: Micros | None = None, least: int = 200,
    ) -> "Opened":  # fmt: skip
        """Features and labels as known at `as_of`, kept in the home; see ``app.trainingsets.training_set``."""
        from headgate.app.trainingsets import training_set  # noqa: PLC0415 - as above

        require_writable(self.home)
        where = self._declared, self.reader, self.home.datasets, self.project, endpoint
        return training_set(*where, as_of=as_of, start=start, end=end, window=window, change=change, least=least)

    # A running gateway

    def client(self) -> Client:
        """A client of the gateways that serve this home. Raises Unavailable when `up` was never started on it."""
        return running_client(self.home.root, None, self.project)

    def predict(self, endpoint: str, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Ask the running gateways; see ``client.Client.predict``."""
        with self.client() as client:
            return client.predict(endpoint, rows)

    def label(self, endpoint: str, labels: Sequence[Row]) -> int:
        """Tell the running gateways what turned out to be true; see ``client.Client.label``."""
        with self.client() as client:
            return client.label(endpoint, labels)

    def decide(self, endpoint: str, decisions: Sequence[Row]) -> int:
        """Tell the running gateways what people decided; see ``client.Client.decide``."""
        with self.client() as client:
            return client.decide(endpoint, decisions)


def _moment(at: Micros) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).isoformat()


def open_home(home: str | Path, *, store: str | None = None, project: str = DEFAULT_PROJECT) -> Headgate:
    """The installation in directory `home`, made if it is not there; one this user may not write is opened to look at.

    `store` is the URL of its database, such as ``postgresql://USER@HOST/NAME``; None means the home's own SQLite file.
    Raises NewerSchema when a newer Headgate wrote it, Unavailable when the database cannot be reached.
    """
    root = Path(home)
    try:
        found = open_directory(root)
    except NotFound:
        found = create_home(root)
    return Headgate(found, store=store, project=project)
