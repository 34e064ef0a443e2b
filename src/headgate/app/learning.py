"""What a run learns from and how: training sets from the journal, recipes in a workshop of the home."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from headgate.alerts.alert import Alert
from headgate.app.sources import sources_of
from headgate.contracts.tables import as_table
from headgate.controller.declared import Declared
from headgate.errors import BadConfiguration, BadInput, Conflict, HeadgateError, NotFound, Unavailable
from headgate.journal.reader import Reader
from headgate.monitors.attribution.kinds import Drift
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.registry.packages import REFERENCE
from headgate.registry.registry import Registry
from headgate.retraining.datasets.cut import cut_dataset
from headgate.retraining.datasets.dataset import WindowChoice
from headgate.retraining.datasets.wanted import Known, Least, Wanted
from headgate.retraining.ports import Doing, Progress
from headgate.retraining.recipes.folder import RunFolder
from headgate.retraining.recipes.recipe import Limits, Recipe, RecipeKind, RecipeState, Standing
from headgate.retraining.recipes.workshop import Workshop
from headgate.retraining.run import Cutting, Learning, Run, Source
from headgate.settings import Home
from headgate.store.sql import SqlStore
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RecipeWords, RetrainingWords
from headgate.vocabulary import DAY, Micros

HELD_OUT: Final = 1 / 3
"""Share of a window's newest rows that a challenger is proved on instead of learning from them."""
HELD_OUT_MOST: Final = 2_000
LEAST: Final = Least(rows=400)
"""Of these and half as many more a proof has enough as well."""
RESUMED: Final = 3
"""How often a recipe whose process was lost is taken up again."""
_WAITS: Final = frozenset({Source.ALARM, Source.AGAIN})
"""Whose runs wait for rows: the world has just changed, and there are few of the new one yet."""
_DOING: Final = {
    RecipeState.WAITING: Doing.RUNNING,
    RecipeState.RUNNING: Doing.RUNNING,
    RecipeState.LEARNED: Doing.LEARNED,
    RecipeState.FAILED: Doing.FAILED,
    RecipeState.CANCELLED: Doing.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Cuts:
    """`headgate.retraining.ports.Cutter` on the journal of a home."""

    home: Home
    store: SqlStore
    declared: Declared
    registry: Registry
    reader: Reader

    def cut(self, run: Run, spec: EndpointSpec, now: Micros, enough: Callable[[], None]) -> Cutting:
        """The rows a run learns from, those left out that it is proved on."""
        words, change = _words(spec), self._change(run)
        champion = self.registry.resolve(run.champion, project=run.project)
        days = words.recent_days
        wanted = Wanted(
            project=run.project,
            endpoint=run.endpoint,
            contract=self.registry.package(champion).contract,
            as_of=now,
            maturity_s=spec.label_maturity_s,
            window=WindowChoice.RECENT if days is not None else WindowChoice(words.window),
            recent_days=days,
            change=None if change is None else change.at,
            known=Known.DIAGNOSED if change is None else change.known,
            champion=champion.ref,
            least=LEAST,
            held_out=HELD_OUT,
            held_out_most=HELD_OUT_MOST,
            seed=words.recipe.seed,
        )
        try:
            original = self._original(run, words)
            made = cut_dataset(self.reader, wanted, self.home.datasets, original, enough=enough)
        except BadInput as error:
            if error.rule == "too_few" and run.firings[0].source in _WAITS:
                raise Unavailable(f"{error}; it is waited for more") from error
            raise
        return Cutting(
            digest=made.digest,
            choice=made.cut.choice.value,
            why=made.cut.why,
            as_of=made.cut.as_of,
            start=made.cut.start,
            end=now if made.cut.end is None else made.cut.end,
            change=made.cut.change,
            rows=made.rows,
            original_rows=made.original_rows,
            leaked=made.leaked,
        )

    def _change(self, run: Run) -> "Changed | None":
        """About when the world changed: by the alarms that fired, their diagnosis, or an earlier run that knew."""
        earlier = [each.cut.change for each in self.store.runs(run.project, run.endpoint) if each.cut is not None]
        known = next((Changed(each, Known.LOCATED) for each in reversed(earlier) if each is not None), None)
        keys = {each.key for each in run.firings if each.source is Source.ALARM}
        alerts = [each for each in self.store.alerts(run.project, run.endpoint) if each.id in keys]
        found = changed(alerts, self.store.diagnoses(run.project, run.endpoint))
        return known if found is None else found

    def _original(self, run: Run, words: RetrainingWords) -> pa.Table | None:
        """The rows that the first version was registered with, or those of a file that is named instead."""
        if words.original is False:
            return None
        if isinstance(words.original, str):
            return as_table(sources_of(self.home, run.project, run.endpoint) / words.original)
        first = self.registry.lineage(self.registry.resolve(run.champion, project=run.project))[-1]
        package = self.registry.package(first)
        path, label = package.path / REFERENCE, package.contract.output.label
        if not path.is_file() or label not in pq.read_schema(path).names:
            return None
        return pq.read_table(path)


@dataclass(frozen=True, slots=True)
class Changed:
    """When the world changed, and how well that is known."""

    at: Micros
    known: Known


def changed(alerts: Sequence[Alert], diagnoses: Sequence[Diagnosed]) -> Changed | None:
    """What these alerts speak of; None without any, or where their diagnosis is that nothing but inputs moved."""
    found = []
    for alert in alerts:
        diagnosed = next((each for each in reversed(diagnoses) if alert.id in each.alerts), None)
        if diagnosed is None or diagnosed.last is None:
            found.append(Changed(Micros(alert.raised // DAY * DAY), Known.SUSPECTED))
        elif diagnosed.last.drift is not Drift.DATA:
            surely = diagnosed.last.drift in (Drift.CONCEPT, Drift.BOTH)
            at = diagnosed.last.course.began or diagnosed.began
            found.append(Changed(at, Known.DIAGNOSED if surely else Known.SUSPECTED))
    return min(found, key=lambda each: (each.known is Known.SUSPECTED, each.at), default=None)


@dataclass(frozen=True, slots=True)
class Learns:
    """`headgate.retraining.ports.Learner` in the workshop of a home."""

    home: Home
    _workshops: dict[tuple[str, str], Workshop] = field(default_factory=dict)
    _resumed: dict[str, int] = field(default_factory=dict)

    def prepare(self, run: Run, spec: EndpointSpec) -> None:
        """Begin the recipe's process while its training set is cut."""
        with suppress(HeadgateError):  # what is wrong with the recipe is said by `learn`, of a run that has data
            self._workshop(run).prepare(run.id, recipe_of(_words(spec).recipe))

    def learn(self, run: Run, spec: EndpointSpec) -> Progress:
        """Begin the recipe, take up one whose process was lost, or say how far it is."""
        if run.cut is None:
            raise BadInput("run", "missing", f"run {run.id} has no training set")
        workshop, dataset = self._workshop(run), self.home.datasets / run.cut.digest.partition(":")[2]
        try:
            standing = workshop.start(run.id, recipe_of(_words(spec).recipe), dataset)
        except Conflict:  # the file was edited meanwhile; this run goes on with what it began with
            standing = workshop.look(run.id)
        if standing.lost and self._resumed.get(run.id, 0) < RESUMED:
            self._resumed[run.id] = self._resumed.get(run.id, 0) + 1
            standing = workshop.resume(run.id)
        return _progress(standing)

    def cancel(self, run: Run) -> None:
        """End its processes, if any was begun."""
        try:
            self._workshop(run).cancel(run.id)
        except NotFound:
            return

    def log(self, run: Run) -> str:
        """What it printed; empty before it began."""
        try:
            return self._workshop(run).log(run.id)
        except NotFound:
            return ""

    def _workshop(self, run: Run) -> Workshop:
        where = run.project, run.endpoint
        if where not in self._workshops:
            self._workshops[where] = Workshop(self.home.runs, sources_of(self.home, *where))
        return self._workshops[where]


def progress_of(home: Home, run: Run) -> Progress | None:
    """How far the recipe of a run is, whoever watches over it; None before it has begun."""
    standing = RunFolder(home.runs / run.id).standing()
    return None if standing is None else _progress(standing)


def recipe_of(words: RecipeWords) -> Recipe:
    """The recipe that an endpoint's file describes.

    >>> recipe_of(RecipeWords(python="learn.py:train")).kind.value
    'python'
    """
    said = words.limits
    limits = Limits(seconds=said.seconds, memory_mb=said.memory_mb, disk_mb=said.disk_mb, threads=said.threads)
    kind, source, parameters = RecipeKind.AUTOML, "", dict(words.parameters)
    if words.python is not None:
        kind, source = RecipeKind.PYTHON, words.python
    elif words.command is not None:
        kind, source = RecipeKind.COMMAND, words.command
    elif words.notebook is not None:
        kind, source = RecipeKind.NOTEBOOK, words.notebook
    elif words.search is not None:
        parameters["budget"] = words.search.budget
    return Recipe(kind, source, parameters, limits, words.seed, words.trust)


def _progress(standing: Standing) -> Progress:
    made = standing.learned
    learned = None
    if made is not None:
        learned = Learning(
            model=made.model,
            metrics=made.metrics,
            parameters=made.parameters,
            environment=made.environment,
            code=made.code,
            seconds=made.seconds,
            peak_mb=made.peak_mb,
        )
    return Progress(
        doing=_DOING[standing.state],
        step=standing.step,
        done=standing.done,
        seconds=standing.seconds,
        why=standing.why,
        learned=learned,
    )


def _words(spec: EndpointSpec) -> RetrainingWords:
    if spec.retraining is None:
        raise BadConfiguration(f"endpoint {spec.endpoint}", "says nothing of how to learn again; add retraining: {}")
    return spec.retraining
