"""A project's pipelines: their runs, and the hands that learn, prove and roll out what they prepared."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.app.enrolling import pin
from headgate.app.learning import recipe_of
from headgate.app.proving import Proving
from headgate.app.rolling import plan_text
from headgate.app.rollouts import Rollouts
from headgate.clock import Clock
from headgate.contracts.contract import Contract
from headgate.errors import BadConfiguration, BadInput, NotFound, RuntimeFailed
from headgate.evaluation.gates import Outcome
from headgate.pipelines.keeping import HELD
from headgate.pipelines.pipelinefile import PipelineFile, StepName, open_pipeline
from headgate.pipelines.ports import Asked, Proved, Told
from headgate.pipelines.quality import Quality
from headgate.pipelines.run import Runner, read_quality
from headgate.pipelines.state import Kept, Run, State
from headgate.pipelines.whole import write_whole
from headgate.registry.ports import EndpointStore, Version
from headgate.registry.register import Registration, register
from headgate.registry.registry import Registry
from headgate.retraining.datasets.dataset import LABEL, ROWS_FILE, VALUE_FILE, Dataset
from headgate.retraining.proof.report import as_markdown
from headgate.retraining.proof.terms import Terms
from headgate.retraining.recipes.recipe import Learned, RecipeKind, RecipeState, check
from headgate.retraining.recipes.workshop import Workshop
from headgate.runtimes.predictor import predict_with
from headgate.settings import Home
from headgate.store.home import require_writable
from headgate.traffic.endpoint import EndpointSpec

REPORT: Final = "report.md"
"""The proof of a run, in its folder: a report a pull request can carry."""
BY: Final = "pipeline"
"""Who orders what a pipeline wants done."""
REFERENCE_ROWS: Final = 20_000
"""Rows of the training set that a version is registered with; packages keep a sample of these."""
_LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The pipelines of one project, each in a file of its own that anybody keeps anywhere."""

    project: str
    home: Home
    hands: "Works"
    clock: Clock

    @classmethod
    def of(
        cls, home: Home, endpoints: EndpointStore, proving: Proving, rollouts: Rollouts, clock: Clock
    ) -> "Pipelines":
        """Those of the project whose rollouts these are."""
        return cls(rollouts.project, home, Works(home, rollouts.registry, endpoints, rollouts, proving), clock)

    def run(
        self,
        path: str | Path,
        *,
        run: str | None = None,
        step: StepName | None = None,
        since: StepName | None = None,
        fresh: bool = False,
        reload: Sequence[str] = (),
        told: Told = lambda _what, _done: None,
    ) -> Run:
        """Run the pipeline in the file at `path`, or go on with what is left; see ``pipelines.run.Runner.run``."""
        require_writable(self.home)
        file = self._open(path)
        runner = Runner(
            file, self.kept(file), datasets=self.home.datasets, hands=self.hands, clock=self.clock, told=told
        )
        return runner.run(run=run, step=step, since=since, fresh=fresh, reload=reload)

    def runs(self, path: str | Path) -> list[Run]:
        """Every run of the pipeline in that file, oldest first."""
        return self.kept(self._open(path)).runs()

    def state(self, path: str | Path) -> State:
        """What is kept of its sources, and how far they were read."""
        return self.kept(self._open(path)).state()

    def quality(self, path: str | Path, run: str) -> list[Quality]:
        """What the new rows of a run were like."""
        return read_quality(self.kept(self._open(path)), run)

    def folder(self, path: str | Path, run: str) -> Path:
        """Where the files of a run are: ``transform.json`` for serving, ``report.md`` for people."""
        return self.kept(self._open(path)).run_folder(run)

    def proof(self, path: str | Path, run: str) -> str | None:
        """The proof of a run's version as Markdown; None where it did not come as far."""
        report = self.folder(path, run) / REPORT
        return report.read_text(encoding="utf-8") if report.is_file() else None

    def kept(self, file: PipelineFile) -> Kept:
        """The folder of a pipeline in this home."""
        return Kept(self.home.root / "pipelines" / file.said.project / file.said.pipeline)

    def _open(self, path: str | Path) -> PipelineFile:
        file = open_pipeline(Path(path))
        if file.said.project != self.project:
            raise file.wrong("project", f"is another than {self.project}; name it with --project {file.said.project}")
        return file


