"""Tables as matrices of numbers, for what looks at all fields at once: domains, reconstruction, losses, outliers."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import floats, integers, text
from headgate.monitors.encoder import UNSEEN, Coded, Encoder


def encoder_of(table: pa.Table) -> Encoder:
    """How this reference's fields become columns: numbers, moments and truth values as they are, texts as codes.

    >>> made = encoder_of(pa.table({"a": [1, 2, 3], "b": ["x", "y", "y"], "c": [[1], [2], []]}))
    >>> made.fields[1].categories, made.fields[1].shares[1] < 0.34, made.left_out
    (('y', 'x'), True, ('c',))
    """
    fields: list[Coded] = []
    left_out: list[str] = []
    for name in table.column_names:
        kind = _plain(table[name].type)
        if _is_number(kind):
            fields.append(Coded(name))
        elif _is_text(kind):
            fields.append(_categories(name, table[name]))
        else:
            left_out.append(name)
    return Encoder(tuple(fields), tuple(left_out))


def matrix(encoder: Encoder, table: pa.Table) -> Floats:
    """The table as (rows, fields), NaN where a value is missing or not finite; a field it lacks is missing everywhere.

    >>> encoder = encoder_of(pa.table({"a": [1.0, 2.0], "b": ["x", "x"]}))
    >>> matrix(encoder, pa.table({"b": ["x", "z", None]})).tolist()
    [[nan, 0.0], [nan, -1.0], [nan, nan]]
    """
    rows = table.num_rows
    columns = [_column(each, table[each.name]) if each.name in table.column_names else None for each in encoder.fields]
    if not columns:
        return np.zeros((rows, 0))
    return np.column_stack([np.full(rows, np.nan) if each is None else each for each in columns])


def _column(field: Coded, column: pa.ChunkedArray) -> Floats:
    if field.categories is None:
        return _numbers(column)
    if not _is_text(_plain(column.type)):
        return np.where(pc.is_valid(column).to_numpy(), UNSEEN, np.nan)
    column = text(column)
    codes = pc.index_in(column, value_set=pa.array(field.categories, pa.string()))
    known = integers(pc.fill_null(codes, int(UNSEEN))).astype(np.float64)
    return np.where(pc.is_valid(column).to_numpy(), known, np.nan)


def _numbers(column: pa.ChunkedArray) -> Floats:
    """Numbers as floats, moments as microseconds; NaN for anything else."""
    kind = _plain(column.type)
    if not _is_number(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_dictionary(column.type):
        column = column.cast(kind)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None)), safe=False).cast(pa.int64())
    found = floats(column.cast(pa.int8()) if pa.types.is_boolean(kind) else column)
    return np.where(np.isfinite(found), found, np.nan)


def _categories(name: str, column: pa.ChunkedArray) -> Coded:
    counted = pc.value_counts(text(column).drop_null()).to_pylist()
    ranked = sorted(counted, key=lambda each: (-each["counts"], each["values"]))
    total = sum(each["counts"] for each in ranked)
    return Coded(name, tuple(each["values"] for each in ranked), tuple(each["counts"] / total for each in ranked))


def _plain(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_number(kind: Any) -> bool:
    tests = (
        pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_timestamp,
        pa.types.is_date,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view())
