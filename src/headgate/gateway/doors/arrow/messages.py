"""How large a stream is once unfolded, read from its messages before anything is unfolded.

A compressed buffer says its length in eight bytes, and Arrow believes it. Called by `ipc.py` with messages whose
flatbuffers Arrow has verified; every access is checked all the same. Tables and slots as in Message.fbs of
https://github.com/apache/arrow/blob/main/format/Message.fbs, encoding as in https://flatbuffers.dev/internals.
"""

import struct
from collections.abc import Iterator
from typing import Final

from headgate.errors import BodyRefused

_U16: Final = struct.Struct("<H")
_I32: Final = struct.Struct("<i")
_U32: Final = struct.Struct("<I")
_I64: Final = struct.Struct("<q")
_PAIR: Final = struct.Struct("<qq")
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY, _RECORDS = 2, 3
_DATA: Final = 1
"""The slot of a dictionary's record batch."""
_BUFFERS, _COMPRESSION = 2, 3
_PLAIN: Final = -1


def unfolded_bytes(metadata: memoryview, body: memoryview) -> int:
    """Bytes of the buffers of one message once unfolded; 0 for a message that has none.

    Raises BodyRefused when what it says of them does not fit what is there.
    """
    try:
        return sum(_lengths(metadata, body))
    except (struct.error, IndexError) as error:
        raise BodyRefused("body", "arrow", "has a message that contradicts itself") from error


def _lengths(metadata: memoryview, body: memoryview) -> Iterator[int]:
    message = _U32.unpack_from(metadata, 0)[0]
    kind = _slot(metadata, message, _HEADER_TYPE)
    header = _slot(metadata, message, _HEADER)
    if not kind or not header or metadata[kind] not in (_DICTIONARY, _RECORDS):
        return
    records = _follow(metadata, header)
    if metadata[kind] == _DICTIONARY:
        records = _follow(metadata, _slot(metadata, records, _DATA))
    place = _slot(metadata, records, _BUFFERS)
    if not place:
        return
    vector = _follow(metadata, place)
    compressed = bool(_slot(metadata, records, _COMPRESSION))
    for each in range(_U32.unpack_from(metadata, vector)[0]):
        offset, length = _PAIR.unpack_from(metadata, vector + 4 + each * _PAIR.size)
        if offset < 0 or length < 0 or offset + length > len(body):
            raise IndexError
        yield _unfolded(body, offset, length) if compressed and length else length


def _unfolded(body: memoryview, offset: int, length: int) -> int:
    if length < _I64.size:
        raise IndexError
    said: int = _I64.unpack_from(body, offset)[0]
    if said == _PLAIN:
        return length - _I64.size
    if said < 0:
        raise IndexError
    return said


def _slot(data: memoryview, table: int, slot: int) -> int:
    """Where the value of a table's slot stands; 0 where it has none."""
    layout = table - _I32.unpack_from(data, table)[0]
    if layout < 0:
        raise IndexError
    place = 4 + 2 * slot
    if place >= _U16.unpack_from(data, layout)[0]:
        return 0
    offset = _U16.unpack_from(data, layout + place)[0]
    return table + offset if offset else 0


def _follow(data: memoryview, place: int) -> int:
    """Where the offset at `place` leads."""
    if not place:
        raise IndexError
    found: int = place + _U32.unpack_from(data, place)[0]
    return found
