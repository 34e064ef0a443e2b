"""What the journal holds of an endpoint that was not handed out before: each record once, as soon as it is readable.

For whoever looks again and again and cannot read everything at each look, as a rollout does. What is asked of the disk
is what is new there: bytes at the end of a segment, and files of the lake. A record comes again when its segment is
sealed, and when small files are laid together; records have keys, so that it is handed out once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.journal.lake import Days
from headgate.journal.places import NOWHERE, Keys, Places, keys_of
from headgate.journal.ports import Stream
from headgate.journal.reader import Reader, View, days_of, laid_together, of_days
from headgate.journal.records import Schema
from headgate.journal.tables import DATED, Table
from headgate.vocabulary import Micros

KEYS: Final[Mapping[Table, tuple[str, ...]]] = {
    Table.INPUTS: ("input_id",),
    Table.ANSWERS: ("input_id", "role", "assigned"),
    Table.LABELS: ("label_id",),
}
"""What tells the records of a table apart."""
AT_ONCE: Final = 200_000
"""Rows whose names are objects of Python at once, at some hundred bytes each."""
_PartKey = tuple[Stream, int, Schema]


class News:
    """The records of one endpoint, look by look; for one thread.

    >>> from pathlib import Path
    >>> from headgate.journal.lake import Lake
    >>> from headgate.testing.segments import MemorySegments
    >>> reader = Reader(Lake(Path("no-such-lake")), MemorySegments())
    >>> news = News(reader, "default", "flights", Micros(0), {Table.LABELS: ("label_id", "value")})
    >>> news.take()[Table.LABELS].num_rows, news.cut
    (0, False)
    """

    def __init__(
        self,
        reader: Reader,
        project: str,
        endpoint: str,
        start: Micros,
        columns: Mapping[Table, Sequence[str]],
        *,
        end: Micros | None = None,
    ) -> None:
        """Of inputs and answers those of `start` and later, with a day before; `columns` name those of each table.

        Nothing is read of days that begin at `end` or later; None reads on and on.
        """
        self._reader = reader
        self._where = project, endpoint
        self._days = days_of(start, end)
        self._columns = columns
        self._read = {table: _Read() for table in columns}
        self._handed_out = {table: Places() for table in columns}
        self.cut = False
        """Whether a writer gave up a segment and took back what was handed out of it: all has to be read anew then."""

    def take(self) -> dict[Table, pa.Table]:
        """What is new in each table. Raises Unavailable where the journal is rearranged all the time."""
        # Nothing is remembered before all tables were read: a reading that fails is as if it had never been.
        found = self._reader.looked(*self._where, tuple(self._columns), self._look)
        new = {}
        for table, (rows, read) in found.items():
            self.cut = self.cut or read.cut
            self._read[table] = read
            new[table] = rows.filter(pa.array(self._first(self._handed_out[table], row_keys(rows, KEYS[table]))))
        return new

    def _look(self, view: View) -> "dict[Table, tuple[pa.Table, _Read]]":
        asked = self._columns.items()
        return {table: _unread(view, table, columns, self._days, self._read[table]) for table, columns in asked}

    @staticmethod
    def _first(handed_out: Places, keys: Keys) -> NDArray[np.bool_]:
        """Which rows were not handed out before, and are not alike to one of them that stands before."""
        first = np.zeros(len(keys), np.bool_)
        first[np.unique(keys, return_index=True)[1]] = True
        first &= handed_out.find(keys) == NOWHERE
        new = keys[first]
        handed_out.add(new)
        return first


@dataclass(frozen=True, slots=True)
class _Read:
    """How far a table was read."""

    files: frozenset[str] = frozenset()
    """Of the lake, by path."""
    rows: Mapping[_PartKey, int] = field(default_factory=dict)
    """Of the segments that are not sealed, so many from their beginning."""
    cut: bool = False
    """Whether a segment has become shorter since."""


def _unread(view: View, table: Table, columns: Sequence[str], days: Days, read: _Read) -> tuple[pa.Table, _Read]:
    """The rows beyond what was `read` of a table, and how far it is read then."""
    pieces = []
    files: set[str] = set()
    rows: dict[_PartKey, int] = {}
    for generation in view.generations[table]:
        listed = generation.files(days)
        files.update(listed)
        if new := [each for each in listed if each not in read.files]:
            pieces.append(generation.read_files(new, columns))
    for part in view.parts:
        if part.table is table:
            key = part.stream, part.sequence, part.schema
            rows[key] = len(part.rows)
            more = part.rows.slice(read.rows.get(key, 0))
            more = of_days(more, days) if table in DATED else more
            pieces.append(more.select([each for each in columns if each in more.column_names]))
    cut = any(_is_cut(key, count, rows, view, table) for key, count in read.rows.items())
    return laid_together(pieces, columns, table), _Read(frozenset(files), rows, cut)


def _is_cut(key: _PartKey, count: int, rows: Mapping[_PartKey, int], view: View, table: Table) -> bool:
    """Whether a segment has fewer rows than were read of it, and was not sealed meanwhile."""
    if key in rows:
        return rows[key] < count
    stream, sequence, _ = key
    return all(each.sealed(stream) < sequence for each in view.generations[table])


def row_keys(rows: pa.Table, names: Sequence[str]) -> Keys:
    """The keys of rows by the columns `names`, without making an object of every value of all rows at once.

    >>> len(row_keys(pa.table({"request_id": ["a", "b"], "row": [0, 0]}), ("request_id", "row")))
    2
    """
    pieces = (rows.slice(start, AT_ONCE) for start in range(0, len(rows), AT_ONCE))
    return np.concatenate([np.zeros(0, np.int64), *(_keys(piece, names) for piece in pieces)])


def _keys(rows: pa.Table, names: Sequence[str]) -> Keys:
    columns = [rows.column(each).to_pylist() for each in names]
    return keys_of(columns[0] if len(columns) == 1 else list(zip(*columns, strict=True)))
