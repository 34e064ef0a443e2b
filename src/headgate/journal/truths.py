"""Every input whose truth is known, of journals that are larger than memory: what training sets are cut from.

The same words decide as in a join (``queries.sql``), over files that are gone through once; what does not fit into
memory lies in a folder beside the work. Features are read later, of the inputs that are wanted.
"""

import contextlib
import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.journal.labels import FOREVER
from headgate.journal.lake import Days
from headgate.journal.queries import QUERIES, in_passing
from headgate.journal.reader import View, days_of, of_days, united
from headgate.journal.tables import DATED, MOMENT, Table
from headgate.vocabulary import Micros

MEMORY: Final = "400MB"
"""That the database may fill before it takes to the folder."""
BATCH: Final = 200_000
"""Rows that are taken from the database at once."""
_COLUMNS: Final = {
    Table.INPUTS: ("input_id", "at", "request_id", "row", "entity"),
    Table.LABELS: (
        "label_id", "received_at", "observed_at", "input_id", "request_id", "row", "entity", "entity_at", "value",
        "source", "actor",
    ),
}  # fmt: skip
_IDS: Final = frozenset({"input_id", "label_id"})
_SQL_TYPES: Final = {
    pa.float64(): "DOUBLE", pa.int64(): "BIGINT", pa.int32(): "INTEGER", pa.bool_(): "BOOLEAN", MOMENT: "BIGINT",
}  # fmt: skip
_OFTEN: Final = """
CREATE TEMP TABLE suspects AS
WITH often AS (
    SELECT hash(request_id, "row") AS name FROM inputs WHERE request_id <> '' GROUP BY name HAVING count(*) > 1
)
SELECT input_id, "at", request_id, "row" FROM inputs SEMI JOIN often ON hash(request_id, "row") = often.name
"""
"""Inputs that may have been asked before; a hash of eight bytes is far less to keep than a name."""


@dataclass(frozen=True, slots=True, eq=False)
class Truths:
    """Inputs whose truth is known, by event time and id."""

    at: NDArray[np.int64]
    """Microseconds."""
    ids: NDArray[np.uint8]
    """(rows, 16)"""
    values: pa.ChunkedArray
    """The truths, none of them null."""
    leaked: int
    """Inputs left out because their truth was observed before they were asked about."""

    def __len__(self) -> int:
        return len(self.at)


def truths(view: View, aside: Path, *, start: Micros | None, end: Micros, as_of: Micros) -> Truths:
    """The truths of inputs in [start, end) as they were known at `as_of`, in the revision known then.

    `view` has inputs and labels; `aside` is a folder for what does not fit into memory. It costs some 50 bytes per
    input, and about twice the database's `MEMORY`. Raises FileNotFoundError when a file was removed meanwhile.
    """
    inputs, labels = days_of(start, None), Days()
    with _database(aside) as database, _whole(view):
        _relation(database, view, Table.LABELS, labels, f"received_at <= {as_of} AND observed_at <= {as_of}")
        kinds = database.sql(
            "SELECT coalesce(bool_or(input_id IS NULL AND request_id IS NOT NULL), false),"
            " coalesce(bool_or(input_id IS NULL AND request_id IS NULL), false) FROM labels"
        ).fetchall()[0]
        # A label by entity may belong to an input after the window: without it, one in the window would take it.
        _relation(database, view, Table.INPUTS, inputs if kinds[1] else days_of(start, end), "true")
        database.execute(_OFTEN)
        database.execute(f"CREATE TEMP TABLE repeats AS WITH inputs AS (FROM suspects) FROM ({QUERIES['repeats'].sql})")
        empty = frozenset(name for name, there in zip(("by_request", "by_entity"), kinds, strict=True) if not there)
        window = {"start": -FOREVER if start is None else start, "until": end}
        return _gathered(database.sql(in_passing("matched", empty), params=window).to_arrow_reader(BATCH))


@contextlib.contextmanager
def _database(aside: Path) -> Iterator[Any]:
    """A database of its own: what it may use is said for all of it."""
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False, "autoload_known_extensions": False, "memory_limit": MEMORY,
        "temp_directory": str(aside), "preserve_insertion_order": False, "arrow_lossless_conversion": True,
    }  # fmt: skip
    with duckdb.connect(config=config) as database:
        yield database


@contextlib.contextmanager
def _whole(view: View) -> Iterator[None]:
    """What the database says of a file that is gone, said as readers understand it."""
    try:
        yield
    except duckdb.Error as error:
        files = (Path(file) for table in _COLUMNS for each in view.generations[table] for file in each.files())
        if gone := next((each for each in files if not each.exists()), None):
            raise FileNotFoundError(gone) from error
        raise


