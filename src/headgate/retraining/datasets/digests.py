"""The digest of rows, worked out as they pass: the same for the same rows, however they are cut into pieces."""

import hashlib
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.vocabulary import Digest


class Digester:
    """Every value of every column in order; for one thread.

    >>> one, other = (Digester(pa.schema([("x", pa.float64())])) for _ in range(2))
    >>> one.add(pa.table({"x": [1.0, None, 3.0]}))
    >>> other.add(pa.table({"x": [1.0]}))
    >>> other.add(pa.table({"x": [None, 3.0]}))
    >>> one.digest() == other.digest()
    True
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._parts = {each: tuple(hashlib.sha256() for _ in range(3)) for each in schema.names}
        """Of each column: its values, the lengths of its texts, and where it is null."""
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """The next rows, with the columns of the schema."""
        for name in self._schema.names:
            values, lengths, nulls = self._parts[name]
            for place, chunk in _placed(rows[name]):
                if chunk.null_count:
                    missing = np.flatnonzero(pc.is_null(chunk).to_numpy(zero_copy_only=False)) + self._rows + place
                    nulls.update(missing.astype("<i8").tobytes())
                if pa.types.is_string(chunk.type):
                    texts = pc.fill_null(chunk, "")
                    lengths.update(pc.binary_length(texts).to_numpy().tobytes())
                    values.update(_letters(texts))
                else:
                    values.update(_numbers(chunk))
        self._rows += len(rows)

    def digest(self) -> Digest:
        """Of what was added so far."""
        said = [
            (name, str(self._schema.field(name).type), [each.hexdigest() for each in parts])
            for name, parts in self._parts.items()
        ]
        return Digest(f"sha256:{hashlib.sha256(msgspec.json.encode((self._rows, said))).hexdigest()}")


def _placed(column: pa.ChunkedArray) -> list[tuple[int, Any]]:
    """Each chunk with the number of rows before it."""
    ends = np.cumsum([0, *(len(each) for each in column.chunks)]).tolist()
    return list(zip(ends, column.chunks, strict=False))


def _letters(texts: Any) -> memoryview:
    """The bytes of texts, none of them null, one behind the other."""
    _, offsets, letters = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(b"" if letters is None else letters)[ends[0] : ends[-1]]


def _numbers(chunk: Any) -> bytes:
    """The values one behind the other, those that are missing as zeros."""
    kind = chunk.type
    if pa.types.is_boolean(kind):
        chunk = chunk.cast(pa.uint8())
    elif pa.types.is_timestamp(kind):
        chunk = chunk.cast(pa.int64())
    numbers = pc.fill_null(chunk, 0).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(numbers).tobytes()
