"""Segments in memory: what the sealer and the readers are tested on, without a disk or a writer thread.

The bytes are those a real segment has, so that everything after `read` is the code that runs in production.
"""

from collections.abc import Iterable

import msgspec

from headgate.errors import NotFound
from headgate.journal.frames import Kind, encode_frame
from headgate.journal.ports import SegmentRef, Stream
from headgate.journal.records import Block, Schema
from headgate.journal.scan import SegmentHeader


class MemorySegments:
    """A SegmentSource whose segments are written by hand.

    >>> source = MemorySegments()
    >>> source.write("here-0", 1, [])
    >>> [(each.stream, each.sequence, each.closed) for each in source.segments()]
    [('here-0', 1, True)]
    """

    def __init__(self) -> None:
        self._bytes: dict[tuple[str, int], bytes] = {}
        self._open: set[tuple[str, int]] = set()
        self._schemas: dict[tuple[str, int], list[Schema]] = {}

    def write(self, stream: str, sequence: int, blocks: Iterable[tuple[Schema, Block]], *, closed: bool = True) -> None:
        """Append `blocks` to a segment, made if there is none, and close it unless told otherwise."""
        key = (stream, sequence)
        header = encode_frame(Kind.SEGMENT, msgspec.msgpack.encode(SegmentHeader(stream, sequence, 0)))
        pieces = [self._bytes.get(key, header)]
        known = self._schemas.setdefault(key, [])
        for schema, block in blocks:
            if schema not in known:
                known.append(schema)
                pieces.append(encode_frame(Kind.SCHEMA, msgspec.msgpack.encode(schema), schema_id=len(known)))
            payload = msgspec.msgpack.encode(block)
            pieces.append(encode_frame(Kind.BLOCK, payload, schema_id=known.index(schema) + 1))
        self._bytes[key] = b"".join(pieces)
        if closed:
            self._open.discard(key)
        else:
            self._open.add(key)

    def append_bytes(self, stream: str, sequence: int, data: bytes) -> None:
        """Append raw bytes to a segment: a torn tail, or damage."""
        self._bytes[stream, sequence] += data

    def cut(self, stream: str, sequence: int, size: int) -> None:
        """Cut a segment to `size` bytes, as a writer does that gives it up."""
        self._bytes[stream, sequence] = self._bytes[stream, sequence][:size]

    def segments(self) -> list[SegmentRef]:
        """Every segment there is, by stream and sequence."""
        return [
            SegmentRef(Stream(stream), sequence, (stream, sequence) not in self._open, len(data))
            for (stream, sequence), data in sorted(self._bytes.items())
        ]

    def read(self, segment: SegmentRef, start: int = 0) -> bytes:
        """Its bytes from `start`; headgate.errors.NotFound once it was deleted."""
        try:
            return self._bytes[segment.stream, segment.sequence][start:]
        except KeyError:
            raise NotFound("segment", f"{segment.stream}/{segment.sequence}") from None

    def delete(self, segment: SegmentRef) -> None:
        """Remove a segment; no error if it is gone already."""
        self._bytes.pop((segment.stream, segment.sequence), None)
        self._schemas.pop((segment.stream, segment.sequence), None)
