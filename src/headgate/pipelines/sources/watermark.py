"""Rows beyond the highest value of a column, for sources that cannot be asked for those alone."""

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.errors import BadConfiguration, BadInput
from headgate.pipelines.sources.ports import Mark
from headgate.vocabulary import SECOND

_MOMENT: Final = pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Watermark:
    """A column that grows from load to load."""

    source: str
    """The source's name, for complaints."""
    column: str
    overlap_s: int = 0
    """Seconds before the highest moment that are read again."""

    def newer(self, table: pa.Table, mark: Mark) -> pa.Table:
        """The rows of `table` beyond `mark`; all where it is empty. Rows without a value are never new.

        >>> table = pa.table({"n": [1, 2, 3]})
        >>> Watermark("s", "n").newer(table, {"highest": 2, "kind": "number"})["n"].to_pylist()
        [3]
        """
        if "highest" not in mark:
            return table
        kind, values = self.read(table)
        if kind != mark["kind"]:
            raise BadInput(
                f"sources.{self.source}", "schema", f"'{self.column}' was a {mark['kind']} and is now a {kind}"
            )
        return table.filter(pc.fill_null(pc.greater(values, self.since(mark)), False))

    def since(self, mark: Mark) -> Any:
        """The value beyond which rows are new, the overlap taken off."""
        if not self.overlap_s:
            return mark["highest"]
        if mark["kind"] != "moment":
            raise BadConfiguration(f"sources.{self.source}.overlap", f"needs moments in '{self.column}'")
        return mark["highest"] - self.overlap_s * SECOND

    def raised(self, mark: Mark, table: pa.Table) -> Mark:
        """`mark` as it is once `table` has been read."""
        if table.num_rows == 0:
            return mark
        kind, values = self.read(table)
        highest = pc.max(values).as_py()
        if highest is None:
            return mark
        return {**mark, "highest": max(highest, mark.get("highest", highest)), "kind": kind}

    def read(self, table: pa.Table) -> tuple[str, Any]:
        """What the column holds (moment, number or text), and its values: moments as microseconds."""
        if self.column not in table.column_names:
            raise BadInput(f"sources.{self.source}", "schema", f"has no column '{self.column}', its watermark")
        values = table[self.column]
        if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
            return "moment", _micros(values)
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            return _text(values)
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
            return "number", values
        raise BadInput(f"sources.{self.source}", "type", f"'{self.column}' is {values.type}, which does not grow")


def _micros(values: Any) -> Any:
    return pc.cast(pc.cast(values, pa.timestamp("us", getattr(values.type, "tz", None)), safe=False), pa.int64())


def _text(values: Any) -> tuple[str, Any]:
    """Texts as what they spell: moments where all of them do, else numbers, else texts as they are."""
    for kind in (pa.timestamp("us", "UTC"), _MOMENT):
        try:
            return "moment", pc.cast(pc.cast(values, kind), pa.int64())
        except pa.ArrowInvalid:
            continue
    try:
        return "number", pc.cast(values, pa.float64())
    except pa.ArrowInvalid:
        return "text", values
