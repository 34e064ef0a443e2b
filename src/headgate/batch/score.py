"""Answers a file of any size with one version: chunk by chunk, resumable, complete or absent.

Called by ``headgate score`` and ``Headgate.score``. Answered chunks are kept beside the target until all are
there; then they become the target in one rename.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from headgate import durability
from headgate.batch.read import CHUNK_ROWS, Chunk, read_chunks, row_count
from headgate.contracts.check import check_table
from headgate.contracts.contract import Contract
from headgate.errors import BadConfiguration, BadInput, Conflict, NotFound, Violation
from headgate.registry.ports import Predictor
from headgate.vocabulary import Task

Progress = Callable[[int, int | None], None]
"""Told (rows done, rows in all if known) after every chunk."""

_ADDED: Final = ("version", "prediction", "error_field", "error_rule", "error_message")


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of a file."""

    rows: int
    answered: int
    refused: int
    resumed_at: int
    """Rows that an earlier, interrupted run had answered already."""


class _Job(msgspec.Struct, frozen=True):
    """What a half-finished run must agree on before another may go on with it."""

    source: str
    source_size: int
    source_changed_ns: int
    digest: str
    chunk_rows: int


def score_file(
    source: Path,
    target: Path,
    *,
    contract: Contract,
    predictor: Predictor,
    version: str,
    digest: str,
    progress: Progress = lambda _done, _all: None,
    chunk_rows: int = CHUNK_ROWS,
) -> Scored:
    """Answer every row of `source` into `target` (.parquet or .csv), in order.

    `target` has the source's columns and ``version``, ``prediction``, ``score_{class}`` for classifiers, and
    ``error_field``, ``error_rule``, ``error_message`` for rows the contract refused, whose prediction is null.
    An interrupted run is taken up where it stopped when source and package are still the same.

    Raises Conflict when `target` is there already, BadInput when the source cannot be read, has a column of one of
    those names or one that a .csv target cannot hold, and for a version that answers tensors.
    """
    for name, path in (("source", source), ("target", target)):
        try:
            os.fspath(path).encode()
        except UnicodeEncodeError as error:
            raise BadInput(name, "utf8", "the name of the file is not UTF-8 text; rename it") from error
    if target.exists():
        raise Conflict(f"{target} is there already; remove it or name another")
    if target.suffix not in (".parquet", ".csv"):
        raise BadInput("target", "type", "the ending must be .parquet or .csv")
    if contract.output.task is Task.TENSOR:
        raise BadInput("version", "task", "answers tensors, which have no column in a table; ask a gateway for them")
    parts = target.with_name(target.name + ".parts")
    job = _job(source, digest, chunk_rows)
    try:
        done = _take_up(parts, job)
        scorer = _Scorer(contract, predictor, version)
        return _score(source, target, parts=parts, done=done, scorer=scorer, progress=progress, chunk_rows=chunk_rows)
    finally:
        if not any(parts.glob("*.parquet")):  # nothing was answered that another run could go on from
            shutil.rmtree(parts, ignore_errors=True)


def _score(
    source: Path, target: Path, *, parts: Path, done: int, scorer: "_Scorer", progress: Progress, chunk_rows: int
) -> Scored:
    contract = scorer.contract
    total = row_count(source)
    rows = refused = 0
    for number, chunk in enumerate(read_chunks(source, contract, chunk_rows)):
        if target.suffix == ".csv":
            _refuse_nested(chunk.table.schema)
        part = parts / f"{number:08d}.parquet"
        if number >= done:
            _write_part(scorer.answer(chunk), part)
        rows += chunk.table.num_rows
        refused += _refused(part)
        progress(rows, total)
    if not rows:
        raise BadInput("source", "empty", "the file has no rows")
    _join(sorted(parts.glob("*.parquet")), target)
    shutil.rmtree(parts)
    return Scored(rows, rows - refused, refused, min(rows, done * chunk_rows))


def _refuse_nested(schema: pa.Schema) -> None:
    """Said before the first row is answered: there is no text for lists and bytes that would be read back."""
    for each in schema:
        kind = each.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise BadInput(f"source.{each.name}", "type", f"is of type {kind}, which .csv cannot hold; name a .parquet")


def _job(source: Path, digest: str, chunk_rows: int) -> _Job:
    if not source.is_file():
        raise NotFound("file", str(source))
    stat = source.stat()
    return _Job(str(source.resolve()), stat.st_size, stat.st_mtime_ns, digest, chunk_rows)


