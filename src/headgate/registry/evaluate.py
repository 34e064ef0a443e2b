"""Measures a version on labelled rows and keeps the record: what `proved` and the router's refusal rest on.

The app and ``headgate evaluate`` call it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract, OnBreak
from headgate.errors import BadInput, Conflict
from headgate.evaluation.report import Answers, Report, evaluate
from headgate.evaluation.rows import Rows, labelled
from headgate.events import EventKind
from headgate.registry import native
from headgate.registry.evaluated import evaluated_bytes
from headgate.registry.ports import Evaluation, Runner, Version
from headgate.registry.reference import refuse_strange_labels
from headgate.registry.registry import Registry
from headgate.vocabulary import Digest


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A version measured."""

    evaluation: Evaluation
    """As the registry keeps it."""
    report: Report
    champion: str | None
    """The version it was compared with on the same rows, if any."""


def evaluate_version(
    registry: Registry,
    runner: Runner,
    version: Version,
    table: pa.Table,
    *,
    gates: Sequence[str] = (),
    slices: Sequence[str] = (),
    champion: Version | None = None,
    actor: str = "",
) -> Evaluated:
    """Measure `version` on the labelled rows of `table`, judge its gates, and keep the evaluation.

    `slices` name columns of the table, whether the model reads them or not. The rival is `champion`, or whichever
    version ``model@champion`` speaks of, asked on the same rows; a version is never its own rival. Rows without a
    label are left out and counted.

    Raises BadInput naming a column that is not there, a gate that cannot be read, or a table without labels;
    Conflict when the champion answers another question.
    """
    package = registry.package(version)
    output = package.contract.output
    if output.label not in table.column_names:
        message = f"the rows have no such column, where {version.ref} expects the truth; name the column so"
        raise BadInput(output.label, "missing", message)
    labels = native.column(table, output.label).to_pylist()
    if all(each is None for each in labels):
        raise BadInput(output.label, "empty", "no row has a label, so there is nothing to measure against")
    refuse_strange_labels(table[output.label], output.label, output.task, output.classes)
    _refuse_refused(package.contract, table)
    said = runner(package.path).predict(table)
    scores = _scores(said.scores, output.classes)
    rival = champion or registry.champion(version.model, project=version.project)
    rival = None if rival is not None and rival.ref == version.ref else rival
    report = evaluate(
        output.task,
        labels,
        said.prediction,
        scores,
        output.classes,
        slices=_slices(table, slices),
        champion=None if rival is None else _answers(registry, runner, rival, table, output.classes),
        gates=tuple(gates),
    )
    rows, known = labelled(output.task, labels, said.prediction, scores, output.classes)
    details: dict[str, str | int | float | bool | None] = {
        "champion": None if rival is None else rival.ref,
        "gates": "; ".join(gates),
    }
    asked = table.filter(pa.array(known))
    evaluation = keep_evaluation(registry, version, report, asked, rows, details=details, actor=actor)
    return Evaluated(evaluation, report, None if rival is None else rival.ref)


def keep_evaluation(
    registry: Registry,
    version: Version,
    report: Report,
    table: pa.Table,
    rows: Rows,
    *,
    details: dict[str, str | int | float | bool | None],
    actor: str = "",
) -> Evaluation:
    """Keep a measurement of `version` as its latest evaluation, and a sample of the rows it was measured on.

    `rows` are the labelled ones with what it said of them, `table` their inputs in the same order.
    """
    evaluation = Evaluation(
        version.project, version.ref, registry.clock.now(), report.passed, msgspec.json.encode(report)
    )
    # Before the evaluation: whoever sees it finds its rows.
    kept = evaluated_bytes(registry.package(version).contract, table, rows)
    registry.packages.keep_evaluated(Digest(version.digest), kept)
    registry.records.add_evaluation(evaluation)
    about = {"passed": report.passed, "rows": report.rows, **details}
    registry.note(EventKind.EVALUATED, version, actor=actor, details=about)
    return evaluation


def _refuse_refused(contract: Contract, table: pa.Table) -> None:
    """BadInput for rows without a value the model must have, or with a category it cannot answer."""
    for field in contract.fields:
        column = native.column(table, field.name)
        if column.null_count and not field.nullable:
            raise BadInput(field.name, "missing", _left_out(column.null_count, "have no value"))
        if field.domain is not None and field.on_domain is OnBreak.REJECT and not pa.types.is_null(column.type):
            try:
                words = column.drop_null().cast(pa.string())
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise BadInput(field.name, "type", f"must hold categories, holds {column.type}") from error
            known = pc.is_in(words, pa.array(field.domain, pa.string()))
            strange = len(known) - known.true_count
            if strange:
                raise BadInput(field.name, "domain", _left_out(strange, "have a category that is none of the known"))


def _left_out(rows: int, why: str) -> str:
    return f"{rows:,} rows {why}; the contract refuses such rows in service, so leave them out"


def _answers(
    registry: Registry, runner: Runner, rival: Version, table: pa.Table, classes: tuple[str | int | bool, ...]
) -> Answers:
    package = registry.package(rival)
    if package.contract.output.classes != classes:
        raise Conflict(f"{rival.ref} has other classes; compare with a version for the same question")
    said = runner(package.path).predict(table)
    return Answers(said.prediction, _scores(said.scores, classes))


def _scores(scores: Any, classes: tuple[str | int | bool, ...]) -> Any:
    """Of a binary model the positive class's column; else as they are."""
    return scores[:, 1] if scores is not None and len(classes) == 2 else scores


def _slices(table: pa.Table, names: Sequence[str]) -> Mapping[str, Any]:
    return {name: np.array(native.column(table, name).to_pylist(), dtype=object) for name in names}
