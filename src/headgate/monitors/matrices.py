"""Tables as matrices of numbers, for what looks at all fields at once: domains, reconstruction, losses, outliers."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.arrow_types import is_number, is_text, plain, undone
from headgate.monitors.columns import floats, integers, text
from headgate.monitors.encoder import UNSEEN, Coded, Encoder

CATEGORIES: Final = 254
"""Categories of a field that trees tell apart; the rarer ones and unseen ones count as one more."""
LARGEST: Final = 1e300
"""Trees put thresholds half way between two numbers, whose sum must be one; so numbers are cut here for them."""


def encoder_of(table: pa.Table) -> Encoder:
    """How this reference's fields become columns: numbers, moments and truth values as they are, texts as codes.

    >>> made = encoder_of(pa.table({"a": [1, 2, 3], "b": ["x", "y", "y"], "c": [[1], [2], []]}))
    >>> [each.categories for each in made.fields], made.left_out
    ([None, ('y', 'x')], ('c',))
    """
    fields: list[Coded] = []
    left_out: list[str] = []
    for name in table.column_names:
        kind = plain(table[name].type)
        if _is_ordered(kind):
            fields.append(Coded(name))
        elif is_text(kind):
            fields.append(Coded(name, _categories(table[name])))
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


def for_trees(rows: Floats, categorical: NDArray[np.bool_]) -> Floats:
    """A matrix as gradient boosted trees can read it, missing values still NaN, columns without any value zeros.

    >>> for_trees(np.array([[np.nan, -1.0], [np.nan, 3.0]]), np.array([False, True])).tolist()
    [[0.0, 254.0], [0.0, 3.0]]
    """
    rows = rows.copy()
    codes = rows[:, categorical]
    rows[:, categorical] = np.where((codes < 0) | (codes > CATEGORIES), CATEGORIES, codes)
    rows[:, np.isnan(rows).all(axis=0)] = 0.0
    cut: Floats = np.clip(rows, -LARGEST, LARGEST)
    return cut


def _column(field: Coded, column: pa.ChunkedArray) -> Floats:
    if field.categories is None:
        return _numbers(column)
    if not is_text(plain(column.type)):
        return np.where(pc.is_valid(column).to_numpy(), UNSEEN, np.nan)
    column = text(column)
    codes = pc.index_in(column, value_set=pa.array(field.categories, pa.string()))
    known = integers(pc.fill_null(codes, int(UNSEEN))).astype(np.float64)
    return np.where(pc.is_valid(column).to_numpy(), known, np.nan)


def _numbers(column: pa.ChunkedArray) -> Floats:
    """Numbers as floats, moments as microseconds; NaN for anything else."""
    kind = plain(column.type)
    if not _is_ordered(kind):
        return np.full(len(column), np.nan)
    column = undone(column)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None)), safe=False).cast(pa.int64())
    found = floats(column.cast(pa.int8()) if pa.types.is_boolean(kind) else column)
    return np.where(np.isfinite(found), found, np.nan)


def _categories(column: pa.ChunkedArray) -> tuple[str, ...]:
    counted = pc.value_counts(text(column).drop_null()).to_pylist()
    return tuple(each["values"] for each in sorted(counted, key=lambda each: (-each["counts"], each["values"])))


def _is_ordered(kind: Any) -> bool:
    """Whether values have a place on a line: numbers, moments and truth values."""
    tests = (is_number, pa.types.is_boolean, pa.types.is_timestamp, pa.types.is_date)
    return any(test(kind) for test in tests)