def _take_up(parts: Path, job: _Job) -> int:
    """How many chunks an earlier run of the same job finished; anything of another job is thrown away."""
    note = parts / "job.json"
    wanted = msgspec.json.encode(job)
    if note.is_file() and note.read_bytes() == wanted:
        finished = {each.stem for each in parts.glob("*.parquet")}
        return next(n for n in range(len(finished) + 1) if f"{n:08d}" not in finished)
    shutil.rmtree(parts, ignore_errors=True)
    try:
        parts.mkdir(parents=True)
    except OSError as error:
        raise BadConfiguration("target", f"{parts} cannot be made: {os.strerror(error.errno or 0).lower()}") from error
    _replace(note, lambda path: path.write_bytes(wanted))
    return 0


class _Scorer:
    """One version, asked chunk by chunk."""

    def __init__(self, contract: Contract, predictor: Predictor, version: str) -> None:
        self.contract = contract
        self._predictor = predictor
        self._version = version

    def answer(self, chunk: Chunk) -> pa.Table:
        """The chunk's rows with their answers, or with why there is none."""
        table = chunk.table
        taken = [name for name in table.column_names if name in _ADDED or name.startswith("score_")]
        if taken:
            raise BadInput(f"source.{taken[0]}", "conflict", "the answer has a column of this name; rename yours")
        good, violations = self._check(chunk)
        answered = np.array([row not in violations for row in range(table.num_rows)])
        for name, column in self._columns(good, answered).items():
            table = table.append_column(name, column)
        told = [violations.get(row) for row in range(table.num_rows)]
        for name, part in zip(_ADDED[2:], ("field", "rule", "message"), strict=True):
            table = table.append_column(name, pa.array([v and str(getattr(v, part)) for v in told], pa.string()))
        return table

    def _check(self, chunk: Chunk) -> tuple[pa.Table, dict[int, Violation]]:
        """The rows the contract lets through, and why it refuses the others, by position in the chunk."""
        violations = dict(chunk.unreadable)
        readable = [row for row in range(chunk.table.num_rows) if row not in violations]
        fields = [name for name in self.contract.names if name in chunk.table.column_names]
        # Rows first: Arrow counts none in a table that has lost all its columns to `select` and is then taken from.
        checked = check_table(self.contract, chunk.table.take(pa.array(readable, pa.int64())).select(fields))
        bad = checked.quarantine
        for row, field, rule, message in zip(
            *(bad.column(name).to_pylist() for name in ("_row", "_field", "_rule", "_message")), strict=True
        ):
            violations[readable[row]] = Violation(field, rule, message)
        return checked.good, violations

    def _columns(self, good: pa.Table, answered: np.ndarray) -> dict[str, pa.Array]:
        predicted = self._predictor.predict(good) if good.num_rows else None
        # Every row points at its answer's place; a refused row points nowhere and becomes null.
        take = pa.array(np.cumsum(answered) - 1, mask=~answered)
        columns = {"version": pa.array([self._version] * len(answered))}
        columns["prediction"] = pa.array(predicted.prediction.tolist()).take(take) if predicted else pa.nulls(len(take))
        for place, name in enumerate(self.contract.output.classes):
            scores = predicted.scores[:, place] if predicted and predicted.scores is not None else None
            empty = pa.nulls(len(take), pa.float64())
            columns[f"score_{name}"] = empty if scores is None else pa.array(scores).take(take)
        return columns


def _write_part(table: pa.Table, part: Path) -> None:
    _replace(part, lambda path: pq.write_table(table, path))


def _refused(part: Path) -> int:
    column = pq.read_table(part, columns=["error_rule"]).column(0)
    return len(column) - int(column.null_count)


def _tables(parts: list[Path]) -> Iterator[pa.Table]:
    """Every part in the schema they agree on: a chunk whose rows were all refused knows no prediction type."""
    schema = pa.unify_schemas([pq.read_schema(part) for part in parts], promote_options="permissive")
    for part in parts:
        yield pq.read_table(part).cast(schema)


def _join(parts: list[Path], target: Path) -> None:
    def write(path: Path) -> None:
        tables = _tables(parts)
        first = next(tables)
        opener = pq.ParquetWriter if target.suffix == ".parquet" else pacsv.CSVWriter
        with opener(path, first.schema) as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)

    _replace(target, write)


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a neighbour of `path`, sync it, and give it the name: complete or absent."""
    unfinished = path.with_name(f".{path.name}.{hashlib.sha256(os.urandom(16)).hexdigest()[:8]}")
    try:
        write(unfinished)
        durability.sync(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise BadConfiguration(
            "target", f"{path} cannot be written: {os.strerror(error.errno or 0).lower()}"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
