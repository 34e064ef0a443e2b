"""The frame: the unit in which a journal is written, checked and cut.

The segment writer encodes frames; recovery, the sealer and every reader decode them. A frame is a header of
24 bytes and a payload; the checksum covers both, so a torn or damaged frame is never taken for a whole one.

::

    offset  size  field
         0     4  magic 48 47 4A F1 (``HGJ`` and a byte no text begins with)
         4     1  format, 1
         5     1  kind, see `Kind`
         6     2  flags, 0 in this format
         8     4  schema id, counted from 1 within a segment; 0 where none applies
        12     4  key id under which the payload is encrypted; 0 means plain
        16     4  payload length in bytes
        20     4  CRC-32 (zlib) of bytes 0..19 and the payload

All numbers are little-endian and unsigned.
"""

import struct
import zlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

MAGIC: Final = b"HGJ\xf1"
FORMAT: Final = 1
MAX_PAYLOAD: Final = 1 << 30
"""Largest payload in bytes; a length beyond it is damage, not a frame."""

_HEAD: Final = struct.Struct("<4sBBHIII")
_CHECKSUM: Final = struct.Struct("<I")
HEADER_BYTES: Final = _HEAD.size + _CHECKSUM.size


class Kind(IntEnum):
    """What a frame's payload is."""

    SEGMENT = 1
    """Whose segment this is; the first frame of every segment and of nothing else."""
    SCHEMA = 2
    """A Schema, before the first block that uses it."""
    BLOCK = 3
    """A Block of the schema whose id the frame carries."""
    COLUMNS = 4
    """The same, column by column: see `packed.py`."""


class Frame(NamedTuple):
    """One whole frame."""

    kind: int
    """A `Kind`, or a number a later format gave a meaning."""
    schema_id: int
    key_id: int
    flags: int
    format: int
    payload: memoryview
    end: int
    """Where the next frame begins."""


class Frames(NamedTuple):
    """The whole frames at the beginning of some bytes."""

    frames: list[Frame]
    end: int
    """Offset after the last whole frame; bytes beyond it are torn, damaged or not written yet."""


def encode_frame(kind: Kind, payload: bytes, *, schema_id: int = 0, key_id: int = 0, flags: int = 0) -> bytes:
    """One frame, header and payload.

    Raises ValueError if the payload exceeds `MAX_PAYLOAD`.

    >>> data = encode_frame(Kind.BLOCK, b"rows", schema_id=1)
    >>> len(data) == HEADER_BYTES + 4
    True
    >>> bytes(read_frames(data).frames[0].payload)
    b'rows'
    """
    return frame_head(kind, [payload], schema_id=schema_id, key_id=key_id, flags=flags) + payload


def frame_head(
    kind: Kind, parts: Sequence[bytes | memoryview], *, schema_id: int = 0, key_id: int = 0, flags: int = 0
) -> bytes:
    """The header of a frame, for whoever puts the parts of its payload behind it without a copy; as `encode_frame`."""
    size = sum(map(len, parts))
    if size > MAX_PAYLOAD:
        raise ValueError(f"a frame holds at most {MAX_PAYLOAD} bytes, this payload has {size}")
    head = _HEAD.pack(MAGIC, FORMAT, kind, flags, schema_id, key_id, size)
    checksum = zlib.crc32(head)
    for each in parts:
        checksum = zlib.crc32(each, checksum)
    return head + _CHECKSUM.pack(checksum)


def frame_at(view: memoryview, start: int) -> Frame | None:
    """The whole frame that begins at `start`, or None where there is none."""
    if len(view) - start < HEADER_BYTES:
        return None
    magic, form, kind, flags, schema_id, key_id, length = _HEAD.unpack_from(view, start)
    end = start + HEADER_BYTES + length
    if magic != MAGIC or length > MAX_PAYLOAD or end > len(view):
        return None
    payload = view[start + HEADER_BYTES : end]
    (checksum,) = _CHECKSUM.unpack_from(view, start + _HEAD.size)
    if zlib.crc32(payload, zlib.crc32(view[start : start + _HEAD.size])) != checksum:
        return None
    return Frame(kind, schema_id, key_id, flags, form, payload, end)


def read_frames(data: bytes | memoryview, start: int = 0) -> Frames:
    """Every whole frame from `start` on, up to the first that is not whole.

    Nothing after a frame that is not whole is looked at: without the frame's length no later boundary is
    certain, and a caller's text may hold bytes that look like a frame.

    >>> data = encode_frame(Kind.BLOCK, b"a") + encode_frame(Kind.BLOCK, b"b")
    >>> read_frames(data[:-1]).end == len(data) // 2
    True
    """
    view = memoryview(data)
    frames = []
    while (frame := frame_at(view, start)) is not None:
        frames.append(frame)
        start = frame.end
    return Frames(frames, start)


def frame_beyond(data: bytes, start: int) -> bool:
    """Whether anything after `start` reads as a whole frame.

    True means the bytes at `start` are damaged rather than torn off: a torn tail has nothing behind it. Only
    this question is answered, no frame is handed out, because its boundary is a guess.
    """
    view = memoryview(data)
    start = data.find(MAGIC, start)
    while start >= 0:
        if frame_at(view, start) is not None:
            return True
        start = data.find(MAGIC, start + 1)
    return False
