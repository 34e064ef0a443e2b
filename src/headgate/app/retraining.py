"""How models learn again, as operators ask and as the controller does; one method per word of the command line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final
from uuid import uuid4

from headgate.alerts.alert import Alert
from headgate.app.challenging import Challenges
from headgate.app.enrolling import Enrolled
from headgate.app.learning import Cuts, Learns, progress_of
from headgate.app.orders import ordered
from headgate.app.proving import Proving
from headgate.app.rolling import BY, Rolls
from headgate.app.rollouts import Rollouts
from headgate.clock import Clock
from headgate.controller.reconcile import Controller
from headgate.controller.retraining import Retraining, Sources
from headgate.errors import BadConfiguration, Conflict, NotFound
from headgate.monitors.watch.days import day_of
from headgate.retraining.ports import Parts, Progress
from headgate.retraining.run import Call, Run, Source, Stage
from headgate.retraining.trigger import Facts, counts_labels
from headgate.settings import Home
from headgate.store.sql import SqlStore
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import Micros

LONGEST_WHY: Final = 500
"""Characters of a reason that are kept."""


@dataclass(frozen=True, slots=True)
class Retrainings:
    """The runs of one project's endpoints."""

    project: str
    home: Home
    store: SqlStore
    rollouts: Rollouts
    controller: Controller
    clock: Clock
    actor: str
    """Who orders."""

    def by(self, who: str) -> "Retrainings":
        """The same, on the word of `who`."""
        return replace(self, actor=who)

    def start(self, endpoint: str, why: str = "") -> Run:
        """Begin a run, whatever cooldown, budget and quiet hours say; or the one that goes on, with this noted on it.

        The controller moves it on. Raises NotFound, BadConfiguration where the endpoint's file has no ``retraining``.
        """
        self.tell(endpoint, Source.PERSON, why or f"{self.actor} said so")
        runs = self.runs(endpoint)
        if not runs or runs[-1].ended:
            self.loop().turn(only=(self.project, endpoint), begins=True)
        return self.runs(endpoint)[-1]

    def tell(self, endpoint: str, source: Source, why: str = "", key: str = "") -> bool:
        """Say that it may be time to learn again; whether that is news: under one `key` it is once."""
        self._words(endpoint)
        call = Call(
            project=self.project,
            endpoint=endpoint,
            source=source,
            at=self.clock.now(),
            why=why[:LONGEST_WHY] or f"{self.actor} said so",
            who=self.actor,
            key=key or uuid4().hex,
        )
        return self.store.add_call(call)

    def runs(self, endpoint: str | None = None) -> list[Run]:
        """Every run of an endpoint, or of all of the project's, the oldest first."""
        if endpoint is not None:
            self.rollouts.declared.spec(self.project, endpoint)
        return self.store.runs(self.project, endpoint)

    def status(self, endpoint: str) -> Run:
        """The endpoint's newest run. Raises NotFound where it never had one."""
        runs = self.runs(endpoint)
        if not runs:
            raise NotFound("run of", endpoint, f"`headgate retrain {endpoint}` begins one")
        return runs[-1]

    def cancel(self, endpoint: str, why: str = "") -> Run:
        """Have the newest run end: its recipe is ended and its rollout aborted. Raises Conflict where it has ended."""

        def give(run: Run) -> None:
            if run.ended:
                raise Conflict(f"run {run.number} of '{endpoint}' has ended: {run.why}")
            self.store.keep_run(run.with_(cancelled=why or f"{self.actor} said so"), run.revision)

        ordered(lambda: self.status(endpoint), give)
        self.loop().turn(only=(self.project, endpoint))
        return self.status(endpoint)

    def progress(self, endpoint: str) -> Progress | None:
        """How far the recipe of the newest run is; None in any other stage."""
        run = self.status(endpoint)
        return progress_of(self.home, run) if run.stage is Stage.LEARNING else None

    def log(self, endpoint: str) -> str:
        """What the recipe of the newest run has printed."""
        return self.parts(self.project).learner.log(self.status(endpoint))

    def loop(self) -> Retraining:
        """The loop that moves runs on."""
        return Retraining(self.sources, self.store, cache(self.parts), self.clock, moved=self.controller.reconcile)

    @property
    def sources(self) -> Sources:
        """Where the loop's observations come from."""
        return Sources(self.rollouts.declared.specs, self._live, self._facts)

    def parts(self, project: str) -> Parts:
        """Whoever does the work of each stage for the endpoints of a project."""
        rollouts, home = replace(self.rollouts, project=project), self.home
        declared, registry = rollouts.declared, rollouts.registry
        reader = rollouts.reader
        enrolled = Enrolled(declared, self.store, registry, home.datasets, home.runs)
        proving = Proving(project, registry, reader, declared, self.clock, BY)
        challenges = Challenges(proving, home)
        rolls = Rolls(rollouts, registry)
        return Parts(
            Cuts(home, self.store, declared, registry, reader), Learns(home), enrolled, challenges, rolls, challenges
        )

    def _words(self, endpoint: str) -> EndpointSpec:
        spec = self.rollouts.declared.spec(self.project, endpoint)
        if spec.retraining is None:
            raise BadConfiguration(f"endpoint {endpoint}", "says nothing of how to learn again; add retraining: {}")
        return spec

    def _live(self, spec: EndpointSpec) -> str:
        return self.rollouts.registry.resolve(spec.model, project=spec.project).ref

    def _facts(self, spec: EndpointSpec, runs: Sequence[Run], now: Micros) -> Facts:
        where, words = (spec.project, spec.endpoint), spec.retraining or RetrainingWords()
        alerts: list[Alert] = self.store.alerts(*where, standing=True)
        watch = None if runs else self.store.watch(*where)
        began = now if watch is None else watch.began
        cuts = [each.cut for each in runs if each.cut is not None]
        since = min(cuts[-1].end, cuts[-1].change or cuts[-1].end) if cuts else began
        # A year of days is much to read at every look: only where something is counted.
        counted = bool(cuts) or counts_labels(words.condition)
        return Facts(
            now=now,
            live=self._live(spec),
            zone=words.zone,
            alerts=alerts,
            diagnoses=self.store.diagnoses(*where) if alerts else [],
            days=self.store.watched_days(*where, day_of(since)) if counted else [],
            calls=self.store.calls(*where, runs[-1].fired if runs else Micros(0)),
            runs=runs,
            began=began,
        )
