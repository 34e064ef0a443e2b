"""Rows in the shape a native model reads, made of the arrays every runtime is given.

The options of a package say which: ``matrix``, ``frame``, ``series``, ``table`` or ``rows``. What is made here must
equal what the model was shown when it was registered: numbers in NumPy types, nulls as NaN in frames.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import BadConfiguration, MissingExtra
from headgate.registry.package import Manifest
from headgate.runtimes.ports import Array, Feeds

Shaper = Callable[[Feeds], Any]


def shaper(manifest: Manifest, contract: Contract) -> Shaper:
    """The function that shapes feeds for the package's model. Raises BadConfiguration for an unknown shape."""
    by_name = {each.name: each for each in contract.fields}
    fields = [by_name[each.fields[0]] for each in manifest.signature.inputs]
    names = [each.name for each in manifest.signature.inputs]
    shape = manifest.options.get("input")
    match shape:
        case "matrix":
            return lambda feeds: np.concatenate([feeds[each] for each in names], axis=1)
        case "series":
            return lambda feeds: _texts(feeds[names[0]][:, 0], "")
        case "frame":
            return _framer(names, fields, categories=manifest.options.get("categories") == "dtype")
        case "table":
            return _tabler(names, fields)
        case "rows":
            table = _tabler(names, fields)
            return lambda feeds: table(feeds).to_pylist()
        case _:
            raise BadConfiguration("manifest.options.input", "names no shape this Headgate knows; update Headgate")


def _texts(values: Array, null: object) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = [null if each is None else each for each in values.tolist()]
    return found


def _framer(names: list[str], fields: list[Field], *, categories: bool) -> Shaper:
    try:
        import pandas as pd  # noqa: PLC0415 - adapter: only models fitted on frames need pandas
    except ImportError as error:
        raise MissingExtra("a model that reads pandas frames", "platform") from error

    def frame(feeds: Feeds) -> Any:
        data: dict[str, Any] = {}
        for name, field in zip(names, fields, strict=True):
            values = feeds[name][:, 0]
            if field.kind in (Kind.CATEGORY, Kind.TEXT):
                if categories and field.kind is Kind.CATEGORY:
                    domain = field.domain or ()
                    places = {each: place for place, each in enumerate(domain)}
                    codes = [places.get(each, -1) for each in values.tolist()]  # -1 is missing
                    data[field.name] = pd.Categorical.from_codes(codes, categories=pd.Index(domain))
                else:
                    data[field.name] = pd.Series(_texts(values, np.nan), dtype=object)
            else:
                data[field.name] = _whole(values, field)
        return pd.DataFrame(data)

    return frame


def _whole(values: Array, field: Field) -> Array:
    """Numbers of whole fields as such, unless one is missing, which only floats can say."""
    if field.kind not in (Kind.INTEGER, Kind.BOOLEAN) or np.isnan(values).any():
        return values
    return values.astype(np.int64 if field.kind is Kind.INTEGER else np.bool_)


def _tabler(names: list[str], fields: list[Field]) -> Shaper:
    try:
        import pyarrow as pa  # noqa: PLC0415 - adapter: only models that read tables or rows need it
    except ImportError as error:
        raise MissingExtra("a model that reads tables or rows", "platform") from error
    types = {
        Kind.NUMBER: pa.float64(),
        Kind.INTEGER: pa.int64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
        Kind.CATEGORY: pa.string(),
        Kind.TEXT: pa.string(),
        Kind.IMAGE: pa.binary(),
    }

    def column(values: Array, field: Field) -> Any:
        if field.kind is Kind.TENSOR:
            return pa.array(values.tolist())
        values = values[:, 0]
        if values.dtype == object:
            return pa.array(values.tolist(), types[field.kind])
        missing = np.isnan(values)
        if field.kind is not Kind.NUMBER:
            values = np.where(missing, 0.0, values).astype(np.bool_ if field.kind is Kind.BOOLEAN else np.int64)
        return pa.array(values, mask=missing).cast(types[field.kind])

    def table(feeds: Feeds) -> Any:
        columns = [column(feeds[name], field) for name, field in zip(names, fields, strict=True)]
        return pa.table(columns, names=[each.name for each in fields])

    return table
