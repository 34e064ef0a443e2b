"""Elements of tensors and tables as the values rows have; called by every door whose protocol is looser than ours.

Tensors and columns have one type for all their elements, so they know no null, and often neither whole numbers nor
booleans: NaN stands for null, 3.0 for 3 and 1 for true, where the field is of that kind.
"""

import base64
import binascii
import math
from typing import Any, Final

from headgate.contracts.contract import Field, Kind
from headgate.errors import BadInput

_B64: Final = frozenset({"b64"})


def scalar(value: Any, field: Field) -> Any:
    """An element as JSON would have it in a row.

    >>> scalar(3.0, Field("stops", Kind.INTEGER)), scalar(float("nan"), Field("age", Kind.NUMBER, nullable=True))
    (3, None)
    """
    if isinstance(value, float):
        if field.nullable and math.isnan(value):
            return None
        if field.kind is Kind.INTEGER and value.is_integer():
            return int(value)
    if field.kind is Kind.BOOLEAN and value in (0, 1):
        return bool(value)
    return _text(value, field) if isinstance(value, bytes) else value


def element(value: Any, field: Field) -> Any:
    """An element of a JSON tensor: also ``{"b64": "..."}`` for bytes, and ``[3]`` where the row has one value.

    >>> element({"b64": "WWVz"}, Field("answer", Kind.TEXT)), element([2], Field("stops", Kind.INTEGER))
    ('Yes', 2)
    """
    if isinstance(value, list) and len(value) == 1 and field.kind is not Kind.TENSOR:
        value = value[0]
    if isinstance(value, dict) and value.keys() == _B64:
        value = _opened(value["b64"], field)
    return scalar(value, field)


def is_bytes(value: object) -> bool:
    """Whether `value` is how JSON tensors write bytes."""
    return isinstance(value, dict) and value.keys() == _B64


def _opened(text: object, field: Field) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(field.name, "type", "has a b64 that is not base64 text") from error


def _text(value: bytes, field: Field) -> Any:
    """An element of bytes: an image is bytes, every other field that comes in bytes is text."""
    if field.kind is Kind.IMAGE:
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadInput(field.name, "utf8", "is not UTF-8 text") from error
