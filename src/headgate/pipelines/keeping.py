"""The dataset step: what the transforms made becomes a training set under its digest, as retraining reads it."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.errors import BadInput
from headgate.journal.tables import MOMENT
from headgate.pipelines.pipelinefile import Pipeline
from headgate.pipelines.shaping import normal
from headgate.retraining.datasets.dataset import (
    AT,
    INPUT_ID,
    LABEL,
    RESERVED,
    ROWS_FILE,
    SOURCE,
    WEIGHT,
    Cut,
    Dataset,
    RowSource,
    WindowChoice,
)
from headgate.retraining.datasets.labelled import too_few
from headgate.retraining.datasets.wanted import Least
from headgate.retraining.datasets.written import Rows, aside, keep
from headgate.vocabulary import Micros, Task

HELD: Final = "held.parquet"
"""Rows of a run that nothing learned from, in its folder."""
PIECE: Final = 250_000
"""Rows that are written at once."""


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

    Raises BadInput for a table without label or features, with too few rows or labels of one class, and for a feature
    that is the label itself.
    """
    rows = _shaped(said, table)
    moments = pc.min_max(pc.cast(rows[AT], pa.int64())).as_py()
    first, last = moments["min"], moments["max"]
    cut = Cut(
        as_of=now, start=None if first is None else Micros(first), end=None if last is None else Micros(last + 1),
        maturity_s=0.0, choice=WindowChoice.EVERYTHING, why=f"all rows of the pipeline '{said.pipeline}'",
    )  # fmt: skip
    with aside(folder) as work:
        made = work / "made"
        made.mkdir()
        with Rows(made / ROWS_FILE, rows.schema) as written:
            for start in range(0, max(1, rows.num_rows), PIECE):
                written.add(rows.slice(start, PIECE))
            digest = written.digest()
        classes = {} if said.task is Task.REGRESSION else written.classes
        _refuse(said, written, classes, least or Least())
        dataset = Dataset(
            digest=digest, project=said.project, endpoint=said.endpoint or "", task=said.task, label=said.label,
            features=tuple(each for each in rows.column_names if each not in RESERVED), cut=cut, rows=rows.num_rows,
            original_rows=rows.num_rows, leaked=0, bytes=(made / ROWS_FILE).stat().st_size,
            classes={str(name): count for name, count in sorted(classes.items(), key=lambda each: str(each[0]))},
        )  # fmt: skip
        return keep(made, dataset, folder)


def _shaped(said: Pipeline, table: pa.Table) -> pa.Table:
    """Features in their order, then the columns every training set has; rows without a label are left out."""
    table = table.filter(pc.is_valid(table[said.label]))
    features = [each for each in table.column_names if each not in said.apart]
    if not features:
        raise BadInput("transforms", "schema", "make no column to learn from beside label, weight, moment and key")
    for each in features:
        if each in RESERVED:
            raise BadInput("transforms", "name", f"make a feature '{each}', a name that training sets need; rename it")
    rows = table.num_rows
    weight = pa.array(np.ones(rows)) if said.weight is None else pc.cast(table[said.weight], pa.float64())
    return pa.table(
        {
            **{each: _feature(each, table[each]) for each in features},
            LABEL: _label(said, table[said.label]),
            WEIGHT: weight,
            AT: pa.nulls(rows, MOMENT) if said.at is None else _moments(said.at, table[said.at]),
            INPUT_ID: pa.nulls(rows, pa.string()),
            SOURCE: pa.array([RowSource.ORIGINAL.value] * rows, pa.string()),
        }
    )


def _feature(name: str, values: Any) -> Any:
    """A feature in one of the types that contracts know: days are moments, and what a table nests is none."""
    kind = normal(values.type)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise BadInput(
            "transforms", "type", f"make a feature '{name}' of type {values.type}; nothing learns from those"
        )
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _moments(name, values)
    return pc.cast(values, pa.string() if pa.types.is_null(kind) else kind)


def _label(said: Pipeline, values: Any) -> Any:
    kind = pa.float64() if said.task is Task.REGRESSION else normal(values.type)
    if said.task is not Task.REGRESSION and pa.types.is_floating(kind):
        # Whole numbers of a database come as floats where some are missing.
        kind = pa.int64()
    try:
        return pc.cast(values, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput("label", "type", f"is {values.type}, which is no label of a task '{said.task}'") from error


def _moments(name: str, values: Any) -> Any:
    if not (pa.types.is_timestamp(values.type) or pa.types.is_date(values.type)):
        raise BadInput("at", "type", f"'{name}' is {values.type}; it must be a moment")
    zoned = pa.types.is_timestamp(values.type) and values.type.tz is not None
    return pc.cast(values, MOMENT) if zoned else pc.assume_timezone(pc.cast(values, pa.timestamp("us")), "UTC")


def _refuse(said: Pipeline, rows: Rows, classes: dict[Any, int], least: Least) -> None:
    if said.task is Task.BINARY and len(classes) > 2:
        raise BadInput("label", "classes", f"has {len(classes)} classes; write task: multiclass")
    short = too_few(classes, rows.count, least)
    if short:
        raise BadInput("rows", "too_few", f"there are {short}")
    if rows.copies:
        copy = min(rows.copies)
        raise BadInput(f"features.{copy}", "leakage", f"is the label itself in all {rows.count:,} rows; leave it out")
