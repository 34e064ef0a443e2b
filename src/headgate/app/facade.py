"""One installation as Python sees it: ``headgate.open("./home")``.

Every method is one call into one room; what a method promises is what the room promises.
"""

import getpass
from collections.abc import Sequence
from copy import copy
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from headgate.app.up import gateway_address
from headgate.app.workers import finish_stream
from headgate.batch.score import Progress, Scored, score_file
from headgate.client import Client, Row
from headgate.clock import Clock, SystemClock
from headgate.contracts.contract import Contract, Output
from headgate.contracts.infer import infer
from headgate.contracts.tables import as_table
from headgate.contracts.yaml_text import load_yaml
from headgate.controller.chores import Chores
from headgate.controller.declared import Declared
from headgate.controller.reconcile import Controller
from headgate.errors import BadConfiguration, BadInput, GateFailed, NotFound, Unavailable
from headgate.evaluation.gates import parse_gate
from headgate.evaluation.report import Report, from_json
from headgate.events import Event, EventKind
from headgate.journal.disk import LocalDisk
from headgate.journal.lake import Lake
from headgate.journal.ports import SegmentRef
from headgate.journal.reader import Counts, Reader
from headgate.journal.segments import DiskSegmentSource
from headgate.journal.training import TrainingSet, training_set
from headgate.monitors.status import EndpointStatus, Share, endpoint_status
from headgate.monitors.windows import Window, windows
from headgate.registry.evaluate import Evaluated, evaluate_version
from headgate.registry.packages import PackageStore
from headgate.registry.ports import Version
from headgate.registry.register import Registered, Registration, register
from headgate.registry.registry import Registry
from headgate.runtimes.predictor import predict_with
from headgate.settings import Home
from headgate.store.home import create_home, read_secret
from headgate.store.sql import SqlStore
from headgate.store.trafficfiles import FileTraffic
from headgate.traffic.endpoint import EndpointSpec, draft_endpoint, dump_endpoint, load_endpoint
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import DEFAULT_PROJECT, NAME, NAME_RULE, Micros


class Headgate:
    """One installation, seen by one project. Use it as a context; it holds a database connection."""

    def __init__(self, home: Home, *, clock: Clock | None = None, project: str = DEFAULT_PROJECT) -> None:
        self.home = home
        self.project = _project(project)
        self._clock = clock or SystemClock()
        self._store = SqlStore(home.database)
        self.registry = Registry(self._store, PackageStore(home.packages), self._clock)
        self.traffic = FileTraffic(home.traffic)
        self._segments = DiskSegmentSource(LocalDisk(home.root))
        self._lake = Lake(home.lake)
        self.reader = Reader(self._lake, self._segments)
        self._declared = Declared(self._store, self.registry, read_secret(home))

    def of(self, project: str) -> "Headgate":
        """The same installation seen by another project; the two share one database connection."""
        if project == self.project:
            return self
        other = copy(self)
        other.project = _project(project)
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

    def _live(self, spec: EndpointSpec) -> Version:
        return self.registry.resolve(spec.model, project=spec.project)

    def _output(self, spec: EndpointSpec, live: Version) -> Output:
        return spec.contract.output if spec.contract else self.registry.package(live).contract.output

    def _reference(self, version: Version) -> Report | None:
        """What the latest evaluation of a version measured."""
        evaluations = self.registry.evaluations(version)
        return from_json(evaluations[-1].report) if evaluations else None

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
        if isinstance(contract, Path):
            contract = load_yaml(_text_of(contract), str(contract))
        asked = Registration(
            name=name,
            label=label,
            contract=contract,
            parent=parent,
            code=code,
            why=why,
            actor=_actor(),
            trust=trust,
            project=self.project,
        )
        return register(self.registry, predict_with, model, reference, asked)

    def evaluate(self, version: str, data: Any, *, gates: Sequence[str] = (), slices: Sequence[str] = ()) -> Evaluated:
        """Measure a version on labelled rows it was not fitted on, and judge gates such as ``auc >= 0.65``.

        `slices` are fields to look at value by value; those that gates speak of are looked at anyway.
        """
        fields = dict.fromkeys([*slices, *(gate.slices for gate in map(parse_gate, gates) if gate.slices)])
        return evaluate_version(
            self.registry,
            predict_with,
            self.registry.resolve(version, project=self.project),
            as_table(data),
            gates=gates,
            slices=list(fields),
            actor=_actor(),
        )

    def alias(self, version: str, alias: str, *, why: str = "") -> Version:
        """Point ``model@alias`` at a version."""
        return self.registry.set_alias(version, alias, actor=_actor(), why=why, project=self.project)

    def aliases(self, model: str) -> dict[str, int]:
        """Version numbers of a model by alias. Raises NotFound when there is no such model."""
        self.registry.resolve(model, project=self.project)
        return self.registry.aliases(model, project=self.project)

    def versions(self, model: str | None = None) -> list[Version]:
        """Every version of a model, or of all."""
        return self.registry.versions(model, project=self.project)

    def score(self, version: str, source: Path, target: Path, *, progress: Progress = lambda _d, _a: None) -> Scored:
        """Answer every row of a file with one version; see ``batch.score.score_file``."""
        found = self.registry.resolve(version, project=self.project)
        package = self.registry.package(found)
        predictor = predict_with(package.path)
        try:
            return score_file(
                source,
                target,
                contract=package.contract,
                predictor=predictor,
                version=found.ref,
                digest=found.digest,
                progress=progress,
            )
        finally:
            predictor.close()

    # Endpoints

    def apply(self, spec: EndpointSpec | str | Path, *, force: bool = False, why: str = "") -> Traffic:
        """Create or change an endpoint and publish its traffic; running gateways obey within a second.

        `spec` is a value, the YAML text or the path of a file. Raises GateFailed when a version without a
        passing evaluation would take traffic; `force` lets it, and the history keeps who said so and why.
        Raises BadConfiguration naming the key when the file is wrong or its versions answer different questions,
        NotFound for a version that is not registered.
        """
        spec = _spec(spec)
        self._declared.check(spec)
        if force:
            spec = self._declared.forced(spec)
        elif unproved := self._declared.unproved(spec):
            raise GateFailed(
                f"{', '.join(unproved)}: no passing evaluation, so no traffic. "
                f"Run: headgate evaluate {unproved[0]} ROWS --gate '...' (or apply with --force)"
            )
        self._store.put_endpoint(spec.project, spec.endpoint, dump_endpoint(spec))
        details: dict[str, str | int | float | bool | None] = {"force": force}
        event = Event(self._clock.now(), EventKind.APPLIED, spec.project, spec.endpoint, _actor(), why, details)
        self._store.add_event(event)
        self.controller().reconcile()
        return self.traffic.read()[(spec.project, spec.endpoint)]

    def endpoints(self) -> list[str]:
        """Names of the project's endpoints."""
        return [name for _, name, _ in self._store.endpoints(self.project)]

    def controller(self) -> Controller:
        """The loop that publishes traffic."""
        return Controller(declared=self._declared, traffic=self.traffic, events=self._store, clock=self._clock)

    def chores(self, *, seal_interval: float) -> Chores:
        """The loop that keeps the journal in order."""
        return Chores(
            declared=self._declared,
            segments=self._segments,
            finish=partial(finish_stream, self.home),
            lake=self._lake,
            events=self._store,
            clock=self._clock,
            seal_interval=seal_interval,
        )

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
        spec = self._declared.spec(self.project, endpoint)
        live = self._live(spec)
        return windows(
            self.reader.joined(self.project, endpoint, start=start, end=end, as_of=as_of),
            self._output(spec, live),
            every=every,
            version=version,
            reference=self._reference(live),
            maturity_s=spec.label_maturity_s,
            now=as_of or self._clock.now(),
            zone=zone,
        )

    def status(self, endpoint: str, *, every: str = "day", last: int | None = None) -> EndpointStatus:
        """An endpoint's windows beside the figures its live version had when it was evaluated."""
        found = self.windows(endpoint, every=every)
        spec = self._declared.spec(self.project, endpoint)
        live = self._live(spec)
        traffic = self._declared.resolve(spec)
        roles = {True: "live", False: "canary"}
        return endpoint_status(
            endpoint,
            task=self._output(spec, live).task,
            versions=[
                Share(each.version, each.weight, roles[each.version == traffic.live]) for each in traffic.members
            ],
            windows=found[-last:] if last else found,
            reference=self._reference(live),
            project=self.project,
        )

    def segments(self) -> list[SegmentRef]:
        """Journal segments that are not in the lake yet, of all projects."""
        return self._segments.segments()

    def counts(self, endpoint: str) -> Counts:
        """How much the journal holds of an endpoint."""
        return self.reader.counts(self.project, endpoint)

    def training_set(
        self, endpoint: str, *, as_of: Micros, start: Micros | None = None, end: Micros | None = None
    ) -> TrainingSet:
        """Features and labels as they were known at `as_of`; see ``journal.training.training_set``."""
        maturity = self._declared.spec(self.project, endpoint).label_maturity_s
        return training_set(self.reader, self.project, endpoint, as_of=as_of, start=start, end=end, maturity_s=maturity)

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


