"""What a model answers, guessed from the column that holds the truth.

Called by ``infer`` alone.
"""

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.vocabulary import Task

MAX_CLASSES: Final = 50
"""Most distinct strings or whole numbers that are taken for classes."""


def infer_output(table: pa.Table, *, label: str | None, task: Task | None) -> Output:
    """The output that column `label` suggests.

    Booleans and two distinct strings or whole numbers make a binary task, up to 50 a multiclass one, other numbers a
    regression. Classes are sorted, as estimators sort them, so of two the larger (1, True, "yes") is the positive
    one. Rows without a label are left out. Scores of a classifier are taken for probabilities.

    Raises BadInput, naming the column, when it is not there, holds nothing, or does not fit `task`.
    """
    if label is None:
        if task in (Task.BINARY, Task.MULTICLASS):
            raise BadInput("label", "missing", f"a {task.value} task needs the label column to know its classes")
        return Output(task or Task.TENSOR)
    if label not in table.column_names:
        raise BadInput(label, "missing", f"the reference has no such column; it has {', '.join(table.column_names)}")
    if task is Task.TENSOR:
        return Output(Task.TENSOR, label=label)
    column = _plain(label, table[label].drop_null())
    found = task or _guess(column)
    if found is Task.REGRESSION:
        if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
            raise BadInput(label, "type", "a regression needs numbers; give the task if these are classes")
        return Output(Task.REGRESSION, label=label)
    return Output(found, label=label, classes=_classes(label, column, found), probability=True)


def _plain(label: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """`column` as booleans, strings, 64-bit integers or floats; floats that are all 0 and 1 as integers.

    The last is what pandas makes of a 0/1 label with gaps.
    """
    if len(column) == 0:
        raise BadInput(label, "empty", "the label column has no value in any row")
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_boolean(kind):
        return pc.cast(column, pa.bool_())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.cast(column, pa.string())
    if pa.types.is_integer(kind):
        return pc.cast(column, pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        floats = pc.cast(column, pa.float64())
        return pc.cast(floats, pa.int64()) if set(pc.unique(floats).to_pylist()) == {0.0, 1.0} else floats
    raise BadInput(label, "type", f"columns of type {kind} are no label; use numbers, strings or booleans")


def _guess(column: pa.ChunkedArray) -> Task:
    distinct = len(pc.unique(column))
    if pa.types.is_boolean(column.type):
        return Task.BINARY
    if pa.types.is_floating(column.type) or distinct > MAX_CLASSES:
        return Task.REGRESSION
    return Task.BINARY if distinct <= 2 else Task.MULTICLASS


def _classes(label: str, column: pa.ChunkedArray, task: Task) -> tuple[str | int | bool, ...]:
    if pa.types.is_boolean(column.type):
        return (False, True)
    if pa.types.is_floating(column.type):
        raise BadInput(label, "type", f"a {task.value} task needs strings, whole numbers or booleans as labels")
    classes: list[Any] = sorted(pc.unique(column).to_pylist())
    if len(classes) < 2:
        raise BadInput(label, "domain", "the label column has one value only, so there is nothing to predict")
    if task is Task.BINARY and len(classes) > 2:
        raise BadInput(label, "domain", f"a binary task has two classes; this column has {len(classes)}")
    return tuple(classes)
