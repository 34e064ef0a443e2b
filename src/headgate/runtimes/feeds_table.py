"""Turns Arrow tables into the arrays a model reads: the wide road of evaluation, parity and scoring.

Apart from feeds.py because a gateway has no pyarrow.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Field, Kind, Rule
from headgate.errors import ContractViolation
from headgate.runtimes.feeds import FeedPlan, InputPlan, whole_rank
from headgate.runtimes.ports import Array, Feeds


def feeds_from_table(plan: FeedPlan, table: Any) -> Feeds:
    """One array per model input; row i of each is row i of `table`.

    Columns are found by name; others are ignored. Nulls become what they become in `FeedPlan.from_values`, so that
    both roads give a model the same arrays. Raises ContractViolation naming a column that is missing, of a type
    that does not fit its field, or null where the model has no way to read a null.
    """
    return {each.name: _fill(each, table) for each in plan.inputs}


def _fill(plan: InputPlan, table: Any) -> Array:
    columns = [_column(plan, field, table) for field in plan.fields]
    if plan.is_tensor:
        return columns[0]
    matrix = np.empty((table.num_rows, len(columns)), plan.dtype)
    for place, column in enumerate(columns):
        matrix[:, place] = column
    return matrix


def _column(plan: InputPlan, field: Field, table: Any) -> Array:
    if field.name not in table.column_names:
        raise ContractViolation(field.name, Rule.MISSING, "the table has no such column")
    column = table.column(field.name)
    try:
        if field.kind is Kind.TENSOR:
            return _tensor(plan, field, column)
        if plan.is_text:
            return _text(plan, column)
        return _number(plan, field, column)
    except (pa.ArrowException, ValueError, TypeError) as error:
        message = f"a column of type {column.type} does not fit a field of kind {field.kind}"
        raise ContractViolation(field.name, Rule.TYPE, message) from error


def _number(plan: InputPlan, field: Field, column: Any) -> Array:
    kind = column.type
    if not (pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)):
        raise TypeError("text is never read as a number")
    if field.kind is Kind.TIMESTAMP and pa.types.is_temporal(column.type):
        column = column.cast(pa.timestamp("us", tz=getattr(column.type, "tz", None)), safe=False).cast(pa.int64())
    if plan.dtype.kind == "f":
        values: Array = column.cast(pa.float64(), safe=False).to_numpy()
        with np.errstate(over="ignore"):
            return values.astype(plan.dtype, copy=False)
    if column.null_count:
        raise ContractViolation(field.name, Rule.NULL, "has nulls, which the model's integer input cannot hold")
    # Safely, so that half a whole number, or one beyond 64 bits, is refused rather than bent into another.
    found: Array = column.cast(pa.from_numpy_dtype(plan.dtype)).to_numpy()
    return found


def _text(plan: InputPlan, column: Any) -> Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = np.empty(len(column), dtype=object)
    values = column.to_pylist()
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        found[:] = values
    else:
        found[:] = [plan.null_text if each is None else str(each) for each in values]
    return found


def _tensor(plan: InputPlan, field: Field, column: Any) -> Array:
    if isinstance(column.type, pa.FixedShapeTensorType):
        return np.concatenate([each.to_numpy_ndarray() for each in column.chunks]).astype(plan.dtype, copy=False)
    try:
        return whole_rank(np.array(column.to_pylist(), plan.dtype), field.shape)
    except ValueError as error:
        message = "tensors of one batch differ in shape or hold nulls; send them apart"
        raise ContractViolation(field.name, Rule.SHAPE, message) from error
