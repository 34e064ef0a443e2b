"""Rows a version was evaluated with, as they are kept beside its package: what it was given, what it said, the truth.

A model knows the rows it was fitted on too well to say how far its scores can be trusted; those it was evaluated with
are all that do, until labels come. `evaluate` keeps a sample of them, monitors read it. Fields that are not public are
left out, since nothing is erased from here.
"""

import io
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.contracts.contract import Contract, Kind, Sensitivity
from headgate.evaluation.rows import Rows
from headgate.registry.reference import sample

KINDS: Final = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORY, Kind.TIMESTAMP)
"""Kinds of fields that are kept; texts and pictures are large, and nothing is learnt from them here."""
TRUTH: Final = "truth"
PREDICTED: Final = "predicted"
SCORES: Final = "scores"
INPUT: Final = "input."
"""Before the name of each field, so that no field has the name of another column."""


def evaluated_bytes(contract: Contract, table: pa.Table, rows: Rows) -> bytes:
    """A sample of `rows`, whose inputs are those of `table` in the same order, as ``kept_evaluated`` reads it."""
    public = [each for each in contract.fields if each.sensitivity is Sensitivity.PUBLIC and each.kind in KINDS]
    here = [each.name for each in public if each.name in table.column_names]
    places = sample(pa.table({"place": np.arange(len(rows))}))["place"].to_numpy()
    mine = rows.take(places)
    columns = {f"{INPUT}{each}": table[each].take(pa.array(places)) for each in here}
    columns[TRUTH] = pa.array(mine.truth)
    if mine.predicted is not None:
        columns[PREDICTED] = pa.array(mine.predicted)
    if mine.scores is not None:
        columns[SCORES] = pa.array(mine.scores.tolist(), pa.list_(pa.float64()))
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def kept_evaluated(path: Path, contract: Contract) -> tuple[Rows, pa.Table] | None:
    """The rows that are kept, and their public inputs, a column a field.

    None where there are none, or scores are of other classes than the contract's.
    """
    if not path.is_file():
        return None
    table, output = pq.read_table(path), contract.output
    scores = None
    if SCORES in table.column_names:
        flat = np.asarray(table[SCORES].combine_chunks().flatten())
        if len(flat) != len(table) * len(output.classes):
            return None
        scores = flat.reshape(len(table), -1)
    predicted = table[PREDICTED].to_numpy() if PREDICTED in table.column_names else None
    inputs = [each for each in table.column_names if each.startswith(INPUT)]
    features = table.select(inputs).rename_columns([each.removeprefix(INPUT) for each in inputs])
    return Rows(output.task, table[TRUTH].to_numpy(), predicted, scores, output.classes), features
