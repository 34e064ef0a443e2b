"""CSV: what comes as text becomes what its field is; what goes out is a line per row."""

import csv
import io
from itertools import islice
from typing import Any, Final

from headgate.contracts.contract import Contract
from headgate.errors import BadInput, BodyRefused
from headgate.gateway.doors.cells import cell
from headgate.gateway.doors.forms import Objects

CSV: Final = b"text/csv"


def read_table(body: bytes, contract: Contract, *, named: bool | None = None, most: int | None = None) -> Objects:
    """The rows of a CSV body; of more than `most` as many as show that there are more.

    `named` says whether the first line names the columns; by itself it does when any of its cells is a field's name.
    Without names the columns are the contract's fields in their order. An empty cell is null; a cell that is not
    what its field is stays text, so that the row check says what is wrong.

    >>> from headgate.contracts.contract import Field, Kind
    >>> read_table(b"3,b", Contract((Field("stops", Kind.INTEGER), Field("plan", Kind.CATEGORY))))
    [{'stops': 3, 'plan': 'b'}]
    """
    lines = _lines(body, None if most is None else most + 2)  # the names, and one row too many
    names = list(contract.names)
    if lines and (any(each in names for each in lines[0]) if named is None else named):
        names, lines = lines[0], lines[1:]
        if len(set(names)) < len(names):
            raise BadInput("columns", "unknown", "names one column twice")
    fields = {each.name: each for each in contract.fields}
    rows = []
    for place, line in enumerate(lines):
        if len(line) != len(names):
            raise BadInput(f"rows[{place}]", "shape", f"expected {len(names)} cells, one per column")
        rows.append({name: cell(text, fields.get(name)) for name, text in zip(names, line, strict=True)})
    return rows


def write_table(rows: list[Any]) -> bytes:
    """A line per row: one cell, or one per number of a list; what has names goes by their order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([_cells(each) for each in rows])
    return out.getvalue().encode()


def _lines(body: bytes, most: int | None) -> list[list[str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BodyRefused("body", "utf8", f"is not UTF-8 text: byte {error.start} is none") from error
    try:
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        return list(islice((line for line in lines if line), most))
    except csv.Error as error:
        raise BodyRefused("body", "csv", "is not CSV: a quote is not closed, or a cell is over 128 kB") from error


def _cells(said: Any) -> list[Any]:
    if isinstance(said, dict):
        return [cell for each in said.values() for cell in _cells(each)]
    if isinstance(said, list):
        return [cell for each in said for cell in _cells(each)]
    if isinstance(said, bool):
        return ["true" if said else "false"]
    return [said]