def _relation(database: Any, view: View, table: Table, days: Days, where: str) -> None:
    """A relation of the table's name: files and what is not sealed, ids as 16 bytes and moments as microseconds."""
    columns = _COLUMNS[table]
    pieces: list[tuple[pa.Table, str]] = []
    for generation in view.generations[table]:
        if files := generation.files(days):
            # A column that a file is too old to have is null, as it is where every file is.
            stored = pa.schema([each for each in generation.schema if each.name in columns])
            pieces.append((stored.empty_table(), f" UNION ALL BY NAME FROM {_scan(files)}"))
    for part in view.parts:
        if part.table is table:
            rows = of_days(part.rows, days) if table in DATED else part.rows
            pieces.append((rows.select([each for each in columns if each in rows.column_names]), ""))
    wanted = united([held for held, _ in pieces], columns, table)
    pieces = pieces or [(wanted.empty_table(), "")]
    spelled = []
    for place, (held, more) in enumerate(pieces):
        database.register(f"{table}_{place}", held)
        spelled.append(f"(FROM (FROM {table}_{place}{more}) SELECT {_spelled(held.schema, wanted)})")
    database.execute(f"CREATE TEMP VIEW {table} AS FROM ({' UNION ALL '.join(spelled)}) WHERE {where}")


def _scan(files: Sequence[str]) -> str:
    """The database reads files itself: what it holds of them then counts against its memory."""
    named = ", ".join("'" + glob.escape(each).replace("'", "''") + "'" for each in files)
    return f"read_parquet([{named}], hive_partitioning=false, union_by_name=true)"


def _spelled(held: pa.Schema, wanted: pa.Schema) -> str:
    return ", ".join(f'{_expression(held, each)} AS "{each.name}"' for each in wanted)


def _expression(held: pa.Schema, wanted: pa.Field) -> str:
    if wanted.name not in held.names:
        return f"CAST(NULL AS {_sql_type(wanted)})"
    if wanted.type == MOMENT:
        return f'epoch_us("{wanted.name}")'
    return f'CAST("{wanted.name}" AS {_sql_type(wanted)})'


def _sql_type(field: pa.Field) -> str:
    if field.name in _IDS:
        return "UUID"
    return _SQL_TYPES.get(field.type, "VARCHAR")


def _gathered(batches: pa.RecordBatchReader) -> Truths:
    """The last label of each input, without those that say nothing and those that came before their input."""
    pieces: list[tuple[NDArray[np.int64], NDArray[np.uint8], Any]] = []
    held: pa.RecordBatch | None = None
    leaked = 0
    for batch in batches:
        rows = batch if held is None else pa.concat_batches([held, batch])
        # The last row waits for the next batch, which may have a later label of its input.
        last, held = _last_of_each(rows.slice(0, len(rows) - 1), rows), rows.slice(len(rows) - 1)
        leaked += _take(last, pieces)
    if held is not None:
        leaked += _take(held, pieces)
    kind = batches.schema.field("value").type
    if not pieces:
        return Truths(np.zeros(0, np.int64), np.zeros((0, 16), np.uint8), pa.chunked_array([], kind), leaked)
    at, ids, values = zip(*pieces, strict=True)
    return Truths(np.concatenate(at), np.concatenate(ids), pa.chunked_array(list(values), kind), leaked)


def _last_of_each(rows: pa.RecordBatch, followed: pa.RecordBatch) -> pa.RecordBatch:
    """Of `rows`, those whose next one in `followed` is of another input."""
    ids = _bytes(followed.column("input_id"))
    return rows.filter(pa.array((ids[1:] != ids[:-1]).any(axis=1)))


def _take(rows: pa.RecordBatch, pieces: list[tuple[NDArray[np.int64], NDArray[np.uint8], Any]]) -> int:
    rows = rows.filter(_says_something(rows.column("value")))
    at = rows.column("at").to_numpy()
    fair = rows.column("observed_at").to_numpy() >= at
    if not fair.all():
        rows = rows.filter(pa.array(fair))
    pieces.append((rows.column("at").to_numpy(), _bytes(rows.column("input_id")), rows.column("value")))
    return int((~fair).sum())


def _says_something(values: Any) -> Any:
    if pa.types.is_floating(values.type):
        return pc.fill_null(pc.is_finite(values), False)
    return pc.is_valid(values)


def _bytes(ids: Any) -> NDArray[np.uint8]:
    """16 bytes of each id."""
    stored = ids.storage if isinstance(ids, pa.ExtensionArray) else ids
    whole = np.frombuffer(stored.buffers()[1], np.uint8).reshape(-1, 16)
    found: NDArray[np.uint8] = whole[stored.offset : stored.offset + len(stored)]
    return found
