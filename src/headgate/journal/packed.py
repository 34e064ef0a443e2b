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
_SINGLE: Final = b"\xca"
_FLOAT: Final = b"\xcb"
_INTEGER: Final = b"\xd3"
_BIN8: Final = b"\xc4"
_ARRAY32: Final = b"\xdd"
_HEAD_BYTES: Final = 5
"""Of a list that may have any number of entries."""
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
    """What differs from row to row at one place of every record: values of one width, each behind the same tag."""

    tag: bytes
    values: npt.NDArray[Any]
    """(rows,), or (rows, across) where several stand side by side."""
    dtype: np.dtype[Any]
    """As they are written."""
    nulls: Mask | None = None
    """Rows that have nil in the place of tag and value."""
    lengths: npt.NDArray[np.intp] | None = None
    """Bytes of each row's value that count; None where all do."""

    @property
    def across(self) -> int:
        """How many values a row has here; null and of other lengths only where it is one."""
        return 1 if self.values.ndim == 1 else self.values.shape[1]


Piece = bytes | Cells
"""What stands at one place of every record: the same bytes, or each row's own."""


def number_cells(values: npt.NDArray[Any], nulls: Mask | None = None) -> Cells:
    """Floats, whole numbers or booleans, a column of them or a matrix; null where `nulls` says so.

    >>> msgspec.msgpack.decode(listed(2, [number_cells(np.array([1.5, 2.0]), np.array([False, True]))]))
    [1.5, None]
    >>> msgspec.msgpack.decode(listed(2, [array_head(2), number_cells(np.array([[1.5, 2.0], [3.0, 4.0]]))]))
    [[1.5, 2.0], [3.0, 4.0]]
    """
    if values.dtype == np.bool_:
        return Cells(b"", values.view(np.uint8) + np.uint8(_FALSE), np.dtype(np.uint8), nulls)
    if values.dtype == np.float32:  # half the bytes, and read back as the same number
        return Cells(_SINGLE, values, np.dtype(">f4"), nulls)
    tag, dtype = (_FLOAT, ">f8") if values.dtype.kind == "f" else (_INTEGER, ">i8")
    return Cells(tag, values, np.dtype(dtype), nulls)


def one_of(words: Sequence[object], which: npt.NDArray[np.intp]) -> Cells:
    """For each row one of a few values of any kind.

    >>> msgspec.msgpack.decode(listed(3, [one_of(["no", "maybe"], np.array([1, 0, 1]))]))
    ['maybe', 'no', 'maybe']
    """
    spelled = [_encode(each) for each in words]
    dtype = np.dtype(f"V{max(map(len, spelled))}")
    table = np.frombuffer(b"".join(each.ljust(dtype.itemsize, b"\0") for each in spelled), dtype)
    lengths = np.array([len(each) for each in spelled])
    short = bool((lengths < dtype.itemsize).any())
    return Cells(b"", table[which], dtype, lengths=lengths[which] if short else None)


def id_cells(ids: bytes) -> Cells:
    """Identifiers, 16 bytes each."""
    dtype = np.dtype("V16")
    return Cells(_BIN8 + b"\x10", np.frombuffer(ids, dtype), dtype)


def array_head(length: int) -> bytes:
    """How an array of `length` begins.

    >>> array_head(2).hex(), array_head(20).hex()
    ('92', 'dc0014')
    """
    return bytes([_FIXED_ARRAY + length]) if length < 16 else _LONG_ARRAY + length.to_bytes(2)


def listed(rows: int, pieces: Sequence[Piece]) -> msgspec.Raw:
    """A list with an entry per row: its pieces one after the other."""
    parts = [
        each if isinstance(each, bytes) else (each.tag + bytes(each.dtype.itemsize)) * each.across for each in pieces
    ]
    row = b"".join(parts)
    content = bytearray(_HEAD_BYTES + len(row) * rows)
    content[:_HEAD_BYTES] = head = _ARRAY32 + rows.to_bytes(4)
    matrix = np.frombuffer(content, np.uint8, offset=_HEAD_BYTES).reshape(rows, len(row))
    # Every record as far as they are alike; then each column is one assignment with the record's length as its stride.
    matrix[:] = np.frombuffer(row, np.uint8)
    counts: Mask | None = None
    at = 0
    for piece, part in zip(pieces, parts, strict=True):
        if isinstance(piece, Cells):
            place, width = at + len(piece.tag), len(piece.tag) + piece.dtype.itemsize
            steps = (len(row), width)[: piece.values.ndim]
            np.ndarray(piece.values.shape, piece.dtype, content, _HEAD_BYTES + place, steps)[:] = piece.values
            if piece.nulls is not None or piece.lengths is not None:
                counts = np.ones(matrix.shape, np.bool_) if counts is None else counts
                _shorten(piece, matrix[:, at : at + len(part)], counts[:, at : at + len(part)])
        at += len(part)
    return msgspec.Raw(content if counts is None else head + matrix[counts].tobytes())


def _shorten(cells: Cells, content: Bytes, counts: Mask) -> None:
    """Leave of each row's bytes at one place those that count."""
    if cells.lengths is not None:
        counts[:, len(cells.tag) :] = np.arange(cells.dtype.itemsize) < cells.lengths[:, None]
    if cells.nulls is not None:
        content[cells.nulls, 0] = _NIL
        counts[cells.nulls, 1:] = False
