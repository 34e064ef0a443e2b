"""From the bytes of a segment back to schemas and blocks.

The sealer scans closed segments whole; readers of recent data keep a `Scanner` per open segment and feed it
what was appended since.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from headgate.errors import IntegrityError, NewerSchema
from headgate.journal.frames import FORMAT, Frame, Kind, frame_beyond, read_frames
from headgate.journal.packed import unpacked
from headgate.journal.records import Block, Schema


class SegmentHeader(msgspec.Struct, array_like=True, frozen=True):
    """Whose segment this is: the payload of its first frame."""

    stream: str
    sequence: int
    created: int
    """Microseconds, by the writer's clock."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a segment says."""

    header: SegmentHeader | None
    """None when not even the first frame is whole."""
    blocks: list[tuple[Schema, Block]]
    end: int
    """Offset after the last whole frame."""
    damaged: bool
    """Whether whole frames lie beyond `end`, out of reach behind damaged bytes; a torn tail is not damage."""


T = TypeVar("T")
_header: Final = msgspec.msgpack.Decoder(SegmentHeader).decode
_schema: Final = msgspec.msgpack.Decoder(Schema).decode
_block: Final = msgspec.msgpack.Decoder(Block).decode


class Scanner:
    """Reads one segment from its beginning, piece by piece, as it grows.

    >>> from headgate.journal.frames import encode_frame
    >>> header = encode_frame(Kind.SEGMENT, msgspec.msgpack.encode(SegmentHeader("here-0", 7, 0)))
    >>> scanner = Scanner()
    >>> scanner.feed(header[:10]), scanner.end
    ([], 0)
    >>> scanner.feed(header), scanner.header.sequence
    ([], 7)
    """

    def __init__(self) -> None:
        self.header: SegmentHeader | None = None
        self.end = 0
        """Offset after the last whole frame: read on from here."""
        self._schemas: dict[int, Schema] = {}

    def feed(self, data: bytes) -> list[tuple[Schema, Block]]:
        """The blocks in `data`, the segment's bytes from `end` on; an unfinished frame waits for the next call.

        Raises NewerSchema if a later version wrote it, IntegrityError if whole frames contradict each other.
        """
        frames, end = read_frames(data)
        blocks = []
        for frame in frames:
            _check_format(frame)
            match frame.kind:
                case Kind.BLOCK:
                    blocks.append((self._schema(frame), _decode(_block, frame)))
                case Kind.COLUMNS:
                    blocks.append((self._schema(frame), _decode(unpacked, frame)))
                case Kind.SCHEMA:
                    self._schemas[frame.schema_id] = _decode(_schema, frame)
                case Kind.SEGMENT:
                    self.header = _decode(_header, frame)
                case _:
                    raise NewerSchema(f"a segment holds a frame of kind {frame.kind}; a newer Headgate wrote it")
        self.end += end
        return blocks

    def _schema(self, frame: Frame) -> Schema:
        schema = self._schemas.get(frame.schema_id)
        if schema is None:
            raise IntegrityError(f"a block names schema {frame.schema_id}, which its segment does not hold")
        return schema


def scan(data: bytes) -> Scan:
    """Everything a whole segment says, up to the first frame that is not whole.

    Raises NewerSchema if a later version wrote it, IntegrityError if whole frames contradict each other.
    """
    scanner = Scanner()
    blocks = scanner.feed(data)
    return Scan(scanner.header, blocks, scanner.end, frame_beyond(data, scanner.end))


def _check_format(frame: Frame) -> None:
    if frame.format != FORMAT or frame.flags or frame.key_id:
        raise NewerSchema("a segment is of a newer format or encrypted; read it with the Headgate that wrote it")


def _decode(decode: Callable[[memoryview], T], frame: Frame) -> T:
    try:
        return decode(frame.payload)
    except ValueError as problem:  # text that is no UTF-8 is not msgspec's own error
        raise IntegrityError(f"a whole frame of kind {frame.kind} does not decode: {problem}") from None
