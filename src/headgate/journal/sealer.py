"""Moves closed segments into the lake, each exactly once; the controller calls it every few seconds.

Each commit carries, per stream, the last sequence it holds, so what a crash left half done is seen and not done
again: a table that has a sequence takes no row of it twice, and a segment is deleted only when every table it
touches has it on stable storage.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from headgate.errors import IntegrityError, NewerSchema
from headgate.journal.lake import Generation, Lake, each_table, home_of, persist, writing
from headgate.journal.mending import mend
from headgate.journal.ports import SegmentRef, SegmentSource, Stream
from headgate.journal.tables import Table, arrow_schema, conform, first_day
from headgate.journal.tail import Part, closed_parts

BATCH_BYTES: Final = 64 * 1024 * 1024
"""Segment bytes per commit: many small segments share one, a large one has its own."""
GRACE_HOURS: Final = 1
"""How long a replaced file stays for readers that loaded the table before; no read takes nearly as long."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one sealing did."""

    segments: int = 0
    rows: int = 0
    damaged: tuple[str, ...] = ()
    """Segments, as ``stream/sequence``, whose readable part was sealed and whose file was kept for a person."""
    unreadable: tuple[str, ...] = ()
    """Segments that contradict themselves or are of a newer format: their streams wait until the next start."""
    first_days: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By (project, endpoint), the earliest day of the rows that were sealed, as retention counts days."""


class Sealer:
    """Moves closed segments of `source` into `lake`; one sealer at a time per lake.

    >>> from pathlib import Path
    >>> from headgate.testing.segments import MemorySegments
    >>> Sealer(MemorySegments(), Lake(Path("no-such-lake"))).seal().segments
    0
    """

    def __init__(self, source: SegmentSource, lake: Lake, *, batch_bytes: int = BATCH_BYTES) -> None:
        self._source = source
        self._lake = lake
        self._batch_bytes = batch_bytes
        self._kept: set[tuple[Stream, int]] = set()
        self._waiting: set[Stream] = set()
        self._mended = False

    def seal(self) -> Sealed:
        """Seal every closed segment there is; interrupted at any step, the next call finishes the work."""
        if not self._mended:
            mend(self._lake)
            self._mended = True
        done = [self._seal(batch) for batch in self._batches()]
        return Sealed(
            sum(each.segments for each in done),
            sum(each.rows for each in done),
            tuple(name for each in done for name in each.damaged),
            tuple(name for each in done for name in each.unreadable),
            earliest(each.first_days for each in done),
        )

    def compact(self, *, grace_hours: int = GRACE_HOURS) -> int:
        """Lay small files of each day together and return how many fewer there are.

        Files nobody lists any more are removed once they are `grace_hours` old.
        """
        fewer = 0
        for project, endpoint, table in each_table(self._lake):
            for generation in self._lake.generations(project, endpoint, table):
                done = generation.delta.optimize.compact(writer_properties=writing(table))
                if done["numFilesRemoved"]:
                    fewer += done["numFilesRemoved"] - done["numFilesAdded"]
                    persist(generation.folder)
                sweep(generation, grace_hours)
        return fewer

    def _batches(self) -> Iterator[list[SegmentRef]]:
        batch: list[SegmentRef] = []
        size = 0
        for segment in _in_order(self._source.segments()):
            if (segment.stream, segment.sequence) in self._kept or segment.stream in self._waiting:
                continue
            if batch and size + segment.size > self._batch_bytes:
                yield batch
                batch, size = [], 0
            batch.append(segment)
            size += segment.size
        if batch:
            yield batch

    def _seal(self, batch: list[SegmentRef]) -> Sealed:
        read, parts, unreadable = self._read(batch)
        rows = 0
        for project, endpoint, table in sorted({_place(each) for each in parts}):
            mine = [each for each in parts if _place(each) == (project, endpoint, table)]
            rows += self._commit(project, endpoint, Table(table), mine)
        # Only now: every table the segments touch has them on stable storage.
        for segment, damaged in read:
            if damaged:
                self._kept.add((segment.stream, segment.sequence))
            else:
                self._source.delete(segment)
        kept = tuple(_name(segment) for segment, damaged in read if damaged)
        days = earliest({_owner(part): day} for part in parts if (day := first_day(part.table, part.rows)) is not None)
        return Sealed(len(read) - len(kept), rows, kept, unreadable, days)

    def _read(self, batch: list[SegmentRef]) -> tuple[list[tuple[SegmentRef, bool]], list[Part], tuple[str, ...]]:
        """The segments that could be read and whether they are damaged, their parts, and those that could not."""
        moments: dict[bytes, int] = {}
        read: list[tuple[SegmentRef, bool]] = []
        parts: list[Part] = []
        unreadable = []
        for segment in batch:
            if segment.stream in self._waiting:
                continue
            try:
                found, damaged = closed_parts(self._source, segment, moments)
            except (IntegrityError, NewerSchema):
                # Passing it by would give its sequence away: sealed later, its rows would count as sealed already.
                self._waiting.add(segment.stream)
                unreadable.append(_name(segment))
                continue
            parts += found
            read.append((segment, damaged))
        return read, parts, tuple(unreadable)

    def _commit(self, project: str, endpoint: str, table: Table, parts: list[Part]) -> int:
        """Append to one table what it does not have yet: one commit for each generation concerned."""
        generations = self._lake.generations(project, endpoint, table)
        for schema in dict.fromkeys(part.schema for part in parts):
            columns = arrow_schema(table, schema)
            home = home_of(generations, columns)
            if home is None or not home.has(columns):
                self._lake.place(project, endpoint, table, columns)
                generations = self._lake.generations(project, endpoint, table)
        rows = 0
        for generation in generations:
            new = [part for part in parts if _is_for(part, generation, generations)]
            if new:
                sealed: dict[Stream, int] = {}
                for part in new:
                    sealed[part.stream] = max(part.sequence, sealed.get(part.stream, part.sequence))
                whole = pa.concat_tables([conform(part.rows, generation.schema) for part in new])
                self._lake.append(generation, whole, sealed)
                rows += len(whole)
        return rows


def _is_for(part: Part, generation: Generation, generations: list[Generation]) -> bool:
    """Whether `generation` takes the part's rows and does not have them yet."""
    home = home_of(generations, part.rows.schema)
    return home is generation and part.sequence > generation.sealed(part.stream)


