"""How old the newest data are, and how much of them came twice."""

from collections.abc import Sequence
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.monitors.quality.violations import share_of
from headgate.vocabulary import SECOND, Micros

_ROWS: Final = "_rows"


class Staleness(msgspec.Struct, frozen=True, kw_only=True):
    """How long ago the newest input came."""

    age_s: float | None
    """Seconds; negative where the newest event time lies in the future; None where nothing came at all."""
    promised_s: float | None
    """Seconds after which silence is too long; None where nothing is promised."""

    @property
    def stale(self) -> bool | None:
        """Whether it is too long ago; None where nothing is promised."""
        if self.promised_s is None:
            return None
        return self.age_s is None or self.age_s > self.promised_s


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are copies of another."""

    by: tuple[str, ...]
    """Columns in which two rows must agree to count as copies."""
    share: Estimate
    """Copies beyond the first of each kind, as a share of all rows."""
    most: int
    """Rows of the kind with most of them."""
    left_out: tuple[str, ...] = ()
    """Columns that cannot be compared."""


def staleness(newest: Micros | None, now: Micros, promised_s: float | None = None) -> Staleness:
    """The age of the newest input at `now`, on the same clock.

    >>> staleness(Micros(0), Micros(90 * SECOND), promised_s=60).stale
    True
    """
    return Staleness(age_s=None if newest is None else (now - newest) / SECOND, promised_s=promised_s)


def duplicates(table: pa.Table, by: Sequence[str] = (), *, confidence: float = CONFIDENCE) -> Duplicates:
    """Rows that agree in the columns `by`, or in every column that can be compared.

    Lists and other nested values cannot. Missing values agree with each other. Raises headgate.errors.BadInput for a
    column that is not there.

    >>> found = duplicates(pa.table({"key": ["a", "a", "b", "a"]}))
    >>> found.share.value, found.most
    (0.5, 3)
    """
    absent = next((each for each in by if each not in table.column_names), None)
    if absent is not None:
        raise BadInput("by", "unknown", f"the table has no column '{absent}'")
    wanted = list(by or table.column_names)
    plain = [each for each in wanted if not pa.types.is_nested(table[each].type)]
    left_out = tuple(each for each in wanted if each not in plain)
    if table.num_rows == 0 or not plain:
        reason = "no column can be compared" if table.num_rows else "the window has no rows"
        nothing = Estimate("duplicates", None, None, None, 0, reason)
        return Duplicates(by=tuple(plain), share=nothing, most=0, left_out=left_out)
    columns = [_comparable(table[each]) for each in plain]
    names = [str(place) for place in range(len(plain))]
    counted = pa.table(columns, names=names).group_by(names).aggregate([([], "count_all")])["count_all"]
    copies = table.num_rows - len(counted)
    share = share_of("duplicates", copies, table.num_rows, quantile_of(confidence))
    return Duplicates(by=tuple(plain), share=share, most=int(pc.max(counted).as_py()), left_out=left_out)


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
