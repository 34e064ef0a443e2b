"""Records of many rows written column by column: the bytes msgspec would make of them one by one.

Called by gateways for batches that came as columns. Every record of such a block has the same shape, so it is laid
out as a matrix of bytes, a row per record, in which a column of numbers is one assignment. Readers see no difference.
Formats of msgpack: https://github.com/msgpack/msgpack/blob/master/spec.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_NIL: Final = 0xC0
_FALSE: Final = 0xC2
_FLOAT: Final = 0xCB
_INTEGER: Final = 0xD3
_BIN8: Final = b"\xc4"
_ARRAY32: Final = 0xDD
_LONG_ARRAY: Final = b"\xdc"
_FIXED_ARRAY: Final = 0x90
_encode = msgspec.msgpack.Encoder().encode


class PackedBlock(msgspec.Struct, array_like=True, gc=False):
    """A Block whose records are encoded already; it is read back as a Block."""

    inputs: msgspec.Raw
    answers: msgspec.Raw
    labels: tuple[()] = ()

    @property
    def rows(self) -> int:
        """How many inputs it has."""
        return int.from_bytes(bytes(self.inputs)[1:5])


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A column of values of one kind as msgpack has them, a row of bytes each."""

    content: Bytes
    """(rows, width)."""
    lengths: npt.NDArray[np.intp] | None = None
    """Bytes of each row that count; None where all do."""


Piece = bytes | Cells
"""What stands at one place of every record: the same bytes, or each row's own."""


def number_cells(values: npt.NDArray[Any], nulls: Mask | None = None) -> Cells:
    """Floats, whole numbers or booleans; null where `nulls` says so.

    >>> msgspec.msgpack.decode(listed(2, [number_cells(np.array([1.5, 2.0]), np.array([False, True]))]))
    [1.5, None]
    """
    rows = len(values)
    if values.dtype == np.bool_:
        content = (values.view(np.uint8) + np.uint8(_FALSE)).reshape(rows, 1)
    else:
        floats = values.dtype.kind == "f"
        content = np.empty((rows, 9), np.uint8)
        content[:, 0] = _FLOAT if floats else _INTEGER
        content[:, 1:] = values.astype(">f8" if floats else ">i8").view(np.uint8).reshape(rows, 8)
    if nulls is None:
        return Cells(content)
    content[nulls, 0] = _NIL
    return Cells(content, np.where(nulls, 1, content.shape[1]))


def one_of(words: Sequence[object], which: npt.NDArray[np.intp]) -> Cells:
    """For each row one of a few values of any kind.

    >>> msgspec.msgpack.decode(listed(3, [one_of(["no", "maybe"], np.array([1, 0, 1]))]))
    ['maybe', 'no', 'maybe']
    """
    spelled = [_encode(each) for each in words]
    width = max(map(len, spelled))
    table = np.frombuffer(b"".join(each.ljust(width, b"\0") for each in spelled), np.uint8).reshape(-1, width)
    lengths = np.array([len(each) for each in spelled])
    return Cells(table[which], None if bool((lengths == width).all()) else lengths[which])


def id_cells(ids: bytes) -> Cells:
    """Identifiers, 16 bytes each."""
    content = np.empty((len(ids) // 16, 18), np.uint8)
    content[:, :2] = np.frombuffer(_BIN8 + b"\x10", np.uint8)
    content[:, 2:] = np.frombuffer(ids, np.uint8).reshape(-1, 16)
    return Cells(content)


def array_head(length: int) -> bytes:
    """How an array of `length` begins.

    >>> array_head(2).hex(), array_head(20).hex()
    ('92', 'dc0014')
    """
    return bytes([_FIXED_ARRAY + length]) if length < 16 else _LONG_ARRAY + length.to_bytes(2)


def listed(rows: int, pieces: Sequence[Piece]) -> msgspec.Raw:
    """A list with an entry per row: its pieces one after the other."""
    widths = [len(each) if isinstance(each, bytes) else each.content.shape[1] for each in pieces]
    matrix = np.empty((rows, sum(widths)), np.uint8)
    counts: Mask | None = None
    at = 0
    for piece, width in zip(pieces, widths, strict=True):
        if isinstance(piece, bytes):
            matrix[:, at : at + width] = np.frombuffer(piece, np.uint8)
        else:
            matrix[:, at : at + width] = piece.content
            if piece.lengths is not None:
                counts = np.ones(matrix.shape, np.bool_) if counts is None else counts
                counts[:, at : at + width] = np.arange(width) < piece.lengths[:, None]
        at += width
    content = matrix.tobytes() if counts is None else matrix[counts].tobytes()
    return msgspec.Raw(bytes([_ARRAY32]) + rows.to_bytes(4) + content)
