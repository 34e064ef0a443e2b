"""Rows of a file as a training set, so that a recipe can be tried before an endpoint relies on it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.infer import infer
from headgate.errors import BadInput
from headgate.retraining.datasets.dataset import (
    AT,
    INPUT_ID,
    LABEL,
    RESERVED,
    SOURCE,
    WEIGHT,
    Cut,
    Dataset,
    RowSource,
    WindowChoice,
)
from headgate.retraining.datasets.opened import folder_of
from headgate.retraining.datasets.written import keep_table
from headgate.vocabulary import DEFAULT_PROJECT, Digest, Micros, Task


def as_training_set(table: pa.Table, label: str, folder: Path) -> Path:
    """The labelled rows of `table` as a training set among those in `folder`, and where it lies.

    The task is guessed from the column `label`, as a contract's is; every other column is a feature, and all rows weigh
    the same and count as original ones. Raises BadInput for a label that is none, or a column no field can be made of.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = pa.table({"distance": [200.0, 1400.0, 90.0], "late": [False, True, None]})
    ...     kept = as_training_set(rows, "late", Path(folder))
    ...     sorted(each.name for each in kept.iterdir())
    ['dataset.json', 'rows.parquet']
    """
    if label not in table.column_names:
        raise BadInput(label, "missing", "the rows have no such column")
    known = table.filter(pc.is_valid(table[label]))
    contract = infer(known, label=label)
    taken = sorted(set(contract.names) & set(RESERVED))
    if taken:
        raise BadInput(taken[0], "name", "is a column of every training set; call the field otherwise")
    task, truth = contract.output.task, known[label]
    if task is Task.REGRESSION:
        truth = truth.cast(pa.float64())
    rows = len(known)
    columns = {
        LABEL: truth,
        WEIGHT: pa.array([1.0] * rows),
        AT: pa.nulls(rows, pa.timestamp("us", "UTC")),
        INPUT_ID: pa.nulls(rows, pa.string()),
        SOURCE: pa.array([RowSource.ORIGINAL.value] * rows),
    }
    made = pa.table({**{each: known[each] for each in contract.names}, **columns})
    counts = pc.value_counts(truth).to_pylist() if contract.output.classes else []
    cut = Cut(Micros(0), None, None, 0.0, WindowChoice.EVERYTHING, "rows of a file, to try a recipe on")
    dataset = Dataset(
        digest=Digest(""),
        project=DEFAULT_PROJECT,
        endpoint="",
        task=task,
        label=label,
        features=contract.names,
        cut=cut,
        rows=rows,
        original_rows=rows,
        classes={str(each["values"]): each["counts"] for each in counts},
        leaked=0,
        bytes=0,
    )
    return folder_of(folder, keep_table(made, dataset, folder).digest)
