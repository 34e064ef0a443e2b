"""Arrow bodies read and written with pyarrow; `tables.py` loads this file with the first request that needs it.

Bodies are strangers' bytes: what they unfold to is bounded before anything is unfolded, and every batch is validated
in full before anything reads it.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from headgate.contracts.check import GOOD, Verdicts, judge_table
from headgate.contracts.columns import Column, Mask
from headgate.contracts.contract import Contract, Kind, OnBreak, Rule
from headgate.contracts.decode import parse_json
from headgate.contracts.explain import class_of, place
from headgate.contracts.flags import flagged_domain, flagged_range
from headgate.contracts.tables import without_views
from headgate.errors import BadInput, BodyRefused, Violation
from headgate.gateway.ask import Ask
from headgate.gateway.columns import Columns, are_numbers
from headgate.gateway.doors.arrow.bounds import check_values
from headgate.gateway.doors.arrow.messages import unfolded_bytes
from headgate.gateway.doors.arrow.told import METADATA, told
from headgate.gateway.reading import Reader, Reading, Rest, read_rest
from headgate.runtimes.feeds import Column as Numbers

MOST_BATCHES: Final = 1024
"""Batches of one body; each costs as much as dozens of rows."""
_MAGIC: Final = b"ARROW1"
_END: Final = b"\xff\xff\xff\xff\0\0\0\0"
_RULE: Final = "arrow"
_FLOATS: Final = frozenset({pa.float32(), pa.float64()})


class ArrowTables:
    """The Tables port over pyarrow."""

    def read(self, body: bytes, reader: Reader, *, limit: int, is_file: bool) -> Reading:
        """What `body` asks; see the port."""
        try:
            table = _table(body, reader, limit=limit, is_file=is_file)
            rest = _rest(table.schema.metadata)
            if len(set(table.column_names)) < table.num_columns:
                raise BadInput("columns", "unknown", "names one column twice")
            floats = _floats(table, reader.contract)
            if floats is not None and (kept := reader.gathered(floats)) is not None:
                return reader.read_checked(kept, rest=rest)
            check_values(table, limit)
            columns, verdicts = judge_table(reader.contract, without_views(table))
            return _reading(reader, columns, verdicts, rest)
        except (pa.ArrowException, ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
            # The words of Arrow's errors may hold a caller's values, so they are not repeated.
            said = f"is no Arrow IPC stream that can be read ({type(error).__name__})"
            raise BodyRefused("body", _RULE, said) from error

    def write(self, ask: Ask) -> bytearray:
        """The answers of `ask`; see the port."""
        table = told(ask)
        counted = pa.MockOutputStream()
        _write(table, counted)
        # Written where it stays: a stream that grows is copied as often as it doubles, and once more at its end.
        body = bytearray(counted.size())
        _write(table, pa.FixedSizeBufferWriter(pa.py_buffer(body)))
        return body


def _write(table: pa.Table, sink: Any) -> None:
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _table(body: bytes, reader: Reader, *, limit: int, is_file: bool) -> pa.Table:
    """The table in `body`, its batches sound; BodyRefused where it is cut short, or unfolds to too much."""
    buffer = pa.py_buffer(_stream_in(body) if is_file else body)
    _check_messages(buffer, limit, is_file=is_file)
    stream = pa.ipc.open_stream(buffer, options=pa.ipc.IpcReadOptions(use_threads=False))
    batches, rows = [], 0
    for batch in stream:
        rows += batch.num_rows
        if rows > reader.rows_limit:
            break
        batch.validate(full=True)
        batches.append(batch)
    reader.check_count(rows)
    return pa.Table.from_batches(batches, stream.schema)


def _stream_in(body: bytes) -> memoryview:
    """The stream inside a file: what follows the magic. The footer only repeats where its batches lie."""
    if not body.startswith(_MAGIC) or not body.endswith(_MAGIC) or len(body) < 2 * len(_MAGIC) + len(_END):
        raise BodyRefused("body", _RULE, "is no Arrow IPC file: it must begin and end with ARROW1")
    return memoryview(body)[8:]


def _check_messages(buffer: pa.Buffer, limit: int, *, is_file: bool) -> None:
    source = pa.BufferReader(buffer)
    unfolded = 0
    for count, message in enumerate(_each(pa.ipc.MessageReader.open_stream(source))):
        body = message.body
        unfolded += unfolded_bytes(memoryview(message.metadata), memoryview(b"" if body is None else body))
        if unfolded > limit:
            raise BodyRefused("body", "size", f"may have {limit} bytes once unfolded; send fewer rows at a time")
        if count > MOST_BATCHES:
            raise BodyRefused("body", _RULE, f"may have {MOST_BATCHES} batches; combine them before sending")
    end = source.tell()
    if bytes(memoryview(buffer)[max(0, end - len(_END)) : end]) != _END or not (is_file or end == buffer.size):
        raise BodyRefused("body", _RULE, "does not end with the mark of a stream's end; close the writer, send it all")


def _each(messages: Any) -> Iterator[Any]:
    while True:
        try:
            yield messages.read_next_message()
        except StopIteration:
            return


def _rest(metadata: Any) -> Rest:
    """What stands beside the rows."""
    said = (metadata or {}).get(METADATA)
    if said is None:
        return Rest()
    document = parse_json(said, "headgate")
    if not isinstance(document, dict):
        raise BadInput("headgate", "type", f"expected an object in the schema's metadata, got {class_of(document)}")
    return read_rest(document)


def _floats(table: pa.Table, contract: Contract) -> list[npt.NDArray[Any]] | None:
    """The columns of a table in the contract's order, where all are floats and none has a null."""
    if not are_numbers(contract) or set(table.column_names) != set(contract.names):
        return None
    columns = [table.column(name) for name in contract.names]
    if any(each.type not in _FLOATS or each.null_count for each in columns):
        return None
    return [each.to_numpy() for each in columns]


