"""The columns of a training set: what a contract's fields and labels are called and typed there."""

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract, Output, Sensitivity
from headgate.errors import BadInput
from headgate.journal.tables import MOMENT, kind_type
from headgate.retraining.datasets.dataset import AT, INPUT_ID, LABEL, RESERVED, SOURCE, WEIGHT
from headgate.vocabulary import Task

_OF_CLASSES: Final = ((bool, pa.bool_()), (int, pa.int64()))
"""A truth value is a whole number for Python, so it is asked for first."""


def schema_of(contract: Contract) -> pa.Schema:
    """The public fields of a contract, then what every training set has.

    Raises BadInput where there is nothing to foretell or to foretell it by, or where a field has the name of the label
    or of another column.

    >>> from headgate.contracts.contract import Field, Kind
    >>> output = Output(Task.BINARY, "late", (0, 1))
    >>> schema_of(Contract((Field("distance", Kind.NUMBER),), output)).names
    ['distance', 'label', 'weight', 'at', 'input_id', 'source']
    """
    fields = [each for each in contract.fields if each.sensitivity is Sensitivity.PUBLIC]
    names = [each.name for each in fields]
    output = contract.output
    if output.task is Task.TENSOR:
        raise BadInput("task", "tensor", "nothing is learned again for tensors, whose meaning only the caller knows")
    if not names:
        raise BadInput("features", "empty", "the contract has no public field to learn from")
    if output.label in names:
        raise BadInput(f"features.{output.label}", "leakage", "is the label, among the features; leave it out")
    if LABEL in names:
        raise BadInput(LABEL, "unique", "is also the name of a feature; rename the feature")
    if taken := [each for each in RESERVED if each in names]:
        raise BadInput(taken[0], "unique", "is a feature, and a column of every training set; rename the feature")
    own = [pa.field(each.name, kind_type(each.kind)) for each in fields]
    return pa.schema(
        [
            *own,
            pa.field(LABEL, label_type(output)),
            pa.field(WEIGHT, pa.float64()),
            pa.field(AT, MOMENT),
            pa.field(INPUT_ID, pa.string()),
            pa.field(SOURCE, pa.string()),
        ]
    )


def label_type(output: Output) -> Any:
    """The type of a label: that of all classes, or a number."""
    if output.task is Task.REGRESSION:
        return pa.float64()
    kinds = (kind for python, kind in _OF_CLASSES if all(isinstance(each, python) for each in output.classes))
    return next(kinds, pa.string())


def labels_as(values: pa.ChunkedArray, kind: Any) -> pa.ChunkedArray:
    """Labels as a training set has them. Raises BadInput where they are of another type.

    >>> labels_as(pa.chunked_array([[1.0, 0.0]]), pa.bool_()).to_pylist()
    [True, False]
    """
    try:
        if pa.types.is_string(values.type) and pa.types.is_boolean(kind):
            return pc.cast(values, kind)
        if pa.types.is_boolean(kind) and not pa.types.is_boolean(values.type):
            values = pc.cast(values, pa.int64())
            if len(values) and not (pc.min(values).as_py() >= 0 and pc.max(values).as_py() <= 1):
                raise BadInput(
                    LABEL, "type", "truth values are expected, and some labels are other numbers than 0 and 1"
                )
        return pc.cast(values, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(LABEL, "type", f"labels of type {values.type} are no {kind}, as the contract says") from error


def original_rows(original: pa.Table, schema: pa.Schema, output: Output) -> pa.Table:
    """Features and label of the rows that the model was first learned from, typed as `schema`.

    The label may be called as the contract does, or ``label``. Rows without one are left out. Raises BadInput where a
    column is missing or cannot be read so.
    """
    label = output.label if output.label in original.column_names else LABEL
    names = feature_names(schema)
    if missing := [each for each in (*names, label) if each not in original.column_names]:
        raise BadInput(f"original.{missing[0]}", "missing", "the original rows have no such column")
    original = original.filter(pc.is_valid(original[label]))
    columns = {each: _as(original[each], schema.field(each)) for each in names}
    return pa.table({**columns, LABEL: labels_as(_plain(original[label]), schema.field(LABEL).type)})


def feature_names(schema: pa.Schema) -> list[str]:
    """Its columns that a model may learn from."""
    return list(schema.names[: -len(RESERVED)])


def _as(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return pc.cast(_plain(column), field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(
            f"original.{field.name}", "type", f"is {column.type}, where the contract has {field.type}"
        ) from error


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
