"""Records of many rows kept column by column: a record that all of them are like, and what differs from row to row.

Called by gateways for batches that came as columns, and by the scanner, which makes the records again. The rows of a
table differ in little more than their features: written one by one, ten thousand of them would say the same words and
numbers ten thousand times. The payload of such a frame::

    4 bytes  length of the head, little-endian and unsigned
             the head: a `_Head` as msgpack
             16 bytes of each row: its identifier
             the cells of the inputs, then those of the answers, in the order of the head: of each first, where some are
             null, a byte per row (1 is null), then the values row by row, little-endian

Most of it is handed to the disk as it lies in memory.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat, starmap
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from headgate.journal.identifiers import ID_BYTES, each_id
from headgate.journal.records import Answer, Block, Input

Mask = npt.NDArray[np.bool_]
Record = TypeVar("Record", Input, Answer)
Part = bytes | memoryview

FEATURES: Final = "features"
"""The field that several cells may be of, side by side."""
_LENGTH_BYTES: Final = 4
_DTYPES: Final = frozenset(np.dtype(each).newbyteorder("<").str for each in "?bBhHiIqQfd")
"""Of the values of cells, as NumPy spells them: booleans and numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What differs from row to row in one field of a record."""

    field: str
    values: npt.NDArray[Any]
    """Booleans or numbers: (rows,), or (rows, across) where the field holds several."""
    nulls: Mask | None = None
    """Rows whose value is null, whatever stands there; None where none is. For (rows,) alone."""
    words: Sequence[object] | None = None
    """Whose places the values are, where there are few words for all rows; None where they speak for themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Records of one kind that say what `like` says, but for their identifiers and `cells`."""

    like: Input | Answer
    cells: Sequence[Cells]


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """How cells are written."""

    field: str
    dtype: str
    across: int
    """Values of each row that make a list; 0 for a value that stands by itself."""
    nullable: bool
    words: list[Any] | None


class _Inputs(msgspec.Struct, array_like=True, frozen=True):
    like: Input
    cells: list[_Kept]


class _Answers(msgspec.Struct, array_like=True, frozen=True):
    like: Answer
    cells: list[_Kept]


class _Head(msgspec.Struct, array_like=True, frozen=True):
    rows: int
    inputs: _Inputs | None
    answers: _Answers | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Head).decode


class PackedBlock:
    """A Block of inputs, of answers, or of inputs and the answer to each; it is read back as a Block.

    Its arrays must stay as they are until it is written.

    >>> inputs = Alike(Input(b"", 7, (), "r", 0), [Cells("row", np.array([0, 1]))])
    >>> block = PackedBlock(bytes(range(32)), inputs=inputs)
    >>> [(each.id[0], each.at, each.row) for each in unpacked(b"".join(block.parts())).inputs]
    [(0, 7, 0), (16, 7, 1)]
    """

    __slots__ = ("_ids", "_sides")

    def __init__(self, ids: bytes, *, inputs: Alike | None = None, answers: Alike | None = None) -> None:
        """`ids`: 16 bytes of each row."""
        self._ids = ids
        self._sides = (inputs, answers)

    @property
    def rows(self) -> int:
        """How many inputs it has."""
        return 0 if self._sides[0] is None else len(self._ids) // ID_BYTES

    def parts(self) -> list[Part]:
        """Its bytes, in order."""
        sides = [None if each is None else (each.like, list(map(_kept, each.cells))) for each in self._sides]
        head = _encode((len(self._ids) // ID_BYTES, *sides))
        parts: list[Part] = [len(head).to_bytes(_LENGTH_BYTES, "little") + head, self._ids]
        for side in self._sides:
            for cells in () if side is None else side.cells:
                if cells.nulls is not None:
                    parts.append(_bytes(cells.nulls))
                parts.append(_bytes(cells.values))
        return parts


def few(field: str, words: Sequence[object], which: npt.NDArray[np.integer[Any]]) -> Cells:
    """For each row one of a few words of any kind, by its place among them."""
    return Cells(field, which.astype(np.uint8 if len(words) <= 256 else np.int32), words=words)


def unpacked(payload: Part) -> Block:
    """The records in the payload of a frame. Raises ValueError where it contradicts itself."""
    start = int.from_bytes(payload[:_LENGTH_BYTES], "little") + _LENGTH_BYTES
    head = _decode(payload[_LENGTH_BYTES:start])
    values = _Values(payload, start, head.rows)
    ids = each_id(values.take("|u1", ID_BYTES).tobytes())
    inputs = [] if head.inputs is None else _records(head.inputs.like, ids, values.columns(head.inputs.cells))
    answers = [] if head.answers is None else _records(head.answers.like, ids, values.columns(head.answers.cells))
    values.check_end()
    return Block(inputs, answers)


def _kept(cells: Cells) -> tuple[str, str, int, bool, Sequence[object] | None]:
    """As a `_Kept`."""
    values = cells.values
    across = 0 if values.ndim == 1 else values.shape[1]
    return cells.field, values.dtype.newbyteorder("<").str, across, cells.nulls is not None, cells.words


def _bytes(array: npt.NDArray[Any]) -> memoryview:
    """The values of an array, row by row and little-endian; no copy where they lie so in memory."""
    whole = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return whole.reshape(-1).view(np.uint8).data


class _Values:
    """The values in a payload, one array after the other."""

    def __init__(self, payload: Part, start: int, rows: int) -> None:
        self._payload = payload
        self._at = start
        self._rows = rows

    def take(self, dtype: str, across: int) -> npt.NDArray[Any]:
        """The next array: (rows,) where `across` is 0, else (rows, across)."""
        if dtype not in _DTYPES or self._rows < 0 or across < 0:
            raise ValueError("no such values are written")
        count = self._rows * max(1, across)
        found: npt.NDArray[Any] = np.frombuffer(self._payload, dtype, count, self._at) if count else np.empty(0, dtype)
        self._at += found.nbytes
        return found.reshape(self._rows, across) if across else found

    def columns(self, kept: Sequence[_Kept]) -> dict[str, list[Any]]:
        """What the records hold in each field that has cells, row by row."""
        found: dict[str, list[Any]] = {}
        features: list[list[Any]] = []
        for each in kept:
            nulls = self.take("|b1", 0) if each.nullable else None
            values = self.take(each.dtype, each.across)
            if each.field == FEATURES:
                features += values.T.tolist() if each.across else [_listed(values, nulls, each.words)]
            else:
                found[each.field] = _listed(values, nulls, each.words)
        if features:
            found[FEATURES] = list(zip(*features, strict=True))
        return found

    def check_end(self) -> None:
        """Raises ValueError where anything follows."""
        if self._at != len(self._payload):
            raise ValueError("there are more values than the head names")


def _listed(values: npt.NDArray[Any], nulls: Mask | None, words: list[Any] | None) -> list[Any]:
    found: list[Any] = values.tolist()
    if words is not None:
        spelled = [tuple(each) if isinstance(each, list) else each for each in words]  # flags are tuples in a record
        if not set(range(len(words))).issuperset(found):
            raise ValueError("a value is the place of no word")
        found = [spelled[each] for each in found]
    if nulls is not None:
        for place in np.flatnonzero(nulls).tolist():
            found[place] = None
    return found


def _records(like: Record, ids: list[bytes], columns: Mapping[str, list[Any]]) -> list[Record]:
    """A record of each id, which is the first field of either kind."""
    names = like.__struct_fields__[1:]
    if not columns.keys() <= set(names):
        raise ValueError("records have no such field")
    fields: list[Iterable[Any]] = [columns.get(name) or repeat(getattr(like, name)) for name in names]
    kind: Callable[..., Record] = type(like)
    return list(starmap(kind, zip(ids, *fields, strict=False)))  # what all of them say is repeated without end