def _place(part: Part) -> tuple[str, str, str]:
    return part.schema.project, part.schema.endpoint, part.table


def _owner(part: Part) -> tuple[str, str]:
    return part.schema.project, part.schema.endpoint


def earliest(several: Iterable[Mapping[tuple[str, str], int]]) -> dict[tuple[str, str], int]:
    """The smallest day of each endpoint.

    >>> earliest([{("default", "flights"): 3}, {("default", "flights"): 2}])
    {('default', 'flights'): 2}
    """
    found: dict[tuple[str, str], int] = {}
    for days in several:
        for endpoint, day in days.items():
            found[endpoint] = min(day, found.get(endpoint, day))
    return found


def _name(segment: SegmentRef) -> str:
    return f"{segment.stream}/{segment.sequence}"


def _in_order(segments: Iterable[SegmentRef]) -> Iterator[SegmentRef]:
    """Closed segments in each stream's order, up to its first open one: sequences are sealed without gaps."""
    waiting: set[Stream] = set()
    for segment in sorted(segments, key=lambda each: (each.stream, each.sequence)):
        if not segment.closed:
            waiting.add(segment.stream)
        elif segment.stream not in waiting:
            yield segment


def sweep(generation: Generation, grace_hours: int) -> None:
    """Remove files the table no longer lists, once they are `grace_hours` old."""
    generation.delta.vacuum(retention_hours=grace_hours, dry_run=False, enforce_retention_duration=False)
