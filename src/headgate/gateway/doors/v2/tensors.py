"""Tensors of a request, JSON or binary, as rows of a contract."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import BadInput
from headgate.gateway.doors.elements import scalar
from headgate.gateway.reading import Reader, Reading

KNOWN: Final = frozenset(
    ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"]
)
"""Datatypes with a form in JSON."""
BINARY_ONLY: Final = "BF16"
"""The datatype that the binary extension alone knows."""
MOST_DIMENSIONS: Final = 32
_LONGEST: Final = 2**31 - 1
"""Elements along one dimension."""
_MOST_EMPTY: Final = 1 << 18
"""Lists without a single element that a shape with a 0 in it may stand for."""
Elements = npt.NDArray[Any]
_NUMBERS: Final = frozenset({float, int})


class Tensor(msgspec.Struct, kw_only=True):
    """An input as it came: its elements in `data`, or in `elements` once they were read from binary."""

    name: str
    shape: list[int]
    datatype: str
    data: Any = msgspec.UNSET
    parameters: dict[str, Any] = {}
    elements: Elements | None = None
    """Flat, row-major."""


def check_tensors(tensors: Sequence[Tensor], reader: Reader) -> None:
    """Raises BadInput for a shape no tensor has, and for more rows than a request may have.

    Asked before anything is made of what the shapes promise.
    """
    for each in tensors:
        check_shape(each)
    rows = max((each.shape[0] for each in tensors), default=0)
    if rows:
        reader.check_count(rows)


def read_tensors(tensors: Sequence[Tensor], reader: Reader, contract: Contract) -> Reading:
    """The rows in `tensors`, which `check_tensors` has passed.

    Raises BadInput for tensors that do not fit each other or themselves.
    """
    if all(each.shape[:1] == [0] for each in tensors):
        for each in tensors:
            _check_datatype(each, KNOWN | {BINARY_ONLY})
        return Reading((), True, None, None, None, None, None)
    matrix = _matrix(tensors, contract)
    if matrix is not None and (found := reader.read_matrix(matrix)) is not None:
        return found
    return reader.read_objects(_rows(tensors, contract))


def _matrix(tensors: Sequence[Tensor], contract: Contract) -> Elements | None:
    """All fields as one matrix of numbers in the contract's order, where the tensors hold just that."""
    if len(tensors) == 1 and is_matrix(tensors[0], contract):
        whole = _floats(tensors[0])
        return None if whole is None else whole.reshape(tensors[0].shape)
    if tuple(each.name for each in tensors) != contract.names:
        return None
    rows = tensors[0].shape[:1]
    if any(each.shape not in (rows, [*rows, 1]) for each in tensors):
        return None
    columns = [each for each in map(_floats, tensors) if each is not None]
    return np.column_stack(columns) if len(columns) == len(tensors) else None


def _floats(tensor: Tensor) -> Elements | None:
    """The elements of a tensor of floats, flat; None where they are anything else, or must be looked at singly."""
    if tensor.elements is not None:
        return _elements(tensor) if tensor.elements.dtype.kind == "f" else None
    if tensor.datatype not in ("FP32", "FP64") or not isinstance(tensor.data, list):
        return None
    flat, kinds = _unnested(tensor)
    if not kinds <= _NUMBERS:
        return None
    try:
        found = np.array(flat, np.float64)
    except OverflowError:
        return None
    return found if len(found) == math.prod(tensor.shape) else None


def _rows(tensors: Sequence[Tensor], contract: Contract) -> list[dict[str, Any]]:
    fields = contract.fields
    if len(tensors) == 1 and is_matrix(tensors[0], contract):
        columns = _columns(tensors[0], fields)
        names: Sequence[str] = contract.names
    else:
        named = {each.name: each for each in fields}
        # A tensor nobody asked for is still read, so that the row check names it.
        columns = [_column(each, named.get(each.name)) for each in tensors]
        names = [each.name for each in tensors]
        if len(set(names)) < len(names):
            raise BadInput("inputs", "unknown", "names one tensor twice")
    rows = {len(column) for column in columns}
    if len(rows) > 1:
        raise BadInput("inputs", "shape", "the first dimension of every tensor is the number of rows; they differ")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def is_matrix(tensor: Tensor, contract: Contract) -> bool:
    """Whether a tensor has all fields of the contract side by side, rather than one of them."""
    wide = len(tensor.shape) == 2 and tensor.shape[1] == len(contract.fields)
    return wide and (tensor.name not in contract.names or len(contract.fields) > 1)


