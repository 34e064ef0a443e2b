"""The inputs of a day with their truth as it was known when the labels of the day were due.

Read once more from the journal then. A label that comes later, or is revised later, changes nothing any more: monitors
are told the same whenever anybody looked. How late labels are told is the file's ``label_maturity``.
"""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.journal.reader import Reader
from headgate.monitors.columns import text
from headgate.monitors.watch.feed import COLUMNS, Source
from headgate.monitors.watch.groups import grouped
from headgate.vocabulary import DAY, SECOND, Micros

EARLIEST: Final = Micros(DAY)
"""How long before a day labels of its inputs may have come at most, by a clock that is wrong."""


def due(start: Micros, maturity_s: float) -> Micros:
    """When every label of the day that begins at `start` is due.

    >>> due(Micros(0), 3600.0) == DAY + 3600 * SECOND
    True
    """
    return Micros(start + DAY + round(maturity_s * SECOND))


def matured(reader: Reader, source: Source, start: Micros, maturity_s: float) -> pa.Table:
    """The inputs of the day that begins at `start`, as the journal's reader joins them with labels known by then."""
    table = reader.joined(
        source.project,
        source.endpoint,
        start=start,
        end=Micros(start + DAY),
        as_of=Micros(due(start, maturity_s) - 1),
        labels_since=Micros(start - EARLIEST),
        roles=source.roles,
        columns=COLUMNS,
    )
    table = grouped(reader, source, table, start) if source.groups else table
    if source.version is None:
        return table
    return table.filter(pc.fill_null(pc.equal(text(table["assigned"]), source.version), False))
