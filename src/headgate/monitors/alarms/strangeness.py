"""How strange the rows of a table are beside those of a reference: the scores that `drift` watches.

Each field is a score by itself: a number is its own, a category its place when the reference's categories are
ordered by how often they occur, so that a new one comes after all, and what is missing comes last. One score more is of
the whole row, in nats: the sum over its fields of how surprising each value is,

    log(1 + z^2) of a number, z = (x - median) / scale,   -log(share) of a category, or of being missing,

where the scale is the interquartile range over 1.349, a standard deviation where values are normal. The first is the
surprise of a Cauchy law, but for a constant: a value a thousand scales away counts 14, not a million, so one broken
field does not hide the others. The share of what never occurred is as if it had once in one row more.

Everything here is fitted on rows that are then not compared with; see `evidence.ranks`.
"""

import math
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.evaluation.estimate import Floats
from headgate.monitors.arrow_types import is_number, is_text, plain, undone
from headgate.monitors.columns import floats, integers, text, texts

ROW: Final = "whole row"
"""Name of the score that all fields of a row have together."""
MISSING: Final = float(np.finfo(np.float64).max)
"""The score of a number that is missing: a finite one, so that it can be kept everywhere."""
_NORMAL_RANGE: Final = 1.349
"""The interquartile range of a normal law with a standard deviation of 1."""


class Number(msgspec.Struct, frozen=True, tag="number"):
    """A field of numbers."""

    name: str
    median: float
    scale: float
    missing: float
    """Surprise of a row without one, in nats."""

    def scored(self, column: pa.ChunkedArray) -> tuple[Floats, Floats]:
        """The score of each row, and its surprise."""
        values = floats(column)
        is_missing = np.isnan(values)
        # Infinite values, and huge ones over a small scale, are as far away as can be told.
        with np.errstate(over="ignore", invalid="ignore"):
            apart = np.minimum(np.abs((values - self.median) / self.scale), 1e100)
        surprise = np.where(is_missing, self.missing, np.log1p(np.square(apart)))
        return np.where(is_missing, MISSING, np.clip(values, -MISSING / 2, MISSING / 2)), surprise


class Category(msgspec.Struct, frozen=True, tag="category"):
    """A field of categories."""

    name: str
    values: tuple[str, ...]
    """Those of the reference, from the most frequent on."""
    surprises: tuple[float, ...]
    """Of each, then of one that is new, then of none."""

    def scored(self, column: pa.ChunkedArray) -> tuple[Floats, Floats]:
        """The score of each row, and its surprise."""
        found = pc.fill_null(pc.index_in(column, value_set=texts(self.values), skip_nulls=True), len(self.values))
        places = np.where(column.is_null().to_numpy(), len(self.values) + 1, integers(found))
        return places.astype(np.float64), np.array(self.surprises)[places]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """Strangeness of the rows of a table, fitted.

    >>> rows = pa.table({"km": [1.0, 2.0, 3.0, None], "kind": ["a", "a", "b", "a"]})
    >>> table = Table.of(rows)
    >>> table.members, table.left_out
    (('km', 'kind', 'whole row'), {})
    >>> scores, faults = table.scored(pa.table({"km": [2.0], "kind": ["c"]}))
    >>> scores.round(2).tolist(), faults
    ([[2.0, 2.0, 1.61]], {})
    """

    fields: tuple[Number | Category, ...]
    left_out: dict[str, str] = {}
    """Fields that cannot be scored, with the reason."""

    @classmethod
    def of(cls, rows: pa.Table) -> "Table":
        """Fitted on some rows of a reference, one or more."""
        fields: list[Number | Category] = []
        left_out = {}
        for name in dict.fromkeys(rows.column_names):
            if why := _unfit(name, rows):
                left_out[name] = why
            else:
                fields.append(_fitted(name, rows[name]))
        return cls(tuple(fields), left_out)

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the scores: the fields', and `ROW`; none where there is no field to score."""
        return (*(each.name for each in self.fields), ROW) if self.fields else ()

    def scored(self, rows: pa.Table) -> tuple[Floats, dict[str, str]]:
        """The scores of some rows, (rows, members), and by member why it has none, which is NaN there.

        A field is at fault where it is missing or of another type than it was, and with it the whole row.
        """
        found, whole = np.full((rows.num_rows, len(self.members)), np.nan), np.zeros(rows.num_rows)
        faults = {each.name: why for each in self.fields if (why := _fault(each, rows))}
        for place, each in enumerate(self.fields):
            if each.name not in faults:
                found[:, place], surprise = each.scored(_plain(rows[each.name], each))
                whole += surprise
        if faults:
            return found, faults | {ROW: f"cannot be scored without {', '.join(faults)}"}
        if self.fields:
            found[:, -1] = whole
        return found, {}