def _columns(tensor: Tensor, fields: Sequence[Field]) -> list[list[Any]]:
    data, width = _flat(tensor), len(fields)
    return [[scalar(value, field) for value in data[place::width]] for place, field in enumerate(fields)]


def _column(tensor: Tensor, field: Field | None) -> list[Any]:
    data = _flat(tensor)
    if field is not None and field.kind is Kind.TENSOR:
        return _nested(data, tensor.shape)
    if tensor.shape[1:] not in ([], [1]):
        raise BadInput(tensor.name[:64], "shape", "expected [rows] or [rows, 1]")
    return data if field is None else [scalar(value, field) for value in data]


def _nested(data: list[Any], shape: list[int]) -> list[Any]:
    try:
        rows: list[Any] = np.array(data, dtype=object).reshape(shape).tolist()
    except ValueError:
        return data
    return rows


def _elements(tensor: Tensor) -> Elements:
    """The elements of a binary tensor, as many as its shape says."""
    elements = tensor.elements
    if elements is None or len(elements) != math.prod(tensor.shape):
        raise BadInput(tensor.name[:64], "shape", "has another number of elements than its shape says")
    return elements


def _flat(tensor: Tensor) -> list[Any]:
    """The tensor's elements in row-major order, nested or not, as many as its shape says."""
    if tensor.elements is not None:
        flat: list[Any] = _elements(tensor).tolist()
        return flat
    _check_datatype(tensor, KNOWN)
    if tensor.data is msgspec.UNSET:
        raise BadInput(tensor.name[:64], "missing", "has neither data nor parameters.binary_data_size")
    data, _ = _unnested(tensor)
    if len(data) != math.prod(tensor.shape):
        raise BadInput(tensor.name[:64], "shape", "has another number of elements than its shape says")
    return data


def _check_datatype(tensor: Tensor, known: frozenset[str]) -> None:
    if tensor.datatype not in known:
        raise BadInput(
            tensor.name[:64], "type", "has a datatype this protocol does not know, or that needs binary tensors"
        )


def check_shape(tensor: Tensor) -> None:
    """Raises BadInput for a shape without rows, with a negative length, or beyond what any tensor has.

    Asked before lengths are multiplied: a caller may send any number of them, of any number of digits.
    """
    name, shape = tensor.name[:64], tensor.shape
    if not 1 <= len(shape) <= MOST_DIMENSIONS or min(shape) < 0 or max(shape) > _LONGEST:
        limits = f"{MOST_DIMENSIONS} dimensions and {_LONGEST} along each"
        raise BadInput(name, "shape", f"expected the number of rows, then the rest of the shape: at most {limits}")
    if 0 in shape and math.prod(shape[: shape.index(0)]) > _MOST_EMPTY:
        raise BadInput(name, "shape", f"has more than {_MOST_EMPTY} lists without an element")


def _unnested(tensor: Tensor) -> tuple[list[Any], set[type]]:
    """The tensor's elements in row-major order, and their types: lists in lists as deep as its shape, or not at all.

    A level at a time, where all of it is lists or nothing is, so that it costs what there is to read and no more.
    """
    flat = tensor.data if isinstance(tensor.data, list) else [tensor.data]
    for deeper in reversed(range(len(tensor.shape))):
        kinds = set(map(type, flat))
        if list not in kinds:
            return flat, kinds
        if len(kinds) > 1 or not deeper:
            break
        flat = list(chain.from_iterable(flat))
    raise BadInput(tensor.name[:64], "shape", "has lists in places where its shape has none")