@dataclass(frozen=True, slots=True)
class Works:
    """`headgate.pipelines.ports.Hands` on one home."""

    home: Home
    registry: Registry
    endpoints: EndpointStore
    rollouts: Rollouts
    proving: Proving

    def see(self, file: PipelineFile) -> None:
        """Look whether recipe and endpoint are there."""
        said = file.said
        if said.recipe is not None:
            check(recipe_of(said.recipe), file.folder)
        if said.rollout is not None and said.endpoint is not None:
            self.rollouts.declared.spec(said.project, said.endpoint)

    def learn(self, asked: Asked, told: Told) -> str:
        """The version that this run's recipe leads to; a second call finds it, or takes the recipe up."""
        said, code = asked.file.said, f"pipeline {asked.file.said.pipeline} run {asked.run}"
        model = said.model or said.endpoint or ""
        for each in self.registry.versions(model, project=said.project):
            if each.code == code:
                return each.ref
        model_file = self.home.runs / _run_id(asked) / self._run_recipe(asked, told).model
        champion = self._champion(asked)
        contract = None if champion is None else self._contract(champion, asked)
        rows, label = self._reference(asked, contract)
        if said.endpoint is not None and champion is not None:
            pin(self.rollouts.declared, self.endpoints, (said.project, said.endpoint), champion.ref)
        asked_for = Registration(
            name=model, label=label, contract=contract, parent=None if champion is None else champion.ref, code=code,
            why=f"pipeline {said.pipeline} learned from {rows.num_rows:,} rows", actor=BY,
            trust=recipe_of(said.recipe).kind is not RecipeKind.AUTOML if said.recipe else False, project=said.project,
        )  # fmt: skip
        done = register(self.registry, predict_with, model_file, rows, asked_for)
        return done.version.ref

    def _run_recipe(self, asked: Asked, told: Told) -> Learned:
        """Wait for the recipe; one that failed at an earlier try is taken up at its checkpoint."""
        words = asked.file.said.recipe
        if words is None:
            raise BadInput("recipe", "missing", "the pipeline has none")
        workshop, run = Workshop(self.home.runs, asked.file.folder), _run_id(asked)
        standing = workshop.start(run, recipe_of(words), asked.dataset)
        if standing.state in (RecipeState.FAILED, RecipeState.CANCELLED):
            standing = workshop.resume(run)
        try:
            while not standing.ended:
                told(f"learn: {standing.step}" if standing.step else "learn", standing.done)
                time.sleep(_LOOK_S)
                standing = workshop.look(run)
        except KeyboardInterrupt:
            workshop.cancel(run)
            raise
        if standing.learned is not None:
            return standing.learned
        if standing.lost:
            raise RuntimeFailed(f"the recipe {standing.why}")
        raise BadInput(
            "recipe", standing.state.value, f"{standing.why}; its log is in {workshop.folder(run) / 'log.txt'}"
        )

    def _champion(self, asked: Asked) -> Version | None:
        """What is live where the pipeline's endpoint is there; else the model's champion, if it has one."""
        said = asked.file.said
        try:
            if said.endpoint is not None:
                spec = self.rollouts.declared.spec(said.project, said.endpoint)
                return self.registry.resolve(spec.model, project=said.project)
        except NotFound:
            pass  # the endpoint is made later, from what is learned now
        return self.registry.champion(said.model or said.endpoint or "", project=said.project)

    def _contract(self, champion: Version, asked: Asked) -> Contract | None:
        """The champion's own contract where the features are the same, so that callers notice nothing."""
        contract = self.registry.package(champion).contract
        features = msgspec.json.decode((asked.dataset / VALUE_FILE).read_bytes(), type=Dataset).features
        return contract if set(contract.names) == set(features) else None

    def _reference(self, asked: Asked, contract: Contract | None) -> tuple[pa.Table, str]:
        """The newest rows learned from, as the registry takes them."""
        label = asked.file.said.label if contract is None else contract.output.label
        dataset = msgspec.json.decode((asked.dataset / VALUE_FILE).read_bytes(), type=Dataset)
        table = pq.read_table(asked.dataset / ROWS_FILE, columns=[*dataset.features, LABEL])
        return table.slice(max(0, len(table) - REFERENCE_ROWS)).rename_columns([*dataset.features, label]), label

    def prove(self, asked: Asked, version: str) -> Proved:
        """Hold it against the live version on the rows that nothing learned from."""
        said = asked.file.said
        table = pq.read_table(asked.folder / HELD)
        label = self.registry.package(self.registry.resolve(version, project=said.project)).contract.output.label
        table = table.rename_columns([label if each == said.label else each for each in table.column_names])
        rival = self._rival(asked, version)
        proof = self.proving.prove(version, against=rival, rows=table, terms=Terms(gates=tuple(said.gates)))
        report = asked.folder / REPORT
        write_whole(report, lambda path: path.write_text(as_markdown(proof), encoding="utf-8"))
        passed = proof.outcome is Outcome.PASSED if proof.champion is None else proof.may_promote
        return Proved(passed, f"{proof.outcome}: {proof.why}", report)

    def _rival(self, asked: Asked, version: str) -> str | None:
        champion = self._champion(asked)
        return None if champion is None or champion.ref == version else champion.ref

    def roll_out(self, asked: Asked, version: str) -> str:
        """Begin its rollout, or find the one that was begun for it."""
        said = asked.file.said
        spec = self._spec(asked)
        there = [each for each in self.rollouts.history(spec.endpoint) if each.plan.candidate == version]
        if not there:
            live = self.registry.resolve(spec.model, project=said.project)
            output = self.rollouts.declared.contract(spec, live).output
            why = f"pipeline {said.pipeline}, run {asked.run}"
            plan = plan_text(spec, version, said.rollout or {}, output, why)
            there = [self.rollouts.by(BY).deploy(plan, endpoint=spec.endpoint)]
        return f"rollout {there[-1].number} of {spec.endpoint} began with {version}; the controller moves it on"

    def _spec(self, asked: Asked) -> EndpointSpec:
        endpoint = asked.file.said.endpoint
        if endpoint is None:
            raise BadConfiguration("rollout", "needs an endpoint:")
        return self.rollouts.declared.spec(asked.file.said.project, endpoint)


def _run_id(asked: Asked) -> str:
    """One training set of one run; `--from transform` may lead to another one."""
    said = asked.file.said
    return f"pipeline.{said.project}.{said.pipeline}.{asked.dataset.name[:8]}.{asked.run}"[:128]
