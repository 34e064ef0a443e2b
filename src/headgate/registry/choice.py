"""Which of a model's candidates is packaged: the first that answers as the model does. Called by `register`."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from headgate.contracts.contract import Contract, Field, Kind, OnBreak
from headgate.contracts.text import to_document
from headgate.errors import BadInput, HeadgateError, MissingExtra, RuntimeFailed, TrustRequired
from headgate.registry.boundaries import Beside, beside_jumps
from headgate.registry.environment import environment
from headgate.registry.importers.importer import Candidate, Imported
from headgate.registry.package import Manifest
from headgate.registry.packages import CONTRACT, FORMAT, directory_digests, write_manifest
from headgate.registry.parity import Attempt, Origin, Parity, ParityReport, compare_outputs
from headgate.registry.ports import Predicted, Runner
from headgate.vocabulary import Task

_UNSEEN: Final = "a category nobody has seen"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows parity is held on, and what the model itself says of each."""

    table: pa.Table
    origins: tuple[Origin, ...]
    said: Predicted
    sampled: int
    """How many of them, from the first, are reference rows as they are."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that stands for the model."""

    candidate: Candidate
    folder: Path
    """Holds its artefact, the contract and a manifest."""
    manifest: Manifest
    parity: Parity
    report: ParityReport


def rows_for(imported: Imported, sample: pa.Table, contract: Contract, *, seed: int = 0) -> Rows:
    """The sample, rows beside jumps of the model's answer, and the model's own answers to all of them.

    A classifier without probabilities has no rows beside jumps: every change of label is one, ties among them.
    """
    features = sample.select(list(contract.names))
    beside = Beside(features.slice(0, 0), ())
    if contract.output.task is Task.REGRESSION or contract.output.probability:
        beside = beside_jumps(imported.native, features, contract, seed=seed)
    table = pa.concat_tables([features, beside.table.cast(features.schema)])
    origins = (*(Origin(row) for row in range(features.num_rows)), *beside.origins)
    return Rows(table, origins, imported.native.predict(table), features.num_rows)


def choose(imported: Imported, contract: Contract, rows: Rows, runner: Runner, workdir: Path) -> Choice:
    """Write, run and compare the candidates in order; the first exact one wins.

    Raises BadInput saying what was wrong with each when none is; TrustRequired or MissingExtra when that is why.
    """
    attempts: list[Attempt] = []
    policy: HeadgateError | None = None
    for place, candidate in enumerate(imported.candidates):
        folder = workdir / str(place)
        try:
            manifest = _stage(candidate, imported, contract, folder)
            parity = _compare(runner, folder, contract, rows)
        except (TrustRequired, MissingExtra) as error:
            policy, attempts = error, [*attempts, Attempt(candidate.name, None, str(error))]
            continue
        except Exception as error:  # converters and runtimes of eight libraries; each says why in its own class
            attempts.append(Attempt(candidate.name, None, _why(error)))
            continue
        attempts.append(Attempt(candidate.name, parity, parity.reason))
        if parity.exact:
            report = ParityReport(candidate.name, _words(attempts), tuple(attempts))
            return Choice(candidate, folder, manifest, parity, report)
        shutil.rmtree(folder)
    if policy is not None:
        raise policy
    raise BadInput("model", "parity", f"nothing answers as the model itself does: {_tried(attempts)}")


def close_domains(choice: Choice, contract: Contract, rows: Rows, runner: Runner) -> tuple[Contract, Choice]:
    """`contract` refusing the unknown categories that `choice` cannot answer, and `choice` with that contract in it.

    A range or domain that is inferred flags; but where the model itself has no answer, such as a one-hot encoder that
    knows its words, a flagged row would only fail later, and not by its own name.
    """
    closed = {each.name for each in contract.fields if _stumbles(choice.folder, each, rows, runner)}
    if not closed:
        return contract, choice
    fields = [replace(each, on_domain=OnBreak.REJECT) if each.name in closed else each for each in contract.fields]
    contract = replace(contract, fields=tuple(fields))
    _write_contract(contract, choice.folder)
    manifest = msgspec.structs.replace(choice.manifest, files=directory_digests(choice.folder))
    write_manifest(choice.folder, manifest)
    return contract, replace(choice, manifest=manifest)


def _stumbles(folder: Path, field: Field, rows: Rows, runner: Runner) -> bool:
    if field.kind is not Kind.CATEGORY or field.domain is None:
        return False
    row = rows.table.slice(0, 1)
    place = row.schema.get_field_index(field.name)
    try:
        runner(folder).predict(row.set_column(place, field.name, pa.array([_UNSEEN])))
    except RuntimeFailed:
        return True
    return False


def _write_contract(contract: Contract, folder: Path) -> None:
    (folder / CONTRACT).write_bytes(msgspec.json.encode(to_document(contract), order="deterministic"))


def _stage(candidate: Candidate, imported: Imported, contract: Contract, folder: Path) -> Manifest:
    folder.mkdir(parents=True)
    candidate.write(folder)
    _write_contract(contract, folder)
    manifest = Manifest(
        format=FORMAT,
        engine=candidate.engine,
        artefact=candidate.artefact,
        signature=candidate.signature,
        files=directory_digests(folder),
        environment=environment(imported.distributions),
        options=dict(candidate.options),
        trusted=candidate.trusted,
    )
    write_manifest(folder, manifest)
    return manifest


def _compare(runner: Runner, folder: Path, contract: Contract, rows: Rows) -> Parity:
    candidate = runner(folder)
    said = candidate.predict(rows.table)
    alone = candidate.predict(rows.table.slice(0, 1))  # a graph may have taken its example's rows for a constant
    if contract.output.task is Task.TENSOR:
        reason = f"it runs on all {rows.sampled} reference rows; arrays are passed on without meaning"
        return Parity(rows.sampled, 0.0, 0, 0, (), True, reason)
    parity = compare_outputs(rows.said, said, contract.output.classes, origins=rows.origins)
    first = Predicted(said.prediction[:1], None if said.scores is None else said.scores[:1])
    single = compare_outputs(first, alone, contract.output.classes)
    if parity.exact and not single.exact:
        return msgspec.structs.replace(parity, exact=False, reason=f"asked for one row alone, {single.reason}")
    return parity


def _why(error: Exception) -> str:
    if isinstance(error, BadInput) and error.field == "model":
        return error.message
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def _words(attempts: Sequence[Attempt]) -> str:
    last = attempts[-1]
    if len(attempts) == 1:
        return f"{last.candidate}: {last.reason}"
    return f"{last.candidate}: {last.reason}; not taken: {_tried(attempts[:-1])}"


def _tried(attempts: Sequence[Attempt]) -> str:
    return "; ".join(f"{each.candidate} ({each.reason})" for each in attempts)
