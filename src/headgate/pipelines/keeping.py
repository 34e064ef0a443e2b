"""The dataset step: what the transforms made becomes a training set under its digest, as retraining reads it."""

import hashlib
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headgate import durability
from headgate.errors import BadInput
from headgate.pipelines.pipelinefile import Pipeline
from headgate.retraining.datasets.dataset import (
    AT,
    INPUT_ID,
    LABEL,
    RESERVED,
    ROWS_FILE,
    SOURCE,
    VALUE_FILE,
    WEIGHT,
    Cut,
    Dataset,
    RowSource,
    WindowChoice,
)
from headgate.retraining.datasets.wanted import Least
from headgate.vocabulary import Digest, Micros, Task

HELD: Final = "held.parquet"
"""Rows of a run that nothing learned from, in its folder."""
_MOMENT: Final = pa.timestamp("us", "UTC")


def divided(said: Pipeline, table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Rows to learn from, and rows held out: the newest ones, or without moments every so many in the table's order.

    Rows of one moment stay together, on the side of what is learned from.
    """
    share = said.held_share
    if not share:
        return table, table.slice(0, 0)
    rows = table.num_rows
    if said.at is None:
        held = np.floor(np.arange(1, rows + 1) * share) > np.floor(np.arange(rows) * share)
        return table.filter(pa.array(~held)), table.filter(pa.array(held))
    moments = pc.fill_null(pc.cast(table[said.at].cast(pa.timestamp("us")), pa.int64()), -(2**62)).to_numpy()
    edge = np.sort(moments)[min(rows - 1, int(rows * (1 - share)))] if rows else 0
    held = moments > edge
    return table.filter(pa.array(~held)), table.filter(pa.array(held))


def keep_dataset(said: Pipeline, table: pa.Table, folder: Path, now: Micros, *, least: Least | None = None) -> Dataset:
    """The training set of `table`, in `folder` under its digest; one that is there already is left as it is.

    Raises BadInput for a table without label or features, with too few rows, or with labels of one class alone.
    """
    rows = _shaped(said, table)
    classes = _classes(said.task, rows[LABEL])
    _refuse_little(rows.num_rows, classes, said, least or Least())
    features = tuple(each for each in rows.column_names if each not in RESERVED)
    digest = _digest(rows)
    moments = pc.drop_null(rows[AT])
    first, last = (pc.min_max(pc.cast(moments, pa.int64())).as_py()[each] for each in ("min", "max"))
    cut = Cut(
        as_of=now, start=None if first is None else Micros(first), end=None if last is None else Micros(last + 1),
        maturity_s=0.0, choice=WindowChoice.EVERYTHING, why=f"all rows of the pipeline '{said.pipeline}'",
    )  # fmt: skip
    dataset = Dataset(
        digest=digest, project=said.project, endpoint=said.endpoint or "", task=said.task, label=said.label,
        features=features, cut=cut, rows=rows.num_rows, original_rows=rows.num_rows, classes=classes, leaked=0, bytes=0,
    )  # fmt: skip
    _put(dataset, rows, folder)
    return dataset


def _shaped(said: Pipeline, table: pa.Table) -> pa.Table:
    """Features in their order, then the columns every training set has; rows without a label are left out."""
    names = table.column_names
    for key, name in (("label", said.label), ("weight", said.weight), ("at", said.at)):
        if name is not None and name not in names:
            raise BadInput(key, "schema", f"the transforms make no column '{name}'; they make {', '.join(names)}")
    table = table.filter(pc.is_valid(table[said.label]))
    features = [each for each in names if each not in said.apart]
    if not features:
        raise BadInput("transforms", "schema", "make no column to learn from beside label, weight, moment and key")
    for each in features:
        if each in RESERVED:
            raise BadInput("transforms", "name", f"make a feature '{each}', a name that training sets need; rename it")
    rows = table.num_rows
    weight = pa.array(np.ones(rows)) if said.weight is None else pc.cast(table[said.weight], pa.float64())
    return pa.table(
        {
            **{each: table[each] for each in features},
            LABEL: table[said.label],
            WEIGHT: weight,
            AT: pa.nulls(rows, _MOMENT) if said.at is None else _moments(said.at, table[said.at]),
            INPUT_ID: pa.nulls(rows, pa.string()),
            SOURCE: pa.array([RowSource.ORIGINAL.value] * rows, pa.string()),
        }
    )


def _moments(name: str, values: Any) -> Any:
    if pa.types.is_date(values.type):
        values = pc.cast(values, pa.timestamp("us"))
    if not pa.types.is_timestamp(values.type):
        raise BadInput("at", "type", f"'{name}' is {values.type}; it must be a moment")
    if values.type.tz is None:
        values = pc.assume_timezone(pc.cast(values, pa.timestamp("us")), "UTC")
    return pc.cast(values, _MOMENT)


def _classes(task: Task, labels: Any) -> dict[str, int]:
    if task is Task.REGRESSION:
        return {}
    return {
        str(each): rows for each, rows in sorted(Counter(labels.to_pylist()).items(), key=lambda each: str(each[0]))
    }


def _refuse_little(rows: int, classes: dict[str, int], said: Pipeline, least: Least) -> None:
    if rows < least.rows:
        raise BadInput(
            "rows", "few", f"there are {rows:,} with a label; nothing is learned from fewer than {least.rows}"
        )
    if said.task is Task.REGRESSION:
        return
    if len(classes) < 2:
        raise BadInput("label", "classes", f"all {rows:,} rows have the same label; there must be two classes at least")
    if said.task is Task.BINARY and len(classes) > 2:
        raise BadInput("label", "classes", f"has {len(classes)} classes; write task: multiclass")
    for name, count in classes.items():
        if count < least.of_class:
            raise BadInput("label", "few", f"class '{name}' has {count} rows of {rows:,}; it needs {least.of_class}")


def _digest(rows: pa.Table) -> Digest:
    """Of every value of every column in order, and of the columns' names and types."""
    seen = hashlib.sha256()

    class Sink:
        closed = False

        def write(self, data: Any) -> int:
            seen.update(data)
            return len(data)

        def flush(self) -> None: ...

        def close(self) -> None: ...

    with pa.ipc.new_stream(pa.PythonFile(Sink(), mode="w"), rows.schema) as stream:
        for each in rows.combine_chunks().to_batches(max_chunksize=65_536):
            stream.write_batch(each)
    return Digest(f"sha256:{seen.hexdigest()}")


def _put(dataset: Dataset, rows: pa.Table, folder: Path) -> None:
    target = folder / dataset.digest.removeprefix("sha256:")
    if target.is_dir():
        return
    durability.make_folder(folder)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    try:
        pq.write_table(rows, unfinished / ROWS_FILE)
        size = (unfinished / ROWS_FILE).stat().st_size
        said = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(dataset, bytes=size)))
        (unfinished / VALUE_FILE).write_bytes(said)
        unfinished.chmod(0o755)
        for each in (ROWS_FILE, VALUE_FILE, "."):
            durability.sync(unfinished / each)
        unfinished.replace(target)
        durability.sync(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
