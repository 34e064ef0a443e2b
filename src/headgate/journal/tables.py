"""Journal records as Arrow tables: the only place that knows what a column is called and typed.

The sealer writes these tables into the lake and the reader makes them of the unsealed tail, so that a row looks
the same on both sides of a seal. Cells are turned into columns by Arrow and NumPy, not one by one.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.journal.identifiers import drawn_at
from headgate.journal.records import Answer, Input, Label, Schema, SchemaField
from headgate.vocabulary import DAY

PUBLIC: Final = "public"
MOMENT: Final = pa.timestamp("us", tz="UTC")
FEATURES: Final = "features"
UNFIT: Final = "unfit"
"""Rule name in ``flags`` of a row with a value its column cannot hold; the cell is null."""


class Table(StrEnum):
    """The tables of one endpoint, in the order a reader loads them."""

    INPUTS = "inputs"
    """One row per input; features that are public."""
    PERSONAL = "personal"
    """Features that are not public, by input id, without column statistics."""
    ANSWERS = "answers"
    """One row per version that spoke."""
    LABELS = "labels"
    """One row per label received, revisions included."""


DATED: Final = frozenset({Table.INPUTS, Table.PERSONAL, Table.ANSWERS})
"""Tables partitioned by ``date``. Labels are not: they come late and out of order, so that each commit would
scatter over many days and leave as many small files."""

_SCALARS: Final[Mapping[str, pa.DataType]] = {
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": MOMENT,
}
_HEX: Final = np.array([list(f"{each:02x}".encode()) for each in range(256)], dtype=np.uint8)
_DIGITS: Final = np.array([at for at in range(36) if at not in {8, 13, 18, 23}])


def kind_type(kind: str) -> pa.DataType:
    """The column type of a contract kind; kinds without one of their own are JSON or plain text."""
    return _SCALARS.get(kind, pa.string())


def value_type(schema: Schema) -> pa.DataType:
    """The column type of labels, and of predictions unless the task answers with arrays."""
    return kind_type(schema.label_kind)


def public(schema: Schema) -> tuple[int, ...]:
    """Positions of the features anybody may read."""
    return tuple(at for at, each in enumerate(schema.fields) if each.sensitivity == PUBLIC)


def personal(schema: Schema) -> tuple[int, ...]:
    """Positions of the features kept in the side table."""
    return tuple(at for at, each in enumerate(schema.fields) if each.sensitivity != PUBLIC)


def _struct(fields: Iterable[SchemaField]) -> list[pa.Field]:
    members = [pa.field(each.name, kind_type(each.kind)) for each in fields]
    return [pa.field(FEATURES, pa.struct(members))] if members else []


def arrow_schema(table: Table, schema: Schema) -> pa.Schema:
    """The columns `table` has under `schema`.

    >>> empty = Schema("default", "flights", "sha256:0", (), "binary", "boolean")
    >>> arrow_schema(Table.LABELS, empty).field("value").type
    DataType(bool)
    """
    text, value = pa.string(), value_type(schema)
    dated = [pa.field("at", MOMENT), pa.field("date", pa.date32())]
    match table:
        case Table.INPUTS:
            fields = [pa.field("input_id", text), *dated, pa.field("request_id", text), pa.field("row", pa.int32())]
            fields += [pa.field("entity", text), pa.field("subject", pa.binary()), pa.field("flags", pa.list_(text))]
            fields += [pa.field(f"refusal_{each}", text) for each in ("field", "rule", "message")]
            fields += [pa.field("contract", text), *_struct(schema.fields[at] for at in public(schema))]
        case Table.PERSONAL:
            fields = [pa.field("input_id", text), *dated, pa.field("subject", pa.binary())]
            fields += _struct(schema.fields[at] for at in personal(schema))
        case Table.ANSWERS:
            answer = text if schema.task == "tensor" else value
            fields = [pa.field("input_id", text), *dated, pa.field("assigned", text), pa.field("answered", text)]
            fields += [pa.field("role", text), pa.field("probability", pa.float64()), pa.field("prediction", answer)]
            fields += [pa.field("scores", pa.list_(pa.float64())), pa.field("compute_us", pa.int64())]
            fields += [pa.field("latency_us", pa.int64()), pa.field("fallback", text)]
        case Table.LABELS:
            fields = [pa.field("label_id", text), pa.field("received_at", MOMENT), pa.field("observed_at", MOMENT)]
            fields += [pa.field("input_id", text), pa.field("request_id", text), pa.field("row", pa.int64())]
            fields += [pa.field("entity", text), pa.field("entity_at", MOMENT), pa.field("value", value)]
            fields += [pa.field("source", text), pa.field("actor", text)]
    return pa.schema(fields)


def id_texts(ids: Sequence[bytes | None]) -> pa.Array:
    """16-byte ids as canonical UUID text; None stays null.

    >>> id_texts([bytes(range(16)), None]).to_pylist()
    ['00010203-0405-0607-0809-0a0b0c0d0e0f', None]
    """
    count = len(ids)
    raw = np.frombuffer(b"".join([each or bytes(16) for each in ids]), dtype=np.uint8).reshape(count, 16)
    text = np.full((count, 36), ord("-"), dtype=np.uint8)
    text[:, _DIGITS] = _HEX[raw].reshape(count, 32)
    offsets = np.arange(0, 36 * (count + 1), 36, dtype=np.int32)
    column = pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(text.tobytes())])
    missing = np.fromiter((each is None for each in ids), dtype=bool, count=count)
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), column) if missing.any() else column


def _fitted(value: object, kind: pa.DataType) -> object:
    """The value as its column can hold it, or None."""
    if value is None:
        return None
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    try:
        if pa.types.is_timestamp(kind):
            return pa.array([int(str(value))], pa.int64())[0].as_py()
        return pa.array([value], kind)[0].as_py()
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError):
        return None


def column(values: Sequence[object], kind: pa.DataType) -> tuple[pa.Array, list[int]]:
    """The values as one column, and the positions of those it could not hold (null there).

    >>> column([1.5, "x", None], pa.float64())[1]
    [1]
    """
    try:
        return pa.array(values, kind), []
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        fitted = [_fitted(each, kind) for each in values]
        unfit = [
            at for at, (old, new) in enumerate(zip(values, fitted, strict=True)) if new is None and old is not None
        ]
        return pa.array(fitted, kind), unfit


def _moments(values: Sequence[int | None]) -> pa.Array:
    return column(values, pa.int64())[0].cast(MOMENT)


def _dates(moments: pa.Array) -> pa.Array:
    return moments.cast(pa.date32())


def _features(rows: Sequence[Input], schema: Schema, places: Sequence[int]) -> tuple[list[pa.Array], dict[int, str]]:
    """The struct column of the features at `places` (none when there are none), and which rows were unfit where."""
    if not places:
        return [], {}
    width = len(schema.fields)
    blank = (None,) * width
    absent = [each.features is None or len(each.features) != width for each in rows]
    cells = list(zip(*[blank if gone else each.features for each, gone in zip(rows, absent, strict=True)], strict=True))
    unfit = {
        at: f"{UNFIT}:{FEATURES}"
        for at, each in enumerate(rows)
        if each.features is not None and len(each.features) != width
    }
    children, members = [], []
    for place in places:
        field = schema.fields[place]
        child, bad = column(cells[place] if cells else (), kind_type(field.kind))
        unfit.update(dict.fromkeys(bad, f"{UNFIT}:{field.name}"))
        children.append(child)
        members.append(pa.field(field.name, child.type))
    mask = pa.array(absent) if any(absent) else None
    return [pa.StructArray.from_arrays(children, fields=members, mask=mask)], unfit


def inputs_table(schema: Schema, rows: Sequence[Input]) -> pa.Table:
    """The inputs with their public features."""
    features, unfit = _features(rows, schema, public(schema))
    at = _moments([each.at for each in rows])
    flags = [each.flags for each in rows]
    for place, flag in unfit.items():
        flags[place] = (*flags[place], flag)
    refusals = [each.refusal for each in rows]
    columns = [
        id_texts([each.id for each in rows]),
        at,
        _dates(at),
        pa.array([each.request_id for each in rows], pa.string()),
        pa.array([each.row for each in rows], pa.int32()),
        pa.array([each.entity for each in rows], pa.string()),
        pa.array([each.subject for each in rows], pa.binary()),
        pa.array(flags, pa.list_(pa.string())),
        pa.array([None if each is None else each.field for each in refusals], pa.string()),
        pa.array([None if each is None else each.rule for each in refusals], pa.string()),
        pa.array([None if each is None else each.message for each in refusals], pa.string()),
        pa.repeat(pa.scalar(schema.contract, pa.string()), len(rows)),
        *features,
    ]
    return pa.Table.from_arrays(columns, schema=arrow_schema(Table.INPUTS, schema))


def personal_table(schema: Schema, rows: Sequence[Input]) -> pa.Table:
    """The features that are not public, of the inputs that have any."""
    kept = [each for each in rows if each.features is not None] if personal(schema) else []
    features, _ = _features(kept, schema, personal(schema))
    at = _moments([each.at for each in kept])
    subjects = pa.array([each.subject for each in kept], pa.binary())
    columns = [id_texts([each.id for each in kept]), at, _dates(at), subjects, *features]
    return pa.Table.from_arrays(columns, schema=arrow_schema(Table.PERSONAL, schema))


def answers_table(schema: Schema, rows: Sequence[Answer], moments: Mapping[bytes, int]) -> pa.Table:
    """The answers; ``at`` and ``date`` are null where the input did not travel with its answer.

    `moments` tells the event time of inputs by id.
    """
    at = _moments([moments.get(each.input_id) for each in rows])
    wanted = arrow_schema(Table.ANSWERS, schema)
    predictions, _ = column([each.prediction for each in rows], wanted.field("prediction").type)
    columns = [
        id_texts([each.input_id for each in rows]),
        at,
        _dates(at),
        pa.array([each.assigned for each in rows], pa.string()),
        pa.array([each.answered for each in rows], pa.string()),
        pa.array([each.role for each in rows], pa.string()),
        pa.array([each.probability for each in rows], pa.float64()),
        predictions,
        pa.array([each.scores for each in rows], pa.list_(pa.float64())),
        pa.array([each.compute_us for each in rows], pa.int64()),
        pa.array([each.latency_us for each in rows], pa.int64()),
        pa.array([each.fallback for each in rows], pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=wanted)


def labels_table(schema: Schema, rows: Sequence[Label]) -> pa.Table:
    """The labels as they came, every revision; a row number no request can have is null and matches nothing."""
    values, _ = column([each.value for each in rows], value_type(schema))
    columns = [
        id_texts([each.id for each in rows]),
        _moments([each.received_at for each in rows]),
        _moments([each.observed_at for each in rows]),
        id_texts([each.input_id for each in rows]),
        pa.array([each.request_id for each in rows], pa.string()),
        column([each.row for each in rows], pa.int64())[0],
        pa.array([each.entity for each in rows], pa.string()),
        _moments([each.entity_at for each in rows]),
        values,
        pa.array([each.source for each in rows], pa.string()),
        pa.array([each.actor for each in rows], pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=arrow_schema(Table.LABELS, schema))


def first_day(table: Table, rows: pa.Table) -> int | None:
    """The earliest day of `rows`, counted from 1970, as retention counts it; None where there are no rows.

    A label is of the day its truth was observed, an answer that came without its input of the day its id was drawn.
    """
    if table is Table.LABELS:
        dates, ids = _dates(rows.column("observed_at")), []
    else:
        dates = rows.column("date")
        ids = rows.column("input_id").filter(pc.is_null(dates)).to_pylist()
    known = [] if dates.null_count == len(dates) else [pc.min(dates.cast(pa.int32())).as_py()]
    return min([*known, *(drawn_at(each) // DAY for each in ids)], default=None)


def unite(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    """The narrowest type both columns can be read as: numbers as float, structs by member, all else as text."""
    if first == second:
        return first
    if pa.types.is_struct(first) and pa.types.is_struct(second):
        members = {each.name: each.type for each in first}
        for each in second:
            members[each.name] = unite(members[each.name], each.type) if each.name in members else each.type
        return pa.struct(list(members.items()))
    if {first, second} == {pa.int64(), pa.float64()}:
        return pa.float64()
    return pa.string()


def fits(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether a table of type `old` takes `new` without rewriting anything: equal, or a struct gaining members.

    Delta does not tell names apart that differ in capitals alone, so a struct gains no such member.
    """
    if pa.types.is_struct(old) and pa.types.is_struct(new):
        members, spelled = {each.name: each.type for each in old}, {each.name.lower() for each in old}
        return all(
            fits(members[each.name], each.type) if each.name in members else each.name.lower() not in spelled
            for each in new
        )
    return bool(old == new)


def shaped(array: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    """The column as `kind`; members a struct lacks are null."""
    if array.type == kind:
        return array
    if isinstance(array, pa.ChunkedArray):
        return pa.chunked_array([shaped(each, kind) for each in array.chunks], kind)
    if not pa.types.is_struct(kind) or not pa.types.is_struct(array.type):
        # A whole number no float spells exactly is rounded: better than a journal that cannot be read any more.
        return array.cast(kind, safe=not pa.types.is_floating(kind))
    children = [
        pa.nulls(len(array), each.type)
        if array.type.get_field_index(each.name) < 0
        else shaped(pc.struct_field(array, [array.type.get_field_index(each.name)]), each.type)
        for each in kind
    ]
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the columns of `schema`, in its order; columns it lacks are null."""
    columns = [
        shaped(table.column(each.name), each.type)
        if each.name in table.column_names
        else pa.nulls(len(table), each.type)
        for each in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
