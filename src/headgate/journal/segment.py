"""One segment file: made, appended to, closed, sealed off, and put right after its writer died.

A stream's segments are ``journal/{stream}/{sequence}`` with an ending that says where they are in life:
``.open`` while a writer appends, ``.seg`` once it is done, ``.gone`` when sealed and deleted. The newest
``.gone`` is kept, empty: it remembers which sequences were used, so that none is ever given out twice and
the lake, which counts a stream's sequences, never takes a new segment for one it has already.

A segment explains itself: its first frame names stream, sequence and moment, and each schema stands before the
first block that uses it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from headgate.journal.frames import Kind, encode_frame, frame_at, frame_beyond, frame_head
from headgate.journal.packed import Part
from headgate.journal.ports import Disk, Stream
from headgate.journal.records import Schema
from headgate.journal.scan import SegmentHeader
from headgate.vocabulary import Micros

FOLDER: Final = "journal"
OPEN: Final = ".open"
CLOSED: Final = ".seg"
GONE: Final = ".gone"
LARGE: Final = 64 * 1024
"""Bytes of a part of a payload that is written as it is."""
_BLOCKS: Final = frozenset({Kind.BLOCK, Kind.COLUMNS})


def segment_path(stream: Stream, sequence: int, ending: str) -> str:
    """Where a segment lies.

    >>> segment_path(Stream("here-0"), 7, CLOSED)
    'journal/here-0/000000000007.seg'
    """
    return f"{FOLDER}/{stream}/{sequence:012d}{ending}"


def parse_name(name: str) -> tuple[int, str] | None:
    """Sequence and ending of a segment's file name; None for any other file.

    >>> parse_name("000000000007.seg")
    (7, '.seg')
    """
    number, dot, ending = name.partition(".")
    if len(number) < 12 or not (number.isascii() and number.isdigit()) or dot + ending not in (OPEN, CLOSED, GONE):
        return None
    return int(number), dot + ending


class Segment:
    """The segment a writer appends to."""

    def __init__(self, disk: Disk, stream: Stream, sequence: int, created: Micros) -> None:
        """Make the file and put its first frame and its name on stable storage; OSError otherwise."""
        self.sequence = sequence
        self.created = created
        self.empty = True
        """Whether no block was committed yet."""
        self.closed = False
        """Whether the file has its closed name, or is gone because it was empty."""
        self._disk = disk
        self._stream = stream
        self._schemas: dict[Schema, int] = {}
        self._last: Schema | None = None
        self._last_id = 0
        head = encode_frame(Kind.SEGMENT, msgspec.msgpack.encode(SegmentHeader(stream, sequence, created)))
        self._file = disk.create(segment_path(stream, sequence, OPEN))
        try:
            self._file.append(head)
            self._file.sync()
            disk.sync_folder(f"{FOLDER}/{stream}")
        except OSError:
            self._file.close()
            with suppress(OSError):
                disk.remove(segment_path(stream, sequence, OPEN))
            raise
        self.size = len(head)
        """Bytes known to be on stable storage: the acknowledged prefix."""

    def commit(self, entries: Iterable[tuple[Schema, Kind, Sequence[Part]]]) -> None:
        """Append one frame per entry, of its kind, and return when they are on stable storage.

        After an OSError nothing is known about the bytes beyond `size`: call `seal_off` and nothing else.
        """
        parts: list[Part] = []
        for schema, kind, payload in entries:
            parts += (frame_head(kind, payload, schema_id=self._schema_id(schema, parts)), *payload)
        size = 0
        for data in _gathered(parts):
            self._file.append(data)
            size += len(data)
        self._file.sync()
        self.size += size
        self.empty = False

    def close(self) -> None:
        """Give the file its closed name, durably, or remove it when it holds no block; OSError if neither works.

        What was committed stays safe under the open name when this fails: call it again, or let `recover` do it.
        """
        self._file.close()
        path = segment_path(self._stream, self.sequence, OPEN)
        if self.empty:
            self._disk.remove(path)
        else:
            with suppress(FileNotFoundError):  # an earlier call renamed it and could not sync the folder
                self._disk.rename(path, segment_path(self._stream, self.sequence, CLOSED))
        self._disk.sync_folder(f"{FOLDER}/{self._stream}")
        self.closed = True

    def seal_off(self) -> None:
        """Give up a segment whose append or sync failed, keeping its acknowledged prefix; never raises.

        The file is cut to the prefix, so that frames whose writers were told "not kept" do not come back. It is
        not synced: after a failed sync the kernel may call lost pages clean and a second sync would lie. If even
        the cut fails, or a power loss undoes it, such a frame can be read once more; that is the one doubt a
        journal cannot remove, and it appears at most once, because nobody writes it again.
        """
        with suppress(Exception):
            self._file.truncate(self.size)
        with suppress(Exception):
            self.close()

    def _schema_id(self, schema: Schema, parts: list[Part]) -> int:
        """The id of `schema` in this segment; its frame is added to `parts` when it is new."""
        if schema is self._last:
            return self._last_id
        known = self._schemas.get(schema)
        if known is None:
            known = self._schemas[schema] = len(self._schemas) + 1
            parts.append(encode_frame(Kind.SCHEMA, msgspec.msgpack.encode(schema), schema_id=known))
        self._last, self._last_id = schema, known
        return known


def _gathered(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts in order, small ones joined: a write costs more than a copy of little and less than one of much.

    >>> [len(each) for each in _gathered([b"a", b"bc", bytes(LARGE), b"d"])] == [3, LARGE, 1]
    True
    """
    small: list[Part] = []
    for part in parts:
        if len(part) < LARGE:
            small.append(part)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield part
    if small:
        yield b"".join(small)


def recover(disk: Disk, stream: Stream) -> int:
    """Close what a dead writer of `stream` left open, and return the next sequence; OSError if the disk fails.

    Torn tails are cut and segments without a block removed. Bytes are cut only when nothing behind them reads as
    a frame: damage in the middle of a segment is kept as it is for a person to look at. Call it only when the
    stream has no living writer. Doing it twice, or dying in the middle of it, changes nothing.
    """
    folder = f"{FOLDER}/{stream}"
    names = [found for name, _ in disk.files(folder) if (found := parse_name(name))]
    left_open = [sequence for sequence, ending in names if ending == OPEN]
    for sequence in left_open:
        _close_leftover(disk, stream, sequence)
    if left_open:
        disk.sync_folder(folder)
    return max((sequence for sequence, _ in names), default=-1) + 1


def _close_leftover(disk: Disk, stream: Stream, sequence: int) -> None:
    path = segment_path(stream, sequence, OPEN)
    data = disk.read(path)
    view, end, blocks = memoryview(data), 0, 0
    while (frame := frame_at(view, end)) is not None:
        end = frame.end
        blocks += frame.kind in _BLOCKS
    damaged = frame_beyond(data, end)
    if not blocks and not damaged:
        disk.remove(path)
        return
    file = disk.reopen(path)
    try:
        if end < len(data) and not damaged:
            file.truncate(end)
        # A killed process leaves whole frames the kernel has but the disk has not: once the segment counts as
        # closed they will be sealed, so they must not vanish afterwards.
        file.sync()
    finally:
        file.close()
    disk.rename(path, segment_path(stream, sequence, CLOSED))
