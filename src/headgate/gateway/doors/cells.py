"""Values that come as text: the cells of CSV and the parts of a form."""

import json
from collections.abc import Callable
from typing import Any, Final

from headgate.contracts.contract import Field, Kind
from headgate.gateway.doors.elements import scalar

_TRUTH: Final = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


def cell(text: str, field: Field | None) -> Any:
    """`text` as `field` has it; text still where it is nothing of that kind, so that the row check says so.

    >>> cell("3.0", Field("stops", Kind.INTEGER)), cell("", Field("age", Kind.NUMBER, nullable=True))
    (3, None)
    """
    if field is None:
        return text
    if text == "" and (field.nullable or field.kind not in (Kind.TEXT, Kind.CATEGORY)):
        return None
    read = _READ.get(field.kind)
    try:
        return text if read is None else scalar(read(text), field)
    except (ValueError, RecursionError):  # not what the field is; the row check refuses it by name
        return text


def _number(text: str) -> int | float:
    # Python's own grammar also knows 1_000, which CSV does not.
    if "_" in text:
        raise ValueError
    try:
        return int(text)
    except ValueError:
        return float(text)


def _boolean(text: str) -> bool:
    found = _TRUTH.get(text.strip().lower())
    if found is None:
        raise ValueError
    return found


_READ: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.NUMBER: _number,
    Kind.INTEGER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.TENSOR: json.loads,
}
"""How the text of a cell is read; kinds that are text on the wire are not here."""
