"""Rows of a file of any size, chunk by chunk, always cut at the same places so that work can be resumed."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pyarrow import ipc

from headgate.contracts.contract import Contract, Kind, Rule
from headgate.contracts.tables import without_views
from headgate.errors import BadInput, NotFound, Violation

CHUNK_ROWS: Final = 50_000

_ARROW_TYPES: Final = {
    Kind.NUMBER: pa.float64(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
_EMPTY_IS_NULL: Final = ["", "NA", "NaN", "nan", "null", "NULL", "None"]


def row_count(path: Path) -> int | None:
    """How many rows `path` holds, when its format says so without reading it.

    Raises BadInput when it is not what its ending says.
    """
    if path.suffix.lower() != ".parquet":
        return None
    with _readable(path):
        return int(pq.read_metadata(path).num_rows)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows of a file, and those among them that could not even be read as their type."""

    table: pa.Table
    unreadable: Mapping[int, Violation]
    """By position in `table`; such a cell is null in there."""


def read_chunks(path: Path, contract: Contract, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """The rows of a .parquet, .csv or .arrow file in order, `rows` at a time.

    Raises NotFound when there is no such file, BadInput when it is not what its ending says.
    """
    if not path.is_file():
        raise NotFound("file", str(path))
    openers = {".parquet": _parquet, ".csv": _csv, ".arrow": _arrow, ".feather": _arrow}
    opener = openers.get(path.suffix.lower())
    if opener is None:
        raise BadInput("source", "type", f"the ending must be one of {', '.join(openers)}")
    with _readable(path):
        for cut in _recut(opener(path, rows), rows):
            _refuse_duplicates(cut.column_names)
            table = without_views(cut)
            yield _typed(table, contract) if path.suffix.lower() == ".csv" else Chunk(table, {})


def _refuse_duplicates(names: list[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise BadInput(f"source.{name}", "duplicate", "more than one column has this name; name each once")


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput("source", "type", f"cannot be read as {path.suffix}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What a reader complains of, without the cells it quotes."""
    first = str(error).partition("\n")[0][:200]
    counted = re.search(r"(Row #\d+: )?Expected \d+ columns, got \d+", first)
    return counted[0] if counted else first


def _parquet(path: Path, rows: int) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=rows)


def _csv(path: Path, _rows: int) -> Iterator[pa.RecordBatch]:
    parse = pacsv.ParseOptions(newlines_in_values=True)  # texts have lines; without it they must fit a block
    with path.open("rb") as file:
        names = pacsv.open_csv(file, parse_options=parse).schema.names
    convert = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=_EMPTY_IS_NULL
    )
    with pacsv.open_csv(path, parse_options=parse, convert_options=convert) as reader:
        yield from reader


def _arrow(path: Path, _rows: int) -> Iterator[pa.RecordBatch]:
    with ipc.open_file(path) as reader:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


def _recut(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, rows)
            waiting, count = table.slice(rows).to_batches(), count - rows
    if count:
        yield pa.Table.from_batches(waiting)


def _typed(table: pa.Table, contract: Contract) -> Chunk:
    unreadable: dict[int, Violation] = {}
    for field in contract.fields:
        index, wanted = table.schema.get_field_index(field.name), _ARROW_TYPES.get(field.kind)
        if index < 0 or wanted is None:
            continue
        column, broken = _cast(table.column(index), wanted)
        table = table.set_column(index, field.name, column)
        for row in broken:
            violation = Violation(field.name, Rule.TYPE, f"the text of this cell is not a {field.kind}")
            unreadable.setdefault(row, violation)
    return Chunk(table, unreadable)


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> tuple[pa.ChunkedArray, list[int]]:
    """The column in the wanted type, null where a cell cannot become one, and the rows of those cells."""
    try:
        return pc.cast(column, wanted), []
    except pa.ArrowInvalid:
        cells = [_cell(text, wanted) for text in column]
    broken = [row for row, (cell, text) in enumerate(zip(cells, column, strict=True)) if text.is_valid and cell is None]
    return pa.chunked_array([pa.array(cells, wanted)]), broken


def _cell(text: pa.StringScalar, wanted: pa.DataType) -> object:
    try:
        return text.cast(wanted).as_py()
    except pa.ArrowInvalid:
        return None
