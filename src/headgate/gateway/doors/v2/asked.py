"""An inference request as a value and what it asks, once for JSON, binary and protobuf."""

import math
from typing import Any, Final

import msgspec
import numpy as np

from headgate.contracts.contract import Contract
from headgate.errors import BadInput
from headgate.gateway.doors.dialect import Question
from headgate.gateway.doors.v2.about import outputs_of
from headgate.gateway.doors.v2.binary import DTYPES, SIZE
from headgate.gateway.doors.v2.tensors import Tensor, check_shape, is_matrix, read_tensors
from headgate.gateway.reading import LONGEST_DEADLINE_MS, LONGEST_KEY, Reader, Reading
from headgate.gateway.view import Seat
from headgate.vocabulary import readable

_KEY: Final = "key"
_TIMEOUT: Final = "timeout"
_BINARY: Final = "binary_data"
_ALL_BINARY: Final = "binary_data_output"


class Output(msgspec.Struct, kw_only=True):
    """An output the caller names."""

    name: str
    parameters: dict[str, Any] = {}


@readable
class Infer(msgspec.Struct, kw_only=True):
    """A request, its tensors with their elements or not yet."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[Output] = []
    parameters: dict[str, Any] = {}


class Wanted(msgspec.Struct):
    """An output somebody asked for."""

    name: str
    datatype: str
    binary: bool
    """Whether JSON callers want it behind the JSON."""


class Plain(msgspec.Struct):
    """What is behind JSON that announces one binary matrix of floats and says nothing else of its rows."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    size: int
    """In bytes."""

    def read(self, raw: memoryview, reader: Reader) -> Reading | None:
        """The rows in `raw`; None where something is wrong with them, or special about one."""
        if len(raw) != self.size:
            return None
        # A copy: behind its JSON it begins anywhere, and numbers across the bounds of words take NumPy twice as long.
        return reader.read_matrix(np.ndarray(self.shape, self.dtype, bytes(raw)))


def plain_of(request: Infer, contract: Contract) -> Plain | None:
    """How such a request is read at once; None where it is of another kind. Raises BadInput as `check_shape` does."""
    if len(request.inputs) != 1 or request.parameters.keys() & {_KEY, _TIMEOUT}:
        return None
    (tensor,) = request.inputs
    check_shape(tensor)
    dtype = DTYPES.get(tensor.datatype)
    if dtype is None or dtype.kind != "f" or 0 in tensor.shape:
        return None
    size = math.prod(tensor.shape) * dtype.itemsize
    if not is_matrix(tensor, contract) or tensor.parameters.get(SIZE) != size:
        return None
    return Plain(dtype, tuple(tensor.shape), size)


def question_of(request: Infer, seat: Seat, wanted: list[Wanted]) -> Question:
    """The rows in the request's tensors, and the outputs it wants.

    Raises BadInput for what is no request of this version.
    """
    reading = read_tensors(request.inputs, seat.served.reader, seat.served.contract)
    reading.id = request.id or None
    reading.deadline_ms = _deadline(request)
    reading.keys = _keys(request, len(reading.rows))
    return Question(reading, wanted)


def _keys(request: Infer, rows: int) -> list[str] | None:
    key = request.parameters.get(_KEY)
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= LONGEST_KEY:
        raise BadInput(
            "parameters.key", "type", f"expected a text of 1 to {LONGEST_KEY} characters, the key of all rows"
        )
    return [key] * rows


def _deadline(request: Infer) -> float | None:
    timeout = request.parameters.get(_TIMEOUT)
    if timeout is None or timeout == 0:  # Triton's clients say 0 for none
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise BadInput("parameters.timeout", "type", "expected microseconds over 0")
    return min(timeout, LONGEST_DEADLINE_MS * 1000) / 1000  # first, because a whole number may be beyond any float


def wanted_of(request: Infer, seat: Seat) -> list[Wanted]:
    """The outputs a request wants, in which form. Raises BadInput where it asks nothing, or for what there is not."""
    if not request.inputs:
        raise BadInput("inputs", "missing", "expected at least one tensor")
    offered = {each["name"]: each["datatype"] for each in outputs_of(seat)}
    binary = _flag(request.parameters, _ALL_BINARY, False)
    for each in request.outputs:
        if each.name not in offered:
            raise BadInput("outputs", "unknown", f"this model gives {', '.join(offered)}")
        if "classification" in each.parameters:
            raise BadInput("outputs", "unsupported", "the classification extension is not spoken here; read 'scores'")
    if len({each.name for each in request.outputs}) < len(request.outputs):
        raise BadInput("outputs", "unknown", "names one output twice")
    if not request.outputs:
        return [Wanted(name, datatype, binary) for name, datatype in offered.items()]
    return [Wanted(each.name, offered[each.name], _flag(each.parameters, _BINARY, binary)) for each in request.outputs]


def _flag(parameters: dict[str, Any], name: str, otherwise: bool) -> bool:
    value = parameters.get(name, otherwise)
    if not isinstance(value, bool):
        raise BadInput(f"parameters.{name}", "type", "expected true or false")
    return value
