"""Segments as Arrow tables: what the sealer is about to move, and what readers add to the lake until it did.

A reader keeps a `Tail` and pays for each byte of an open segment once, however often it looks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from headgate.errors import IntegrityError, NewerSchema
from headgate.journal.frames import frame_beyond
from headgate.journal.ports import SegmentRef, SegmentSource, Stream
from headgate.journal.records import Block, Schema
from headgate.journal.scan import Scanner
from headgate.journal.tables import Table, answers_table, inputs_table, labels_table, personal, personal_table

CHUNK: Final = 4 * 1024 * 1024
"""Bytes decoded to Python objects at a time before they become columns; bounds memory, not results."""
PIECES: Final = 32
"""Arrow chunks a growing column may have before they are laid together."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that one segment holds under one schema."""

    stream: Stream
    sequence: int
    schema: Schema
    table: Table
    rows: pa.Table


def tables_of(schema: Schema, block: Block, moments: Mapping[bytes, int]) -> dict[Table, pa.Table]:
    """The rows of `block` by table; tables without rows are left out."""
    made: dict[Table, pa.Table] = {}
    if block.inputs:
        made[Table.INPUTS] = inputs_table(schema, block.inputs)
        if personal(schema) and len(side := personal_table(schema, block.inputs)):
            made[Table.PERSONAL] = side
    if block.answers:
        made[Table.ANSWERS] = answers_table(schema, block.answers, moments)
    if block.labels:
        made[Table.LABELS] = labels_table(schema, block.labels)
    return made


def gathered(blocks: Iterable[tuple[Schema, Block]]) -> dict[Schema, Block]:
    """The blocks laid together by schema, each kind of record in its order."""
    found: dict[Schema, Block] = {}
    last: Schema | None = None
    into = Block()
    for schema, block in blocks:
        if schema is not last:
            last, into = schema, found.setdefault(schema, Block([], [], []))
        into.inputs += block.inputs
        into.answers += block.answers
        into.labels += block.labels
    return found


def fed(scanner: Scanner, data: bytes) -> Iterator[dict[Schema, Block]]:
    """What `scanner` makes of `data`, a few megabytes at a time."""
    view, start, size = memoryview(data), 0, CHUNK
    while start < len(view):
        before = scanner.end
        blocks = scanner.feed(bytes(view[start : start + size]))
        taken = scanner.end - before
        if taken == 0 and start + size >= len(view):
            return
        # A frame larger than a chunk needs a longer look; a frame cut by the chunk's end is read again whole.
        size = CHUNK if taken else size * 4
        start += taken
        if blocks:
            yield gathered(blocks)


def closed_parts(source: SegmentSource, segment: SegmentRef, moments: dict[bytes, int]) -> tuple[list[Part], bool]:
    """The parts of a closed segment, and whether bytes in its middle are damaged.

    `moments` remembers the event time of every input met, for the answers that follow. Raises NotFound once the
    segment was deleted, NewerSchema and IntegrityError as `scan.Scanner.feed` does.
    """
    data = source.read(segment)
    scanner = Scanner()
    parts = []
    for found in fed(scanner, data):
        for block in found.values():  # all of them first: an answer may stand under another schema than its input
            moments.update((each.id, each.at) for each in block.inputs)
        for schema, block in found.items():
            for table, rows in tables_of(schema, block, moments).items():
                parts.append(Part(segment.stream, segment.sequence, schema, table, rows))
    return parts, scanner.end < len(data) and frame_beyond(data, scanner.end)


@dataclass(slots=True)
class _Growing:
    """One segment as far as it was read."""

    scanner: Scanner = field(default_factory=Scanner)
    rows: dict[tuple[Schema, Table], pa.Table] = field(default_factory=dict)
    unreadable: bool = False
    """Whether it contradicts itself or is of a newer format; the sealer reports it, readers go on without."""

    def read_on(self, data: bytes) -> None:
        try:
            for found in fed(self.scanner, data):
                for schema, block in found.items():
                    for table, rows in tables_of(schema, block, {}).items():
                        self._add(schema, table, rows)
        except (IntegrityError, NewerSchema):
            self.unreadable = True

    def _add(self, schema: Schema, table: Table, rows: pa.Table) -> None:
        known = self.rows.get((schema, table))
        whole = rows if known is None else pa.concat_tables([known, rows])
        if whole.column(0).num_chunks > PIECES:
            whole = whole.combine_chunks()
        self.rows[schema, table] = whole


class Tail:
    """What segments hold, remembered from look to look."""

    def __init__(self, source: SegmentSource) -> None:
        self._source = source
        self._growing: dict[tuple[Stream, int], _Growing] = {}

    def parts(self, segments: Iterable[SegmentRef]) -> list[Part]:
        """Every part of `segments` as they are now; segments not among them are forgotten.

        Raises NotFound when one was sealed and deleted since it was listed: list and load again.
        """
        listed = {(each.stream, each.sequence): each for each in segments}
        self._growing = {key: each for key, each in self._growing.items() if key in listed}
        for key, segment in listed.items():
            growing = self._growing.get(key) or _Growing()
            if segment.size < growing.scanner.end:
                # A writer that gave the segment up cut what it never acknowledged: read it anew.
                growing = _Growing()
            if segment.size > growing.scanner.end and not growing.unreadable:
                growing.read_on(self._source.read(segment, growing.scanner.end))
            self._growing[key] = growing
        return [
            Part(stream, sequence, schema, table, rows)
            for (stream, sequence), growing in self._growing.items()
            for (schema, table), rows in growing.rows.items()
        ]
