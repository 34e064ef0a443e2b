"""The shapes in which JSON doors are sent rows and tell answers: by row, by column, as a table.

Row form is a list with an entry per row: an object of fields, all fields in the contract's order, or the bare value
where there is one field. Column form is an object with a list per field. A row that fits no shape is named
``rows[i]`` whichever door it came through, so refusals read the same everywhere.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from headgate.contracts.contract import Contract
from headgate.contracts.decode import parse_json
from headgate.contracts.explain import class_of
from headgate.errors import BadInput
from headgate.gateway.ask import Ask
from headgate.gateway.doors.elements import element, is_bytes, scalar
from headgate.gateway.doors.v2.about import outputs_of
from headgate.gateway.reading import Reader, Reading
from headgate.gateway.view import Seat

Objects = list[Any]
"""Rows as objects of fields, as far as they are any."""


class Told(StrEnum):
    """What of an answer a caller is told."""

    PREDICTION = "prediction"
    """The class or number; of a tensor model its outputs."""
    SCORES = "scores"
    """One number per class, in the contract's order."""
    ALL = "all"
    """An object of every output by its name."""


def parse(body: bytes) -> tuple[dict[str, Any], bool]:
    """The object in `body`, and whether all its numbers are surely finite. Raises BadInput when there is none."""
    finite = True
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document, finite = parse_json(body, "body"), False
    if not isinstance(document, dict):
        raise BadInput("body", "type", f"expected an object, got {class_of(document)}")
    return document, finite


def read_rows(
    reader: Reader, given: object, shape: Callable[[], Objects], *, finite: bool, rest: Any = None
) -> Reading:
    """What the rows ask that `shape` makes of `given`; nothing, and no record of it, where there are none.

    Objects of fields with nothing wrong about them are read as they came, many times as fast.
    """
    if finite and isinstance(given, list) and given and (quick := reader.read_parsed(given, rest)) is not None:
        return quick
    rows = shape()
    if not rows:
        return Reading((), True, None, None, None, None, None)
    return reader.read_objects(rows, rest=rest)


def by_row(rows: object, reader: Reader, name: str) -> Objects:
    """Rows in row form; `name` is what the list is called."""
    return [_row(each, reader.contract, place) for place, each in enumerate(_list(rows, reader, name))]


def by_column(columns: object, reader: Reader, name: str) -> Objects:
    """Rows in column form; a list is a matrix, or the column where there is one field."""
    if not isinstance(columns, dict):
        return by_row(columns, reader, name)
    fields = {each.name: each for each in reader.contract.fields}
    found = {}
    for each, column in columns.items():
        field, values = fields.get(each), _list(column, reader, f"{name}.{each[:64]}")
        # A column nobody asked for is kept, so that the row check names it.
        found[each] = values if field is None else [element(value, field) for value in values]
    if len({len(each) for each in found.values()}) > 1:
        raise BadInput(name, "shape", "has columns of different lengths; each is as long as there are rows")
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]


def by_table(names: Sequence[str], rows: object, reader: Reader, name: str) -> Objects:
    """Rows of a table with named columns; `name` is what the list of rows is called."""
    if len(set(names)) < len(names):
        raise BadInput("columns", "unknown", "names one column twice")
    fields = {each.name: each for each in reader.contract.fields}
    found = []
    for place, row in enumerate(_list(rows, reader, name)):
        if not isinstance(row, list) or len(row) != len(names):
            raise BadInput(f"rows[{place}]", "shape", f"expected a list of {len(names)} values, one per column")
        found.append(
            {
                name: value if (field := fields.get(name)) is None else scalar(value, field)
                for name, value in zip(names, row, strict=True)
            }
        )
    return found


def by_record(records: object, reader: Reader, name: str) -> Objects:
    """Rows as objects alone."""
    fields = {each.name: each for each in reader.contract.fields}
    return [
        {key: value if (field := fields.get(key)) is None else scalar(value, field) for key, value in each.items()}
        if isinstance(each, dict)
        else each
        for each in _list(records, reader, name)
    ]


def _row(row: object, contract: Contract, place: int) -> Any:
    fields = contract.fields
    if isinstance(row, dict) and not (is_bytes(row) and "b64" not in contract.names):
        named = {each.name: each for each in fields}
        return {
            name: value if (field := named.get(name)) is None else element(value, field) for name, value in row.items()
        }
    if len(fields) == 1:
        return {fields[0].name: element(row, fields[0])}
    if not isinstance(row, list):
        return row
    if len(row) != len(fields):
        raise BadInput(
            f"rows[{place}]", "shape", f"expected {len(fields)} values in the contract's order, or an object"
        )
    return {field.name: element(value, field) for field, value in zip(fields, row, strict=True)}


def _list(value: object, reader: Reader, name: str) -> list[Any]:
    """`value` as a list of rows, or of a value for each: none, or as many as a request may have."""
    if not isinstance(value, list):
        raise BadInput(name, "missing" if value is None else "type", f"expected a list, got {class_of(value)}")
    if value:
        reader.check_count(len(value))
    return value


def wanted(text: object, seat: Seat, name: str) -> Told:
    """What a caller asks to be told, in the words of `Told`. Raises BadInput for what this model does not give."""
    offered = {Told.PREDICTION, Told.ALL} | ({Told.SCORES} if gives_scores(seat) else set())
    if not isinstance(text, str) or text not in offered:
        raise BadInput(name, "unknown", f"this model gives {', '.join(sorted(offered))}")
    return Told(text)


def gives_scores(seat: Seat) -> bool:
    """Whether a version says how sure it is of each class."""
    return any(each["name"] == Told.SCORES for each in outputs_of(seat)) and seat.served.contract.output.classes != ()


def tell(ask: Ask, told: Told) -> list[Any]:
    """One entry per row of a request whose rows are all answered."""
    answers = ask.answers()
    if ask.arrays is not None:
        arrays = ask.arrays
        rows = [{name: array.tolist() for name, array in arrays[place].items()} for place in range(len(answers))]
        bare = told is not Told.ALL and all(len(each) == 1 for each in rows)
        return [next(iter(each.values())) for each in rows] if bare else rows
    if told is Told.SCORES:
        return [each.scores for each in answers]
    if told is Told.PREDICTION:
        return [each.prediction for each in answers]
    return [
        {"prediction": each.prediction} | ({} if each.scores is None else {"scores": each.scores}) for each in answers
    ]


def turned(rows: list[Any]) -> Any:
    """What `tell` gave, in column form: a list per name, or one list.

    >>> turned([{"prediction": 1, "scores": [0.2, 0.8]}, {"prediction": 0, "scores": [0.9, 0.1]}])
    {'prediction': [1, 0], 'scores': [[0.2, 0.8], [0.9, 0.1]]}
    """
    if not rows or not isinstance(rows[0], dict):
        return rows
    return {name: [each.get(name) for each in rows] for name in rows[0]}
