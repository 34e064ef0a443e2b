"""How much the values of a table are once nothing is shared any more; called by `ipc.py` before they are read.

Thousands of rows may point at one long text of a dictionary or a view, and a list may say that it has two thousand
million nulls without a byte for them. What a body says that way is held to what it could have said in full.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headgate.errors import BadInput, BodyRefused

_VIEW_BYTES = 16
_LIST_ITEM_BYTES = 2
"""What an element of a list takes in JSON at the least: a digit and a comma."""


def check_values(table: pa.Table, limit: int) -> None:
    """Raises BodyRefused where the values of `table` are more than `limit` bytes, written out."""
    total = 0
    for name, column in zip(table.column_names, table.columns, strict=True):
        for chunk in column.chunks:
            total += _size(name, chunk)
            if total > limit:
                raise BodyRefused("body", "size", f"may have {limit} bytes once unfolded; send fewer rows at a time")


def _size(name: str, array: Any) -> int:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _size(name, array.storage)
    if pa.types.is_dictionary(kind):
        return _shared(name, array)
    if _is_view(kind):
        return int(_lengths(array).sum())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return len(array.values) * _LIST_ITEM_BYTES + _size(name, array.values)
    return 0  # its buffers were counted with their message


def _shared(name: str, array: Any) -> int:
    values = array.dictionary
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    if pa.types.is_primitive(values.type) or pa.types.is_null(values.type):
        return 0
    if not _has_lengths(values.type):
        shown = name[:64]
        raise BadInput(shown, "type", "is a dictionary of lists or the like; send its values as they are")
    lengths = _lengths(values)
    return int(lengths[array.indices.drop_null().to_numpy(zero_copy_only=False).astype(np.intp)].sum())


def _is_view(kind: Any) -> bool:
    return bool(kind in (pa.string_view(), pa.binary_view()))


def _has_lengths(kind: Any) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return _is_view(kind) or pa.types.is_fixed_size_binary(kind) or any(test(kind) for test in tests)


def _lengths(array: Any) -> npt.NDArray[np.int64]:
    """Bytes of each value, nulls too."""
    if _is_view(array.type):
        views = np.frombuffer(array.buffers()[1], np.int32).reshape(-1, _VIEW_BYTES // 4)
        found: npt.NDArray[np.int64] = views[array.offset : array.offset + len(array), 0].astype(np.int64)
        return np.maximum(found, 0)
    if pa.types.is_fixed_size_binary(array.type):
        return np.full(len(array), array.type.byte_width, np.int64)
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    offsets = np.frombuffer(array.buffers()[1], np.int64 if wide else np.int32) if len(array) else np.zeros(1, np.int64)
    ends: npt.NDArray[np.int64] = offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)
    return ends[1:] - ends[:-1]
