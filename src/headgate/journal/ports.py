"""The seams of the journal: the disk it writes to, the segments others read, and the writer itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType, Protocol

from headgate.errors import JournalUnavailable
from headgate.journal.packed import PackedBlock
from headgate.journal.records import Block, Schema

Stream = NewType("Stream", str)
"""Host id and worker id, joined by a dash: whose records these are. Never a path."""

Done = Callable[[JournalUnavailable | None], None]
"""Told once that a block is on disk (None) or never will be: from the writing thread, or, where the block is not
even taken, before `Journal.write` returns."""


class File(Protocol):
    """An append-only file."""

    def append(self, data: bytes | memoryview) -> None:
        """Write all of `data` at the end; OSError when the disk will not take it."""
        ...

    def sync(self) -> None:
        """Return once everything appended is on stable storage; OSError otherwise."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        ...

    def close(self) -> None:
        """Give the handle back; says nothing about durability."""
        ...


class Disk(Protocol):
    """The few things the journal asks of a file system; paths are relative, with forward slashes."""

    def create(self, path: str) -> File:
        """A new empty file, its parent directories made and durable; FileExistsError if it is there.

        The file's own name is durable after `sync_folder`.
        """
        ...

    def reopen(self, path: str) -> File:
        """An existing file, to truncate or append to."""
        ...

    def read(self, path: str, start: int = 0, size: int | None = None) -> bytes:
        """Bytes from `start`, at most `size` of them."""
        ...

    def files(self, folder: str) -> list[tuple[str, int]]:
        """(name, size) of the files directly in `folder`, sorted; empty when there is none."""
        ...

    def folders(self, folder: str) -> list[str]:
        """Names of the directories directly in `folder`, sorted."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Atomically give a file another name, replacing what was there."""
        ...

    def remove(self, path: str) -> None:
        """Delete a file; no error if it is gone already."""
        ...

    def sync_folder(self, folder: str) -> None:
        """Return once creations, renames and removals in `folder` are on stable storage."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class SegmentRef:
    """One segment of one stream."""

    stream: Stream
    sequence: int
    closed: bool
    """Whether its writer is done with it; only closed segments may be sealed."""
    size: int


class SegmentSource(Protocol):
    """Where segments are read from, near or far."""

    def segments(self) -> list[SegmentRef]:
        """Every segment there is, by stream and sequence."""
        ...

    def read(self, segment: SegmentRef, start: int = 0) -> bytes:
        """Its bytes from `start`; headgate.errors.NotFound once it was deleted."""
        ...

    def delete(self, segment: SegmentRef) -> None:
        """Remove a segment everybody has sealed; no error if it is gone already."""
        ...


class Journal(Protocol):
    """What a gateway writes to."""

    def write(self, schema: Schema, block: Block | PackedBlock, done: Done | None) -> bool:
        """Append `block`; `done` is told when it is durable. Never blocks on the disk; whether it was taken at all."""
        ...

    @property
    def healthy(self) -> bool:
        """False from the first failed write until a new segment could be opened."""
        ...

    @property
    def idle(self) -> bool:
        """Whether everything that was taken is on disk, or was given up."""
        ...

    @property
    def full(self) -> bool:
        """Whether so much waits for the disk already that no more requests should be taken."""
        ...

    @property
    def pressed(self) -> bool:
        """Whether so much waits for the disk that what can be left out should be, so that it does not become full."""
        ...

    def close(self) -> None:
        """Commit what was written, close the segment, stop the thread."""
        ...
