"""Whatever a frame holds becomes rows: no value of any caller may stop the sealer for everybody."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from headgate.journal import tail
from headgate.journal.frames import frame_beyond, read_frames
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal, Schema, SchemaField
from headgate.journal.scan import Scanner, scan
from headgate.journal.sealer import Sealer
from headgate.journal.tables import (
    FEATURES,
    Table,
    answers_table,
    arrow_schema,
    column,
    inputs_table,
    kind_type,
    labels_table,
    personal_table,
)
from headgate.journal.tail import closed_parts, fed, gathered, tables_of
from headgate.testing.segments import MemorySegments

KINDS = ("number", "integer", "boolean", "category", "text", "timestamp", "tensor", "image")
LABEL_KINDS = ("text", "integer", "number", "boolean")
LOW, HIGH = -(2**63), 2**64 - 1
whole = st.integers(LOW, HIGH) | st.sampled_from([0, 1, 2**53 + 1, LOW, HIGH])
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=5)
scalars = st.none() | st.booleans() | whole | st.floats() | texts
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(texts, scalars, max_size=2)
spoken = scalars | st.lists(scalars, max_size=3)
ids = st.binary(min_size=16, max_size=16)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=4))
    fields = tuple(
        SchemaField(f"f{at}", kind, draw(st.sampled_from(["public", "personal"]))) for at, kind in enumerate(kinds)
    )
    task = draw(st.sampled_from(["binary", "multiclass", "regression", "tensor"]))
    return Schema("default", "e", "sha256:0", fields, task, draw(st.sampled_from(LABEL_KINDS)))


@st.composite
def blocks(draw: st.DrawFn, schema: Schema) -> Block:
    width = len(schema.fields)
    rows = (
        st.none()
        | st.lists(values, min_size=width, max_size=width).map(tuple)
        | st.just(("one too many",) * (width + 1))
    )
    inputs = [
        Input(
            id_,
            at=draw(st.integers(LOW, 2**63 - 1)),
            features=draw(rows),
            request_id=draw(texts),
            row=draw(st.integers(0, 2**31 - 1)),
            entity=draw(st.none() | texts),
            subject=draw(st.none() | st.binary(max_size=4)),
            flags=draw(st.lists(texts, max_size=2).map(tuple)),
            refusal=draw(st.none() | st.just(Refusal("f", "type", "expected"))),
        )
        for id_ in draw(st.lists(ids, max_size=4))
    ]
    answers = [
        Answer(
            each.id, "m:1", "m:1", "live", 1.0, draw(spoken), draw(st.none() | st.lists(st.floats(), max_size=2)), 1, 2
        )
        for each in inputs
    ]
    labels = [
        Label(id_, 0, draw(st.integers(LOW, 2**63 - 1)), draw(scalars), draw(st.none() | ids), draw(st.none() | texts),
              draw(whole), draw(st.none() | texts), draw(st.none() | st.integers(LOW, 2**63 - 1)))
        for id_ in draw(st.lists(ids, max_size=3))
    ]  # fmt: skip
    return Block(inputs, answers, labels)


@settings(max_examples=60)
@given(data=st.data())
def test_any_block_becomes_tables_row_for_row(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    block = data.draw(blocks(schema))
    moments = {each.id: each.at for each in block.inputs}
    inputs, answers = inputs_table(schema, block.inputs), answers_table(schema, block.answers, moments)
    personal, labels = personal_table(schema, block.inputs), labels_table(schema, block.labels)
    for table, rows in (
        (Table.INPUTS, inputs),
        (Table.ANSWERS, answers),
        (Table.PERSONAL, personal),
        (Table.LABELS, labels),
    ):
        assert rows.schema == arrow_schema(table, schema)
    assert (len(inputs), len(answers), len(labels)) == (len(block.inputs), len(block.answers), len(block.labels))
    assert len(personal) <= len(inputs)
    made = tables_of(schema, block, moments)
    assert made.keys() == {
        table
        for table, count in (
            (Table.INPUTS, len(inputs)),
            (Table.PERSONAL, len(personal)),
            (Table.ANSWERS, len(answers)),
            (Table.LABELS, len(labels)),
        )
        if count
    }
    # Without columns of moments: Python cannot spell all of them.
    told = inputs.select(["flags", "request_id", "row", "entity"]).to_pylist()
    for record, row in zip(block.inputs, told, strict=True):
        assert row["flags"][: len(record.flags)] == list(record.flags)
        assert (row["request_id"], row["row"], row["entity"]) == (record.request_id, record.row, record.entity)


@given(kind=st.sampled_from(KINDS), found=st.lists(values.filter(lambda each: not isinstance(each, float)), max_size=5))
@example(kind="timestamp", found=[HIGH, 5])
@example(kind="number", found=[0.5, "x", float("nan")])
def test_a_column_holds_what_fits_and_names_the_places_of_the_rest(kind: str, found: list[Any]) -> None:
    made, unfit = column(found, kind_type(kind))
    assert len(made) == len(found)
    assert made.type == kind_type(kind)
    nulls = [at for at, gone in enumerate(made.is_null().to_pylist()) if gone]
    assert set(unfit) == {at for at in nulls if found[at] is not None}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", 3, 3.0),
        ("number", "3", None),
        ("integer", 3, 3),
        ("integer", 2**63, None),
        ("boolean", 1, None),
        ("text", ["blob", "sha256:0", 3, "image/png"], '["blob","sha256:0",3,"image/png"]'),
        ("tensor", [[1.5, 2.0]], "[[1.5,2.0]]"),
        ("timestamp", 2**63, None),
        ("timestamp", "soon", None),
        ("category", None, None),
    ],
)
def test_a_cell_is_kept_as_its_column_can_hold_it(kind: str, value: object, expected: object) -> None:
    schema = Schema("default", "e", "sha256:0", (SchemaField("f", kind, "public"),), "binary", "boolean")
    rows = [Input(bytes(16), 0, (value,), "r", 0), Input(bytes(16), 0, (None,), "r", 1)]
    first, second = inputs_table(schema, rows).to_pylist()
    assert first[FEATURES] == {"f": expected}
    assert second[FEATURES] == {"f": None}
    assert first["flags"] == (["unfit:f"] if expected is None and value is not None else [])


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), size=st.sampled_from([1, 7, 64, 1000]))
def test_a_segment_read_in_any_pieces_says_the_same(
    monkeypatch: pytest.MonkeyPatch, data: st.DataObject, size: int
) -> None:
    monkeypatch.setattr(tail, "CHUNK", size)
    first, second = data.draw(schemas()), data.draw(schemas())
    written = [
        (each, data.draw(blocks(each))) for each in data.draw(st.lists(st.sampled_from([first, second]), max_size=4))
    ]
    source = MemorySegments()
    source.write("a-0", 1, written)
    (segment,) = source.segments()
    raw = source.read(segment)
    whole_scan = scan(raw)
    assert (whole_scan.end, whole_scan.damaged) == (len(raw), False)
    scanner, pieces = Scanner(), []
    for found in fed(scanner, raw):
        pieces += list(found.items())
    assert scanner.end == len(raw)
    assert msgspec.msgpack.encode(_flat(pieces)) == msgspec.msgpack.encode(_flat(whole_scan.blocks))


def _flat(found: list[tuple[Schema, Block]]) -> list[Any]:
    """All records by schema, in order."""
    return [(schema, block.inputs, block.answers, block.labels) for schema, block in gathered(found).items()]


@given(st.binary(min_size=1, max_size=12), st.integers(0, 200))
def test_only_bytes_with_frames_behind_them_are_damage(junk: bytes, cut: int) -> None:
    source = MemorySegments()
    schema = Schema("default", "e", "sha256:0", (), "binary", "boolean")
    source.write("a-0", 1, [(schema, Block([Input(bytes(16), 0, (), "r", 0)])), (schema, Block())])
    (segment,) = source.segments()
    raw = source.read(segment)
    frames = read_frames(raw).frames
    torn = raw[: min(cut, len(raw))]
    assert not frame_beyond(torn, read_frames(torn).end)
    source.cut("a-0", 1, frames[1].end)
    source.append_bytes("a-0", 1, junk + raw[frames[1].end :])
    (segment,) = source.segments()
    parts, damaged = closed_parts(source, segment, {})
    behind = not source.read(segment)[frames[1].end :].startswith(raw[frames[1].end :])
    assert damaged is behind
    assert bool(parts) is not behind


@settings(max_examples=4, phases=[Phase.generate])
@given(data=st.data())
def test_any_blocks_are_sealed_and_read_again(data: st.DataObject) -> None:
    """In two generations of contracts, with values their columns cannot hold: every record is in the lake once."""
    first, second = data.draw(schemas()), data.draw(schemas())
    found = [(each, data.draw(blocks(each))) for each in (first, second, first)]
    for at, (_, block) in enumerate(found):
        for place, record in enumerate(block.inputs):
            old, record.id = record.id, bytes([at, place]) + bytes(14)
            record.at = abs(record.at) % 10**15
            for answer in block.answers:
                answer.input_id = record.id if answer.input_id == old else answer.input_id
        for place, label in enumerate(block.labels):
            label.id, label.observed_at, label.entity_at = bytes([at, place]) + bytes(14), 5, None
    with tempfile.TemporaryDirectory() as root:
        source, lake = MemorySegments(), Lake(Path(root))
        for sequence, (schema, block) in enumerate(found, 1):
            source.write("a-0", sequence, [(schema, block)])
        done = Sealer(source, lake, batch_bytes=1).seal()
        assert (done.segments, done.damaged, done.unreadable) == (3, (), ())
        assert source.segments() == []
        reader = Reader(lake, source)
        joined = reader.joined("default", "e", start=None)
        assert len(joined) <= sum(len(block.inputs) for _, block in found)
        assert isinstance(reader.features("default", "e"), pa.Table)
        sealed = sum(each.read(("input_id",)).num_rows for each in lake.generations("default", "e", Table.INPUTS))
        assert sealed == sum(len(block.inputs) for _, block in found)
