"""Columns as a source's first load had them, and every later load read as those: cells that cannot be are named.

Sources of texts (CSV, JSON, streams) are read cell by cell; those with types of their own may not change a column's.
"""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput, Violation
from headgate.monitors.quality.schema import Change, schema_changes
from headgate.pipelines.sources.ports import BROKEN
from headgate.pipelines.state import Column

MOMENT: Final = pa.timestamp("us")
"""Moments are kept in UTC and say no zone: DuckDB's own zones are an extension, and would be those of the machine."""
_ZONED: Final = pa.timestamp("us", "UTC")
_LIST: Final = re.compile(r"list<(?:item|element): (.*)>")
_KNOWN: Final = {
    str(each): each
    for each in (pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.binary(), pa.date32(), MOMENT, pa.null())
}
_KINDS: Final = {
    Kind.NUMBER: pa.float64(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.CATEGORY: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.TIMESTAMP: MOMENT,
}
_CANDIDATES: Final = (pa.int64(), pa.float64(), pa.bool_(), MOMENT)
"""What a column of texts may hold, the narrowest first."""


def type_of(column: Column) -> Any:
    """The Arrow type a column is kept as."""
    nested = _LIST.fullmatch(column.type)
    if nested is not None:
        return pa.list_(type_of(Column(column.name, nested[1])))
    return _KNOWN.get(column.type, pa.string())


def normal(kind: Any) -> Any:
    """The type that columns of `kind` are kept as: numbers in 64 bits, moments in microseconds, plain texts.

    >>> normal(pa.int32()), normal(pa.decimal128(9, 2)), normal(pa.timestamp("ms", "Europe/Berlin"))
    (DataType(int64), DataType(double), TimestampType(timestamp[us]))
    """
    if pa.types.is_dictionary(kind):
        return normal(kind.value_type)
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_timestamp(kind):
        return MOMENT
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(normal(kind.value_type))
    return kind if kind in (pa.bool_(), pa.null()) else pa.string()


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of `schema` as they are kept; the one of messages that are no rows is none of them."""
    return tuple(Column(each.name, str(normal(each.type))) for each in schema if each.name != BROKEN)


def read_texts(tables: Iterable[pa.Table], names: Sequence[str], contract: Contract | None) -> tuple[Column, ...]:
    """What columns of texts hold: what the contract says, and of others the narrowest type that every cell has.

    >>> table = pa.table({"n": ["1", None], "x": ["1", "0.5"], "who": ["1", "ann"]})
    >>> [each.type for each in read_texts([table], ["n", "x", "who"], None)]
    ['int64', 'double', 'string']
    """
    said = {} if contract is None else {each.name: _KINDS[each.kind] for each in contract.fields if each.kind in _KINDS}
    left = {name: list(_CANDIDATES) for name in names if name not in said}
    filled: set[str] = set()
    for table in tables:
        for name, kinds in left.items():
            if name not in table.column_names or table[name].null_count == table.num_rows:
                continue
            filled.add(name)
            kinds[:] = [kind for kind in kinds if _holds(table[name], kind)]
    found = {name: (kinds or [pa.string()])[0] if name in filled else pa.null() for name, kinds in left.items()}
    return tuple(Column(name, str({**found, **said}[name])) for name in names)


def _holds(values: Any, kind: Any) -> bool:
    if kind == pa.bool_() and not pc.all(pc.is_in(pc.utf8_lower(values), pa.array(["true", "false", None]))).as_py():
        return False
    return _whole(values, kind) is not None


def settled(
    source: str, kept: Sequence[Column], came: Sequence[Column], *, textual: bool
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The columns from now on, and what is new beside them, in sentences.

    Raises BadInput naming every column that is gone or of another type; new ones are left out until the source is read
    anew. A column that was empty until now takes the type it came with.
    """
    if not kept:
        return tuple(came), ()
    now = {each.name: each for each in came}
    taken = tuple(now.get(each.name, each) if each.type == "null" else each for each in kept)
    before, after = (pa.schema([(each.name, type_of(each)) for each in columns]) for columns in (taken, came))
    changes = schema_changes(before, after)
    broken = [each for each in changes if each.change is Change.GONE]
    if not textual:
        types = {each.name: each.type for each in taken}
        broken += [
            each for each in changes
            if each.change is Change.TYPE and not _serves(types[each.column], now[each.column].type)
        ]  # fmt: skip
    if broken:
        said = "; ".join(f"'{each.column}' {each.sentence}" for each in broken)
        raise BadInput(
            f"sources.{source}", "schema", f"{said}. Mend the source, or read all of it anew with --reload {source}"
        )
    fresh = [each.name for each in came if each.name not in {each.name for each in kept}]
    return taken, tuple(f"column '{each}' is new and left out; --reload {source} takes it in" for each in fresh)


def _serves(kept: str, came: str) -> bool:
    """Whether values of the type that came may be read as what is kept, cell by cell."""
    pairs = {("double", "int64"), ("int64", "double"), (str(MOMENT), "date32[day]")}
    return came == "null" or (kept, came) in pairs


def conformed(table: pa.Table, columns: Sequence[Column]) -> tuple[pa.Table, Mapping[int, Violation]]:
    """`table` with those columns and their types, and rows with a cell that cannot be read, by position.

    >>> table, broken = conformed(pa.table({"n": ["1", "x"]}), [Column("n", "int64")])
    >>> table["n"].to_pylist(), broken[1].rule
    ([1, None], 'type')
    """
    broken: dict[int, Violation] = {}
    arrays = []
    for each in columns:
        kind = type_of(each)
        if each.name not in table.column_names:
            arrays.append(pa.nulls(table.num_rows, kind))
            continue
        values, rows = _cast(table[each.name], kind)
        arrays.append(values)
        for row in rows:
            broken.setdefault(row, Violation(each.name, "type", f"this value cannot be read as {each.type}"))
    if BROKEN in table.column_names:
        for row, said in enumerate(table[BROKEN].to_pylist()):
            if said is not None:
                broken[row] = Violation(BROKEN, "type", "is no JSON object")
    return pa.table(arrays, names=[each.name for each in columns]), broken


def _cast(values: pa.ChunkedArray, kind: Any) -> tuple[pa.ChunkedArray, list[int]]:
    """The column in that type, null where a cell cannot be read, and the rows of those cells; they are few, or all."""
    whole = _whole(values, kind)
    if whole is not None:
        return whole, []
    if len(values) == 1:
        return pa.chunked_array([pa.nulls(1, kind)]), [0]
    half = len(values) // 2
    (left, broken), (right, behind) = (_cast(each, kind) for each in (values.slice(0, half), values.slice(half)))
    return pa.chunked_array([*left.chunks, *right.chunks], kind), [*broken, *(half + each for each in behind)]


def _whole(values: Any, kind: Any) -> Any:
    """All of `values` in that type, or None where any of them cannot be read."""
    for attempt in (_ZONED, MOMENT) if kind == MOMENT else (kind,):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            found = pc.cast(values, attempt, safe=not pa.types.is_timestamp(values.type))
            return pc.cast(pc.cast(found, pa.int64()), MOMENT) if attempt == _ZONED else found
    return None
