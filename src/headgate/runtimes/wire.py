"""The frames a runtime host and its callers exchange: what one looks like, nothing about sockets.

A frame is 12 bytes (length of the head, length of the body, little endian), a head in MessagePack and a body of
raw little-endian array bytes, each array padded to 16 so that the receiver may look at it without copying it.
Arrays of objects (text, bytes) travel as MessagePack in the body. Large arrays do not travel in the body at all: each
lies in a memory file whose descriptor is sent along (see channel.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import Any, Final

import msgspec
import numpy as np

from headgate.errors import FailureKind, RuntimeFailed
from headgate.runtimes.ports import Array, Feeds, Outputs

PREFIX: Final = Struct("<IQ")
SHARED_FROM: Final = 4 << 20
"""Bytes from which an array goes through shared memory. Up to 8 MB neither way was measurably the quicker; what shared
memory saves is memory: the socket's way holds each array four times over while it passes."""
SHARED_AT_MOST: Final = 32
"""Memory files per frame; the kernel passes no more than 253 descriptors at once."""
FRAME_LIMIT: Final = 4 << 30
"""Largest body in bytes; a longer one means that the peers have lost each other's place."""
HEAD_LIMIT: Final = 1 << 20
_ALIGN: Final = 16


class Kind(IntEnum):
    """What a frame is for."""

    RUN = 1
    """Answer this batch."""
    CANCEL = 2
    """Nobody waits for that answer any more."""
    DONE = 3
    """The answer."""
    FAILED = 4
    """The model erred; `message` and `failure` say how."""


class Place(IntEnum):
    """Where an array's bytes are."""

    BODY = 0
    OBJECTS = 1
    """In the body, as a MessagePack list."""
    SHARED = 2
    """In the next memory file."""


class Spec(msgspec.Struct, array_like=True, frozen=True):
    """One array of a frame."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: int
    size: int
    """Bytes."""


class Head(msgspec.Struct, array_like=True, frozen=True):
    """What a frame says about itself."""

    id: int
    kind: int
    arrays: list[Spec] = []
    budget_us: int = 0
    """How long the caller still waits, in microseconds; 0: for ever. Relative, so no clocks are compared."""
    compute_us: int = 0
    scored: bool = False
    """Whether the second array is the scores."""
    message: str = ""
    failure: FailureKind = FailureKind.OTHER
    """What kind of error `message` tells of."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A frame ready to be sent."""

    buffers: list[bytes | memoryview]
    shared: list[Array] = field(default_factory=list)
    """Arrays to be put into memory files, in order."""


_encoder: Final = msgspec.msgpack.Encoder()
_decode_head: Final = msgspec.msgpack.Decoder(Head).decode
_decode_objects: Final = msgspec.msgpack.Decoder(list[Any]).decode


def pack_run(call: int, feeds: Feeds, budget_us: int, shared_from: int = SHARED_FROM) -> Packed:
    """The frame that asks for a batch."""
    return _pack(feeds.items(), shared_from, id=call, kind=Kind.RUN, budget_us=budget_us)


def pack_cancel(call: int) -> Packed:
    """The frame that gives up on call `call`."""
    return _pack((), 0, id=call, kind=Kind.CANCEL)


def pack_failed(call: int, error: RuntimeFailed) -> Packed:
    """The frame that says how the model failed."""
    return _pack((), 0, id=call, kind=Kind.FAILED, message=str(error), failure=error.kind)


def pack_done(call: int, outputs: Outputs, shared_from: int = SHARED_FROM) -> Packed:
    """The frame that answers call `call`: prediction, scores if there are any, then every raw output by name."""
    named: list[tuple[str, Array]] = [("", outputs.prediction)]
    if outputs.scores is not None:
        named.append(("", outputs.scores))
    named.extend(outputs.arrays.items())
    return _pack(
        named, shared_from, id=call, kind=Kind.DONE, compute_us=outputs.compute_us, scored=outputs.scores is not None
    )


def _pack(named: Iterable[tuple[str, Array]], shared_from: int, **about: Any) -> Packed:
    specs: list[Spec] = []
    body: list[bytes | memoryview] = []
    shared: list[Array] = []
    length = 0
    for name, array in named:
        if array.dtype.hasobject or array.dtype.kind in "USMm":
            raw = _encoder.encode(array.ravel().tolist())
            specs.append(Spec(name, "O", array.shape, Place.OBJECTS, len(raw)))
        else:
            plain = _plain(array)
            size = plain.nbytes
            if shared_from and size >= shared_from and len(shared) < SHARED_AT_MOST:
                specs.append(Spec(name, plain.dtype.str, plain.shape, Place.SHARED, size))
                shared.append(plain)
                continue
            raw = plain.tobytes()
            specs.append(Spec(name, plain.dtype.str, plain.shape, Place.BODY, size))
        padding = -len(raw) % _ALIGN
        body.append(raw)
        if padding:
            body.append(bytes(padding))
        length += len(raw) + padding
    head = _encoder.encode(Head(arrays=specs, **about))
    return Packed([PREFIX.pack(len(head), length), head, *body], shared)


def _plain(array: Array) -> Array:
    """The same numbers in C order and little endian."""
    array = np.ascontiguousarray(array).reshape(array.shape)
    return array if array.dtype.str[0] != ">" else array.astype(array.dtype.newbyteorder("<"))


def read_head(raw: bytes) -> Head:
    """The head of a frame. Raises RuntimeFailed when it is none."""
    try:
        return _decode_head(raw)
    except ValueError as error:  # text that is no UTF-8 is not msgspec's own error
        raise RuntimeFailed("the runtime host and its caller do not understand each other") from error


def read_arrays(head: Head, body: bytes, shared: Iterator[memoryview]) -> list[Array]:
    """The arrays of a frame, in order, looking into `body` and the next of `shared`; read-only, nothing is copied."""
    arrays: list[Array] = []
    offset = 0
    try:
        for spec in head.arrays:
            if spec.place == Place.SHARED:
                arrays.append(np.frombuffer(next(shared), np.dtype(spec.dtype)).reshape(spec.shape))
                continue
            if spec.place == Place.OBJECTS:
                values = _decode_objects(memoryview(body)[offset : offset + spec.size])
                found = np.empty(len(values), dtype=object)
                found[:] = values
            else:
                dtype = np.dtype(spec.dtype)
                found = np.frombuffer(body, dtype, spec.size // dtype.itemsize, offset)
            arrays.append(found.reshape(spec.shape))
            offset += spec.size + (-spec.size % _ALIGN)
    except (ValueError, TypeError, ArithmeticError, MemoryError, StopIteration) as error:
        raise RuntimeFailed("the runtime host and its caller do not understand each other") from error
    return arrays


def read_feeds(head: Head, arrays: Sequence[Array]) -> Feeds:
    """The batch a RUN frame asks for."""
    return {spec.name: array for spec, array in zip(head.arrays, arrays, strict=True)}


def read_outputs(head: Head, arrays: Sequence[Array]) -> Outputs:
    """The answer in a DONE frame."""
    first = 2 if head.scored else 1
    if len(arrays) < first:
        raise RuntimeFailed("the runtime host and its caller do not understand each other")
    raw: Mapping[str, Array] = {
        spec.name: array for spec, array in zip(head.arrays[first:], arrays[first:], strict=True)
    }
    return Outputs(arrays[0], arrays[1] if head.scored else None, raw, head.compute_us)