def _unfit(name: str, rows: pa.Table) -> str:
    """Why a field of the reference cannot be scored; empty where it can."""
    if rows.column_names.count(name) > 1:
        return "the reference has several fields of that name"
    if name == ROW:
        return "is the name of the score that all fields have together"
    if pa.types.is_null(rows[name].type):
        return "the reference has no value of it"
    return "" if _kind(rows[name].type) else "its values are neither numbers nor names"


def _fault(field: Number | Category, rows: pa.Table) -> str:
    """Why a field cannot be scored in these rows; empty where it can."""
    if (count := rows.column_names.count(field.name)) != 1:
        return "is handed over several times" if count else "is not among the fields that were handed over"
    kind = rows[field.name].type
    if pa.types.is_null(kind) or _kind(kind) is type(field):
        return ""
    return f"was a {type(field).__name__.lower()} in the reference, and is none now"


def _kind(arrow: pa.DataType) -> type[Number] | type[Category] | None:
    """As what values of a type are scored: numbers, names, or not at all."""
    held = plain(arrow)
    if is_number(held):
        return Number
    return Category if is_text(held) or pa.types.is_boolean(held) else None


def _plain(column: pa.ChunkedArray, field: Number | Category) -> pa.ChunkedArray:
    """The column as its field scores it, whether it is kept as a dictionary or has no value at all."""
    if isinstance(field, Category):
        return text(undone(column))
    return column.cast(pa.float64()) if pa.types.is_null(column.type) else undone(column)


def _fitted(name: str, column: pa.ChunkedArray) -> Number | Category:
    if _kind(column.type) is Number:
        return _number(name, floats(undone(column)))
    return _category(name, text(undone(column)))


def _number(name: str, values: Floats) -> Number:
    missing = -math.log(_share(int(np.isnan(values).sum()), len(values)))
    present = np.sort(values[np.isfinite(values)]).tolist()
    if not present:
        return Number(name, 0.0, 1.0, missing)
    low, median, high = (_quantile(present, share) for share in (0.25, 0.5, 0.75))
    # Where half of the values are the same the range is 0 and the next may not be; where all are, any unit will do.
    scale = (high - low) / _NORMAL_RANGE or (present[-1] - present[0]) / 2 or max(1.0, abs(median))
    return Number(name, median, min(scale, MISSING), missing)


def _quantile(ordered: list[float], share: float) -> float:
    """Between the two values beside it, each made small before they are added: their difference may be too large."""
    place, rest = divmod(share * (len(ordered) - 1), 1.0)
    above = min(int(place) + 1, len(ordered) - 1)
    return ordered[int(place)] * (1.0 - rest) + ordered[above] * rest


def _category(name: str, column: pa.ChunkedArray) -> Category:
    counted = pc.value_counts(column.drop_null()).to_pylist()
    ranked = sorted(((each["values"], each["counts"]) for each in counted), key=lambda each: (-each[1], each[0]))
    counts = [*(count for _, count in ranked), 0, column.null_count]
    surprises = [-math.log(_share(count, len(column))) for count in counts]
    return Category(name, tuple(value for value, _ in ranked), tuple(surprises))


def _share(count: int, rows: int) -> float:
    """Of rows; as one of one row more where there was none."""
    return max(count, 1) / (rows + 1 if count == 0 else rows)
