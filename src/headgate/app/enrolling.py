"""What a run has learned becomes a version: registered as anybody's model, once, and never by accident live."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.app.rolling import BY
from headgate.controller.declared import Declared
from headgate.errors import BadConfiguration, BadInput
from headgate.registry.ports import EndpointStore
from headgate.registry.register import Registration, register
from headgate.registry.registry import Registry
from headgate.retraining.run import Cutting, Run
from headgate.runtimes.predictor import predict_with
from headgate.traffic.endpoint import EndpointSpec, dump_endpoint

REFERENCE_ROWS: Final = 20_000
"""Rows of the training set that a version is registered with; packages keep a sample of these."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`headgate.retraining.ports.Registrar` on one registry."""

    declared: Declared
    endpoints: EndpointStore
    registry: Registry
    datasets: Path
    runs: Path

    def register(self, run: Run, spec: EndpointSpec) -> str:
        """The version that was made of what the run has learned.

        Where it was registered already it is found by its code, which names the run. The champion's contract is kept,
        so that callers of it notice nothing. Raises BadInput or BadConfiguration for a model of another kind.
        """
        if run.cut is None or run.learned is None:
            raise BadInput("run", "missing", f"run {run.id} has learned nothing")
        champion = self.registry.resolve(run.champion, project=run.project)
        code = f"run {run.id}"
        there = [each for each in self.registry.versions(champion.model, project=run.project) if each.code == code]
        if there:
            return there[-1].ref
        pin(self.declared, self.endpoints, (run.project, run.endpoint), run.champion)
        contract = self.registry.package(champion).contract
        asked = Registration(
            name=champion.model,
            label=contract.output.label,
            contract=contract,
            parent=champion.ref,
            code=code,
            why=run.firings[0].why[:500],
            actor=BY,
            trust=self._trusts(spec),
            project=run.project,
        )
        model = self.runs / run.id / run.learned.model
        rows = reference(self.datasets, run.cut, contract.names, contract.output.label)
        return register(self.registry, predict_with, model, rows, asked).version.ref

    def _trusts(self, spec: EndpointSpec) -> bool:
        return spec.retraining is not None and spec.retraining.recipe.trust


def pin(declared: Declared, endpoints: EndpointStore, where: tuple[str, str], champion: str) -> None:
    """Have an endpoint's file name the champion by number, where a newer version would be live by being the newest.

    `where` is its project and its name.
    """
    text, spec = declared.file(*where)
    if ":" not in spec.model and "@" not in spec.model:
        endpoints.put_endpoint(*where, dump_endpoint(msgspec.structs.replace(spec, model=champion)), text)


def reference(datasets: Path, cut: Cutting, names: Any, label: str) -> pa.Table:
    """The newest rows of a training set as the registry takes them, its label under the contract's name."""
    path = datasets / cut.digest.partition(":")[2] / "rows.parquet"
    try:
        table = pq.read_table(path, columns=[*names, "label"])
    except (OSError, pa.ArrowException) as error:
        raise BadConfiguration(str(path), f"the training set of the run cannot be read: {error}") from error
    return table.slice(max(0, len(table) - REFERENCE_ROWS)).rename_columns([*names, label])
