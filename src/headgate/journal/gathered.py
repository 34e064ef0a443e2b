"""What the journal holds of an endpoint, read once and kept: joined anew whenever somebody asks.

For whoever looks again and again and needs all rows at every look, such as a query that may look across them. What is
asked of the disk is what is new there; what is joined is in memory.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.journal.labels import ANSWER_COLUMNS, INPUT_COLUMNS, LABEL_COLUMNS, Join
from headgate.journal.news import News
from headgate.journal.reader import Reader, laid_behind, laid_together
from headgate.journal.tables import FEATURES, MOMENT, Table
from headgate.vocabulary import Micros

_CHUNKS: Final = 64
"""Looks whose rows lie apart in memory before they are laid together: each look adds a few rows, and many small pieces
are slow to go through."""


class Gathered:
    """The records of one endpoint that were read so far, each once; for one thread.

    >>> from pathlib import Path
    >>> from headgate.journal.lake import Lake
    >>> from headgate.testing.segments import MemorySegments
    >>> reader = Reader(Lake(Path("no-such-lake")), MemorySegments())
    >>> gathered = Gathered(reader, "default", "flights", Micros(0), features=False)
    >>> gathered.take()
    >>> gathered.joined(("live",), Micros(0), Micros(9), Micros(9), ("input_id", "label")).num_rows
    0
    """

    def __init__(self, reader: Reader, project: str, endpoint: str, start: Micros, *, features: bool) -> None:
        """Inputs and answers are those of `start` and later, with a day before; public `features` only if wanted."""
        columns: Mapping[Table, Sequence[str]] = {
            Table.INPUTS: (*INPUT_COLUMNS, FEATURES) if features else INPUT_COLUMNS,
            Table.ANSWERS: ANSWER_COLUMNS,
            Table.LABELS: LABEL_COLUMNS,
        }
        self._news = News(reader, project, endpoint, start, columns)
        self._rows = {table: laid_together([], names, table) for table, names in columns.items()}

    @property
    def cut(self) -> bool:
        """Whether a writer took back what was gathered already: all has to be gathered anew then."""
        return self._news.cut

    def take(self) -> None:
        """Read what is new. Raises Unavailable where the journal is rearranged all the time."""
        for table, new in self._news.take().items():
            rows = laid_behind(self._rows[table], new, table)
            self._rows[table] = rows.combine_chunks() if rows.column(0).num_chunks > _CHUNKS else rows

    def joined(
        self, roles: Sequence[str], start: Micros, end: Micros, as_of: Micros, columns: Sequence[str]
    ) -> pa.Table:
        """What `Reader.joined` says of the same window, of what was taken."""
        inputs = self._rows[Table.INPUTS].select(INPUT_COLUMNS)
        received, observed = pc.field("received_at"), pc.field("observed_at")
        labels = self._rows[Table.LABELS].filter((received <= _moment(as_of)) & (observed <= _moment(as_of)))
        with Join(inputs, self._rows[Table.ANSWERS], labels) as join:
            return join.joined(roles, start, end, columns)

    def features(self, start: Micros, end: Micros) -> pa.Table:
        """What `Reader.features` says of the same window, of what was taken with features."""
        at, rows = pc.field("at"), self._rows[Table.INPUTS].select(["input_id", "at", FEATURES])
        rows = rows.filter((at >= _moment(start)) & (at < _moment(end)))
        return rows.filter(pc.is_valid(rows.column(FEATURES))).drop_columns(["at"])


def _moment(at: Micros) -> pa.Scalar:
    return pa.scalar(at, pa.int64()).cast(MOMENT)