def open_home(home: str | Path, *, project: str = DEFAULT_PROJECT) -> Headgate:
    """The installation in directory `home`, made if it is not there.

    Raises NewerSchema when a newer Headgate wrote it.
    """
    return Headgate(create_home(Path(home)), project=project)


def running_client(home: Path, url: str | None, project: str) -> Client:
    """A client of the gateway at `url`, or of the home's own gateways.

    Raises Unavailable when there is no `url` and `headgate up` was never started on this home.
    """
    url = url or gateway_address(Home(home))
    if url is None:
        raise Unavailable(f"nothing serves {home}: start `headgate up --home {home}`, or name a gateway with --url")
    return Client(url, project=project)


def draft(reference: Any, *, endpoint: str, model: str, label: str | None) -> str:
    """A commented ``endpoint.yaml`` inferred from reference rows."""
    name = str(reference) if isinstance(reference, str | Path) else "the reference rows"
    return draft_endpoint(infer(reference, label=label), endpoint=endpoint, model=model, reference_name=name)


def model_of(version: str) -> str:
    """The model's name in ``model``, ``model:3`` or ``model@champion``.

    >>> model_of("late:3"), model_of("late@champion"), model_of("late")
    ('late', 'late', 'late')
    """
    return version.replace("@", ":").partition(":")[0]


def _project(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BadInput("project", "name", f"must match {NAME_RULE}")
    return name


def _text_of(path: Path) -> str:
    """What an operator's file says. Raises NotFound, or BadConfiguration naming the file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("file", str(path)) from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(str(path), "is not UTF-8 text") from error
    except OSError as error:
        raise BadConfiguration(str(path), f"cannot be read: {(error.strerror or '').lower()}") from error


def _spec(spec: EndpointSpec | str | Path) -> EndpointSpec:
    if isinstance(spec, EndpointSpec):
        return spec
    if isinstance(spec, Path):
        return load_endpoint(_text_of(spec), str(spec))
    return load_endpoint(spec, "endpoint")


def _actor() -> str:
    """Who is at the keyboard, for the history."""
    return getpass.getuser()