def _reading(reader: Reader, columns: list[Column], verdicts: Verdicts, rest: Rest) -> Reading:
    contract = reader.contract
    clean = bool((verdicts.which == GOOD).all())
    flag_sets, flagged = _flags(contract, columns, verdicts)
    if clean and are_numbers(contract):
        fields = tuple(_numbers(each.kind, column) for each, column in zip(contract.fields, columns, strict=True))
        return reader.read_checked(Columns(fields, flag_sets, flagged), rest=rest)
    listed = [_listed(each.kind, column) for each, column in zip(contract.fields, columns, strict=True)]
    rows: list[Any] = list(zip(*listed, strict=True))
    for at, which in enumerate(verdicts.which.tolist()):
        if which != GOOD:
            field, rule, message = verdicts.said[which]
            rows[at] = Violation(place(f"rows[{at}]", field), rule, message)
    return reader.read_checked(rows, None if flagged is None else [flag_sets[each] for each in flagged], rest)


def _flags(contract: Contract, columns: list[Column], verdicts: Verdicts) -> tuple[tuple[tuple[str, ...], ...], Any]:
    """Every set of flags that some good row has, and which of them each row has, or None where none has any."""
    good = verdicts.which == GOOD
    found: list[tuple[str, Mask]] = []
    for field, column in zip(contract.fields, columns, strict=True):
        if flagged_range(field) and field.on_range is OnBreak.FLAG:
            found.append((f"{Rule.RANGE}:{field.name}", column.outside & good))
        if flagged_domain(field):
            found.append((f"{Rule.DOMAIN}:{field.name}", column.unseen & good))
    found = [(name, mask) for name, mask in found if mask.any()]
    if not found:
        return ((),), None
    masks = [mask for _, mask in found]
    sets: dict[tuple[bool, ...], int] = {}
    which = [sets.setdefault(each, len(sets)) for each in zip(*(mask.tolist() for mask in masks), strict=True)]
    named = tuple(tuple(name for (name, _), has in zip(found, each, strict=True) if has) for each in sets)
    return named, pa.array(which, pa.int64()).to_numpy()


def _numbers(kind: Kind, column: Column) -> Numbers:
    values = column.values.cast(pa.int64()) if kind is Kind.TIMESTAMP else column.values
    if not values.null_count:
        return Numbers(values.to_numpy(zero_copy_only=False))
    nulls = values.is_null().to_numpy(zero_copy_only=False)
    return Numbers(values.fill_null(False if kind is Kind.BOOLEAN else 0).to_numpy(zero_copy_only=False), nulls)


def _listed(kind: Kind, column: Column) -> list[Any]:
    values = column.values.cast(pa.int64()) if kind is Kind.TIMESTAMP else column.values
    found: list[Any] = values.to_pylist()
    return found
