"""How old the newest data are, and how much of them came twice."""

from collections.abc import Sequence
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.tables import without_views
from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.monitors.arrow_types import undone
from headgate.monitors.standing import Shortfall, broken
from headgate.vocabulary import SECOND, Micros

AHEAD_S: Final = 60.0
"""Seconds by which the clocks of those who send inputs may be ahead."""


class Staleness(msgspec.Struct, frozen=True, kw_only=True):
    """How long ago the newest input came."""

    age_s: float | None
    """Seconds; None where nothing came at all."""
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


def staleness(newest: Micros | None, now: Micros, promised_s: float | None = None) -> Staleness | Shortfall:
    """The age of the newest input at `now`, on the same clock; broken where it lies more than a minute ahead.

    >>> staleness(Micros(0), Micros(90 * SECOND), promised_s=60).stale
    True
    """
    age = None if newest is None else (now - newest) / SECOND
    if age is not None and age < -AHEAD_S:
        return broken(f"the newest input lies {-age:,.0f} s in the future: a clock is wrong, so nobody knows its age")
    return Staleness(age_s=None if age is None else max(0.0, age), promised_s=promised_s)


def duplicates(table: pa.Table, by: Sequence[str] = (), *, confidence: float = CONFIDENCE) -> Duplicates:
    """Rows that agree in the columns `by`, or in every column that can be compared.

    Lists and other nested values cannot. Missing values agree with each other. Raises headgate.errors.BadInput for a
    column that is not there, and for a confidence outside 0 to 1.

    >>> found = duplicates(pa.table({"key": ["a", "a", "b", "a"]}))
    >>> found.share.value, found.most
    (0.5, 3)
    """
    absent = next((each for each in by if each not in table.column_names), None)
    if absent is not None:
        raise BadInput("by", "unknown", f"the table has no column '{absent}'")
    z, wanted = quantile_of(confidence), list(by or table.column_names)
    plain = [each for each in wanted if not pa.types.is_nested(table[each].type)]
    left_out = tuple(each for each in wanted if each not in plain)
    if table.num_rows == 0 or not plain:
        share = proportion("duplicates", 0, 0, z)
        if not plain:
            share = msgspec.structs.replace(share, reason="no column can be compared")
        return Duplicates(by=tuple(plain), share=share, most=0, left_out=left_out)
    counted = _counted(without_views(table.select(plain)))
    share = proportion("duplicates", table.num_rows - len(counted), table.num_rows, z)
    return Duplicates(by=tuple(plain), share=share, most=int(pc.max(counted).as_py()), left_out=left_out)


def _counted(table: pa.Table) -> pa.ChunkedArray:
    """How many rows there are of each kind."""
    columns = [undone(each) for each in table.columns]
    names = [str(place) for place in range(len(columns))]
    return pa.table(columns, names=names).group_by(names).aggregate([([], "count_all")])["count_all"]
