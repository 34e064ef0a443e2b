"""The binary tensor extension: raw tensors behind the JSON, little-endian, row-major, in the order they are listed.

``Inference-Header-Content-Length`` says where the JSON ends. BOOL is a byte; an element of BYTES is its length as a
32-bit integer and then its bytes. Whether a request is binary is told by that header, never by its content type,
because clients send none.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from headgate.errors import BadInput, BodyRefused
from headgate.gateway.doors.v2.tensors import Elements, Tensor, check_shape
from headgate.gateway.http.exchange import JSON_LENGTH, Head

SIZE: Final = "binary_data_size"
DTYPES: Final = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""Datatypes whose elements have one size; BF16 and BYTES are read by hand."""
_BF16: Final = np.dtype("<u2")
_LONGEST: Final = 19
"""Digits of a length."""


def split(head: Head, body: bytes) -> tuple[bytes, memoryview]:
    """The JSON of a request and the bytes behind it; all of it is JSON where the header is missing.

    Raises BodyRefused for a header that is no length within the body.
    """
    text = head.headers.get(JSON_LENGTH)
    if text is None:
        return body, memoryview(b"")
    # Digits first: what is not a number, or has more digits than any length, is no length either.
    length = int(text) if len(text) <= _LONGEST and text.isdigit() else len(body) + 1
    if length > len(body):
        raise BodyRefused("inference-header-content-length", "length", "is not the length of JSON within this body")
    return body[:length], memoryview(body)[length:]


def fill(tensors: Sequence[Tensor], raw: memoryview) -> None:
    """Give every tensor that announces binary data its elements; BadInput when sizes and bytes do not add up."""
    start = 0
    for tensor in tensors:
        size = tensor.parameters.get(SIZE)
        if size is None:
            continue
        name = tensor.name[:64]
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(raw) - start:
            raise BadInput(name, "size", f"has a {SIZE} that is not within the body")
        tensor.elements = elements(tensor, raw[start : start + size])
        start += size
    if start != len(raw):
        raise BadInput("body", "size", f"has {len(raw) - start} bytes that no tensor announces")


def elements(tensor: Tensor, raw: memoryview) -> Elements:
    """The elements in `raw`, flat. Raises BadInput when they are not as many bytes as type and shape say."""
    check_shape(tensor)
    count, name = math.prod(tensor.shape), tensor.name[:64]
    if tensor.datatype == "BYTES":
        return _byte_strings(raw, count, name)
    dtype = _BF16 if tensor.datatype == "BF16" else DTYPES.get(tensor.datatype)
    if dtype is None:
        raise BadInput(name, "type", "has a datatype this protocol does not know")
    if len(raw) != count * dtype.itemsize:
        raise BadInput(name, "size", f"has {len(raw)} bytes where type and shape say {count * dtype.itemsize}")
    found: Elements = np.frombuffer(raw, dtype)
    if tensor.datatype == "BF16":
        # A bfloat16 is the upper half of a float32.
        found = (found.astype(np.uint32) << 16).view(np.float32)
    return found


def _byte_strings(raw: memoryview, count: int, name: str) -> Elements:
    if count * 4 > len(raw):  # each has its length at least, so no more is set aside than has come
        raise BadInput(name, "size", "has fewer byte strings than its shape says")
    found = np.empty(count, dtype=object)
    place = start = 0
    for place, (begin, end) in enumerate(_spans(raw, name), 1):
        if place > count:
            break
        found[place - 1] = bytes(raw[begin:end])
        start = end
    if place != count or start != len(raw):
        raise BadInput(name, "size", "has another number of byte strings than its shape says")
    return found


def _spans(raw: memoryview, name: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(raw):
        begin = start + 4
        start = begin + int.from_bytes(raw[start:begin], "little")
        if begin > len(raw) or start > len(raw):
            raise BadInput(name, "size", "has a byte string that is longer than its tensor")
        yield begin, start


def packed(data: Any, datatype: str) -> bytes:
    """Elements as the bytes of a tensor.

    >>> list(packed(["ja", ""], "BYTES"))
    [2, 0, 0, 0, 106, 97, 0, 0, 0, 0]
    """
    if datatype == "BYTES":
        texts = [each if isinstance(each, bytes) else str(each).encode() for each in data]
        return b"".join([len(each).to_bytes(4, "little") + each for each in texts])
    return np.ascontiguousarray(data, DTYPES[datatype]).tobytes()
