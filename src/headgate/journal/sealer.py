"""Moves closed segments into the lake, each exactly once; the controller calls it every few seconds.

Each commit carries, per stream, the last sequence it holds, so what a crash left half done is seen and not done
again: a table that has a sequence takes no row of it twice, and a segment is deleted only when every table it
touches has it on stable storage.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from headgate.journal.lake import Generation, Lake, each_table, home_of, persist, writing
from headgate.journal.ports import SegmentRef, SegmentSource, Stream
from headgate.journal.tables import Table, arrow_schema, conform
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


class Sealer:
    """Moves closed segments of `source` into `lake`; one sealer at a time per lake."""

    def __init__(self, source: SegmentSource, lake: Lake, *, batch_bytes: int = BATCH_BYTES) -> None:
        self._source = source
        self._lake = lake
        self._batch_bytes = batch_bytes
        self._kept: set[tuple[Stream, int]] = set()

    def seal(self) -> Sealed:
        """Seal every closed segment there is; interrupted at any step, the next call finishes the work."""
        segments, rows, damaged = 0, 0, ()
        for batch in self._batches():
            done = self._seal(batch)
            segments, rows, damaged = segments + done.segments, rows + done.rows, (*damaged, *done.damaged)
        return Sealed(segments, rows, damaged)

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
            if (segment.stream, segment.sequence) in self._kept:
                continue
            if batch and size + segment.size > self._batch_bytes:
                yield batch
                batch, size = [], 0
            batch.append(segment)
            size += segment.size
        if batch:
            yield batch

    def _seal(self, batch: list[SegmentRef]) -> Sealed:
        moments: dict[bytes, int] = {}
        parts: list[Part] = []
        damaged: list[SegmentRef] = []
        for segment in batch:
            found, broken = closed_parts(self._source, segment, moments)
            parts += found
            if broken:
                damaged.append(segment)
        rows = 0
        for project, endpoint, table in sorted({(p.schema.project, p.schema.endpoint, p.table) for p in parts}):
            of_table = [p for p in parts if (p.schema.project, p.schema.endpoint, p.table) == (project, endpoint, table)]
            rows += self._commit(project, endpoint, Table(table), of_table)
        for segment in batch:
            if segment in damaged:
                self._kept.add((segment.stream, segment.sequence))
            else:
                self._source.delete(segment)
        names = tuple(f"{each.stream}/{each.sequence}" for each in damaged)
        return Sealed(len(batch) - len(damaged), rows, names)

    def _commit(self, project: str, endpoint: str, table: Table, parts: list[Part]) -> int:
        """Append to one table what it does not have yet: one commit for each generation concerned."""
        for schema in dict.fromkeys(part.schema for part in parts):
            self._lake.place(project, endpoint, table, arrow_schema(table, schema))
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
