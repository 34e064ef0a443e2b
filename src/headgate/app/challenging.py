"""What a run has made is held against the champion before it may answer anybody, and watched once it does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headgate import durability
from headgate.app.proving import Proving
from headgate.app.rolling import BY
from headgate.errors import BadInput, NotFound
from headgate.evaluation.report import from_json
from headgate.registry.evaluate import evaluate_version
from headgate.retraining.datasets.dataset import AT, INPUT_ID, ROWS_FILE
from headgate.retraining.proof.probation import Probated, probation_of
from headgate.retraining.proof.report import as_markdown
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Proof
from headgate.retraining.run import Probed, Proved, Run
from headgate.runtimes.predictor import predict_with
from headgate.settings import Home
from headgate.store import atomic
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import Promote
from headgate.vocabulary import DAY, Micros

REFERENCE_ROWS: Final = 1_000
"""Rows a version has to be measured on before its losses can be watched."""
PROOF: Final = "proof.json"
REPORT: Final = "proof.md"


@dataclass(frozen=True, slots=True)
class Challenges:
    """`headgate.retraining.ports.Prover` and `Prober` of one home."""

    proving: Proving
    home: Home

    def prove(self, run: Run, spec: EndpointSpec) -> Proved:
        """The challenger on the rows that were kept from it, and on those whose labels came since."""
        if run.cut is None or spec.retraining is None:
            raise BadInput("run", "missing", f"run {run.id} has no training set to prove anything beside")
        terms = Terms(gates=tuple(spec.retraining.gates), fairness=tuple(spec.monitors.groups))
        proof = self.proving.prove(
            run.challenger,
            against=run.champion,
            endpoint=run.endpoint,
            since=run.cut.end,
            as_of=run.entered,
            terms=terms,
            learned=self._learned(run),
        )
        self._write(run, PROOF, msgspec.json.format(msgspec.json.encode(proof)))
        self._write(run, REPORT, as_markdown(proof).encode())
        asks = spec.retraining.promote is Promote.ASK
        return Proved(
            outcome=proof.outcome.value,
            may_promote=proof.may_promote or (asks and proof.passed),
            superior=proof.superior,
            why=proof.why,
            error_rate=proof.error_rate,
            rows=proof.rows,
            at=run.entered,
        )

    def known(self, run: Run, spec: EndpointSpec, now: Micros) -> int:
        """Labelled rows since its cut that are due now."""
        version = self.proving.registry.resolve(run.challenger, project=run.project)
        label = self.proving.registry.package(version).contract.output.label
        since = None if run.cut is None else run.cut.end
        return len(self.proving.recent(run.endpoint, label, since=since, as_of=now))

    def probe(self, run: Run, spec: EndpointSpec, now: Micros) -> Probed:
        """The promoted version beside the shadow of the one before, by all labels known now."""
        probation, proof = probation_of(run, spec), self._proof(run)
        trial = self.proving.probe(run.endpoint, probation, proof, now)
        if trial.pairs >= REFERENCE_ROWS:
            self._measured_again(run)
        over = trial.verdict is Probated.KEEP or (trial.verdict is Probated.UNDECIDED and now >= probation.due + DAY)
        if over:
            self.proving.settle(proof, promoted=True)
        return Probed(verdict=trial.verdict.value, why=trial.why, rows=trial.pairs, at=now, over=over)

    def _measured_again(self, run: Run) -> None:
        """Measure a version once on more rows that was proved on few: monitors compare with what was measured."""
        registry = self.proving.registry
        version = registry.resolve(run.challenger, project=run.project)
        evaluations = registry.evaluations(version)
        if run.cut is None or (evaluations and from_json(evaluations[-1].report).rows >= REFERENCE_ROWS):
            return
        label = registry.package(version).contract.output.label
        rows = self.proving.recent(run.endpoint, label, since=run.cut.end)
        evaluate_version(registry, predict_with, version, rows, actor=BY)

    def _learned(self, run: Run) -> frozenset[str]:
        """Inputs it learned from that could be among those it is proved on: none, if sets are cut as they should be."""
        assert run.cut is not None  # noqa: S101 - callers look first
        path = self.home.datasets / run.cut.digest.partition(":")[2] / ROWS_FILE
        table = pq.read_table(path, columns=[INPUT_ID, AT])
        late = pc.fill_null(pc.greater_equal(table[AT].cast("int64"), int(run.cut.end)), False)
        return frozenset(table.filter(late)[INPUT_ID].drop_null().to_pylist())

    def _proof(self, run: Run) -> Proof:
        path = self._folder(run) / PROOF
        try:
            return msgspec.json.decode(path.read_bytes(), type=Proof)
        except FileNotFoundError as error:
            raise NotFound("proof of run", run.id, f"{path} is gone") from error

    def _write(self, run: Run, name: str, content: bytes) -> None:
        folder = self._folder(run)
        durability.make_folder(folder)
        atomic.write_file(folder / name, content)

    def _folder(self, run: Run) -> Path:
        return self.home.runs / run.id
