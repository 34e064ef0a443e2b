"""Tables in the shapes that models themselves read: matrices, frames, series, tensors, arrays by name.

Importers use it to hear what a model says by itself, before any conversion; that is the truth parity is held to.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput
from headgate.registry.package import Signature
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

Array = npt.NDArray[Any]
DTYPES: dict[str, Any] = {
    "float32": np.float32,
    "float64": np.float64,
    "int64": np.int64,
    "bool": np.bool_,
    "string": object,
}


def column(table: pa.Table, name: str) -> pa.Array:
    """One column of a table in one piece, dictionaries decoded. Raises BadInput when it is not there."""
    if name not in table.column_names:
        raise BadInput(name, "missing", "the table has no such column")
    whole = table.column(name)
    whole = whole.combine_chunks() if whole.num_chunks != 1 else whole.chunk(0)
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], type=whole.type)
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """A numeric, boolean or time column as float64; null becomes NaN, a time microseconds since 1970."""
    values = column(table, name)
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("us", tz=values.type.tz), safe=False).cast(pa.int64())
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    try:
        return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(name, "type", f"must hold numbers, holds {values.type}") from error


def texts(table: pa.Table, name: str, null: object) -> Array:
    """A text column as an object array with `null` standing for nulls."""
    out = np.empty(table.num_rows, dtype=object)
    out[:] = [null if each is None else str(each) for each in column(table, name).to_pylist()]
    return out


def tensors(table: pa.Table, name: str, dtype: Any) -> Array:
    """A tensor column as (rows, *shape)."""
    return np.array(column(table, name).to_pylist(), dtype=dtype)


def matrix(table: pa.Table, fields: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Numeric columns as float64 (rows, fields)."""
    return np.column_stack([numbers(table, each) for each in fields]) if fields else np.empty((table.num_rows, 0))


def frame(table: pa.Table, contract: Contract, fields: tuple[str, ...], *, categories: bool = False) -> Any:
    """A pandas frame as a model was fitted with: numbers in NumPy types, text as objects with NaN for null.

    With `categories`, category fields enter as pandas categories over the contract's domain.
    """
    import pandas as pd  # noqa: PLC0415  frames belong to the adapters; a gateway never calls this

    kinds = {each.name: each for each in contract.fields}
    data: dict[str, Any] = {}
    for name in fields:
        kind = kinds[name].kind
        if kind in (Kind.CATEGORY, Kind.TEXT):
            if categories and kind is Kind.CATEGORY:
                domain = kinds[name].domain or ()
                places = {each: place for place, each in enumerate(domain)}
                codes = [places.get(each, -1) for each in texts(table, name, None)]  # -1 is missing
                data[name] = pd.Categorical.from_codes(codes, categories=pd.Index(domain))
            else:
                data[name] = texts(table, name, np.nan)
            continue
        values = numbers(table, name)
        whole = not np.isnan(values).any()
        if whole and kind is Kind.INTEGER:
            data[name] = column(table, name).cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False)
        else:
            data[name] = values.astype(bool) if whole and kind is Kind.BOOLEAN else values
    return pd.DataFrame({name: _series(pd, values) for name, values in data.items()})


def _series(pd: Any, values: Any) -> Any:
    text = isinstance(values, np.ndarray) and values.dtype.kind == "O"
    return pd.Series(values, dtype=object) if text else pd.Series(values)


def rows(table: pa.Table, contract: Contract, fields: tuple[str, ...], shape: Mapping[str, str]) -> Any:
    """A table in the shape a model was fitted with, by the options of its package: ``input`` and ``categories``."""
    if shape["input"] == "matrix":
        return matrix(table, fields)
    if shape["input"] == "series":
        return texts(table, fields[0], "")
    return frame(table, contract, fields, categories=shape.get("categories") == "dtype")


def feeds(table: pa.Table, signature: Signature, null_text: str = "") -> dict[str, Array]:
    """A table as the arrays a signature asks for."""
    out: dict[str, Array] = {}
    for each in signature.inputs:
        dtype = DTYPES[each.dtype]
        if each.dtype == "string":
            out[each.name] = np.column_stack([texts(table, name, null_text) for name in each.fields])
        elif len(each.fields) == 1 and pa.types.is_nested(table.schema.field(each.fields[0]).type):
            out[each.name] = tensors(table, each.fields[0], dtype)
        else:
            with np.errstate(over="ignore"):
                out[each.name] = matrix(table, tuple(each.fields)).astype(dtype)
    return out


def predicted(prediction: Any, scores: Any, contract: Contract) -> Predicted:
    """What a model said in the registry's form: float64 answers, or classes of the contract with scores.

    Scores of one column are the positive class's probability; without predictions they are derived from scores.
    Raises BadInput for answers that are no numbers where numbers are asked for, or in another shape.
    """
    classes = contract.output.classes
    if contract.output.task is Task.TENSOR:
        return Predicted(np.empty(0), None)
    if np.iscomplexobj(prediction):
        raise BadInput("model", "type", "answers complex numbers")
    if not classes:
        try:
            return Predicted(np.asarray(prediction, np.float64).reshape(-1), None)
        except (ValueError, TypeError) as error:
            raise BadInput(
                "model", "type", "answers something else than numbers, which a regression asks for"
            ) from error
    wide = None
    if scores is not None:
        wide = np.asarray(scores, np.float64)
        wide = wide.reshape(wide.shape[0], -1)
        if wide.shape[1] == 1:
            wide = np.column_stack([1.0 - wide[:, 0], wide[:, 0]])
        if wide.shape[1] != len(classes):
            raise BadInput("model.scores", "shape", f"{wide.shape[1]} scores for {len(classes)} classes")
    if prediction is None:
        if wide is None:
            raise BadInput("model", "shape", "gives neither predictions nor scores")
        prediction = labels(classes)[wide.argmax(axis=1)]
    return Predicted(np.asarray(prediction).reshape(-1), wide)


def first_line(error: Exception) -> str:
    r"""What a library's error says first; some go on for a page.

    >>> first_line(ValueError("could not convert string to float\nReceived: ..."))
    'could not convert string to float'
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def labels(classes: tuple[str | int | bool, ...]) -> Array:
    """The classes as an array that can be indexed by position."""
    kinds = {type(each) for each in classes}
    if kinds == {bool}:
        return np.asarray(classes, np.bool_)
    if kinds == {int}:
        return np.asarray(classes, np.int64)
    out = np.empty(len(classes), dtype=object)
    out[:] = classes
    return out
