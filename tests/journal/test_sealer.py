"""Segments enter the lake exactly once, whatever is interrupted, and only then disappear."""

from pathlib import Path
from typing import Any

import deltalake
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.journal import lake as lake_module
from headgate.journal.frames import Kind, encode_frame
from headgate.journal.lake import Lake
from headgate.journal.ports import SegmentRef
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.journal.tables import Table
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY


class Crash(Exception):
    """The machine stopped here."""


def a_schema(kind: str = "number", name: str = "distance", endpoint: str = "flights") -> Schema:
    fields = (SchemaField(name, kind, "public"), SchemaField("passenger", "text", "personal"))
    return Schema("default", endpoint, f"sha256:{name}-{kind}", fields, "binary", "boolean")


def a_block(first: int, count: int, value: object = 1.5) -> Block:
    ids = [number.to_bytes(16, "big") for number in range(first, first + count)]
    return Block(
        [Input(each, at * DAY // 4, (value, "Ann"), f"r{at}", 0) for at, each in enumerate(ids, first)],
        [Answer(each, "m:1", "m:1", "live", 1.0, True, [0.1, 0.9], 10, 20) for each in ids],
        [Label(each, at * DAY // 4 + 5, at * DAY // 4 + 4, False, input_id=each) for at, each in enumerate(ids, first)],
    )


def ids_in(lake: Lake, table: Table, column: str = "input_id", endpoint: str = "flights") -> list[str]:
    found: list[str] = []
    for generation in lake.generations("default", endpoint, table):
        found += generation.read((column,)).column(column).to_pylist()
    return sorted(found)


def all_ids(count: int) -> list[str]:
    return [f"00000000-0000-0000-0000-{number:012x}" for number in range(count)]


def test_a_seal_moves_closed_segments_and_deletes_them(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    source.write("a-0", 1, [(a_schema(), a_block(0, 5)), (a_schema(), a_block(5, 5))])
    source.write("b-0", 1, [(a_schema(), a_block(10, 5))])
    source.write("b-0", 2, [(a_schema(), a_block(15, 5))], closed=False)
    done = Sealer(source, lake).seal()
    assert (done.segments, done.rows, done.damaged) == (2, 15 * 4, ())
    assert [(each.stream, each.sequence) for each in source.segments()] == [("b-0", 2)]
    for table in Table:
        (generation,) = lake.generations("default", "flights", table)
        assert ids_in(lake, table) == all_ids(15)
        assert (generation.sealed(source.segments()[0].stream), generation.delta.version()) == (1, 1)
    assert Sealer(source, lake).seal().segments == 0


def test_answers_of_shadows_have_the_day_of_their_input(tmp_path: Path) -> None:
    """They come in blocks of their own, under the schema of their own version, and between inputs of others."""
    source, lake = MemorySegments(), Lake(tmp_path)
    own, live = a_schema(name="delay"), a_schema()

    def said(first: int, count: int) -> Block:
        ids = [number.to_bytes(16, "big") for number in range(first, first + count)]
        spoken = [Answer(each, "m:2", "m:2", "shadow", 1.0, True, [0.1, 0.9], 10, 20) for each in ids[1:]]
        return Block([], [Answer(ids[0], "m:2", "", "shadow", 1.0, None, None, 0, 20, "late"), *spoken])

    source.write("a-0", 1, [(live, a_block(0, 2))])
    source.write("a-0", 2, [(own, said(0, 2)), (live, a_block(2, 3)), (own, said(2, 3))])
    assert Sealer(source, lake).seal().segments == 2
    (generation,) = lake.generations("default", "flights", Table.ANSWERS)
    rows = generation.read(("input_id", "role", "at", "prediction", "answered")).to_pylist()
    assert [each["at"] for each in rows if each["role"] == "shadow"].count(None) == 0
    assert len(rows) == 10
    assert [each["prediction"] for each in rows if each["answered"] == ""] == [None, None]


def test_nothing_after_an_open_segment_of_its_stream_is_sealed(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    source.write("a-0", 1, [(a_schema(), a_block(0, 1))], closed=False)
    source.write("a-0", 2, [(a_schema(), a_block(1, 1))])
    assert Sealer(source, lake).seal().segments == 0


def test_personal_values_leave_no_statistics(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    source.write("a-0", 1, [(a_schema(), a_block(0, 5))])
    Sealer(source, lake).seal()
    assert "Ann" not in "".join(each.read_text() for each in tmp_path.rglob("*.json"))
    columns = lake.generations("default", "flights", Table.INPUTS)[0].schema.field("features").type
    assert [each.name for each in columns] == ["distance"]
    assert lake.generations("default", "flights", Table.PERSONAL)[0].read(("features",)).to_pylist()[0] == {
        "features": {"passenger": "Ann"}
    }


class Faults:
    """Stops the world before the step of a given number, once."""

    def __init__(self, patch: pytest.MonkeyPatch, source: MemorySegments, at: int) -> None:
        self.left, self.fired = at, False
        write, persist, delete = deltalake.write_deltalake, lake_module.persist, source.delete
        patch.setattr(lake_module, "write_deltalake", self.guarding(write))
        patch.setattr(lake_module, "persist", self.guarding(persist))
        patch.setattr(source, "delete", self.guarding(delete))

    def guarding(self, step: Any) -> Any:
        def guarded(*args: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.fired = True
                raise Crash
            return step(*args, **named)

        return guarded


def a_journal() -> MemorySegments:
    source = MemorySegments()
    source.write("a-0", 1, [(a_schema(), a_block(0, 3)), (a_schema("category"), a_block(3, 2, "far"))])
    source.write("a-0", 2, [(a_schema(name="speed"), a_block(5, 3))])
    source.write("b-0", 7, [(a_schema("category"), a_block(8, 2, "near")), (a_schema(), a_block(10, 2))])
    return source


def test_a_crash_before_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    step, fired = 0, True
    while fired:
        step += 1
        source, lake = a_journal(), Lake(tmp_path / str(step))
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, source, step)
            try:
                Sealer(source, lake).seal()
            except Crash:
                assert sorted(Reader(lake, source).joined("default", "flights")["input_id"].to_pylist()) == all_ids(12)
            fired = faults.fired
        source.write("0-0", 1, [(a_schema("category"), a_block(12, 1, "x")), (a_schema(), a_block(13, 1))])
        Sealer(source, lake).seal()
        assert source.segments() == []
        for table in Table:
            assert ids_in(lake, table) == all_ids(14), (step, table)
    assert step > 15


def test_a_type_that_does_not_fit_opens_a_generation_and_readers_unite_them(tmp_path: Path) -> None:
    source, lake = a_journal(), Lake(tmp_path)
    Sealer(source, lake, batch_bytes=1).seal()
    assert [each.number for each in lake.generations("default", "flights", Table.INPUTS)] == [1, 2]
    assert [each.number for each in lake.generations("default", "flights", Table.ANSWERS)] == [1]
    rows = Reader(lake, source).features("default", "flights").sort_by("input_id").to_pylist()
    assert [each["features"]["distance"] for each in rows] == ["1.5"] * 3 + ["far"] * 2 + [None] * 3 + ["near"] * 2 + [
        "1.5"
    ] * 2
    assert rows[5]["features"]["speed"] == 1.5


def test_names_that_differ_in_capitals_alone_open_a_generation(tmp_path: Path) -> None:
    """Two contracts of one endpoint may differ so; Delta holds no table with both columns."""
    source, lake = MemorySegments(), Lake(tmp_path)
    for at, name in enumerate(("Distance", "distance", "Distance")):
        source.write("a-0", at, [(a_schema(name=name), a_block(2 * at, 2, at + 0.5))])
    sealer = Sealer(source, lake, batch_bytes=1)
    assert sealer.seal().segments == 3
    assert [each.number for each in lake.generations("default", "flights", Table.INPUTS)] == [1, 2]
    rows = Reader(lake, source).features("default", "flights").sort_by("input_id").to_pylist()
    assert [each["features"] for each in rows] == [
        {"Distance": 0.5, "distance": None},
        {"Distance": 0.5, "distance": None},
        {"Distance": None, "distance": 1.5},
        {"Distance": None, "distance": 1.5},
        {"Distance": 2.5, "distance": None},
        {"Distance": 2.5, "distance": None},
    ]
    assert sealer.compact(grace_hours=0) >= 0


ODD_NAMES = ["sepal length (cm)", "a.b", "a`b", 'q"t', "日本", "a\nb", "input_id", "date", "at", "x" * 200]


def test_fields_may_be_called_anything(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    fields = tuple(SchemaField(name, "number", "public" if at % 2 else "personal") for at, name in enumerate(ODD_NAMES))
    schema = Schema("default", "flights", "sha256:odd", fields, "binary", "boolean")
    values = tuple(float(at) for at in range(len(ODD_NAMES)))
    source.write("a-0", 1, [(schema, Block([Input(bytes(16), 0, values, "r", 0)]))])
    assert Sealer(source, lake).seal().segments == 1
    reader = Reader(lake, source)
    found = reader.find("default", "flights", all_ids(1)[0], personal=True)
    assert found is not None
    assert found.features == dict(zip(ODD_NAMES, values, strict=True))
    public = reader.find("default", "flights", all_ids(1)[0])
    assert public is not None
    assert set(public.features) == set(ODD_NAMES[1::2])


def test_a_damaged_segment_is_sealed_as_far_as_it_reads_and_kept(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    source.write("a-0", 1, [(a_schema(), a_block(0, 3))])
    source.append_bytes("a-0", 1, b"garbage")
    source.write("a-0", 1, [(a_schema(), a_block(3, 3))])
    source.write("a-0", 2, [(a_schema(), a_block(6, 3))])
    sealer = Sealer(source, lake)
    assert sealer.seal().damaged == ("a-0/1",)
    assert [each.sequence for each in source.segments()] == [1]
    assert sealer.seal() == Sealer(source, lake).seal().__class__()
    assert ids_in(lake, Table.INPUTS) == [*all_ids(3), *all_ids(9)[6:]]


def test_a_segment_that_contradicts_itself_stops_its_stream_and_no_other(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    source.write("a-0", 1, [])
    source.append_bytes("a-0", 1, encode_frame(Kind.BLOCK, b"?", schema_id=9))
    source.write("a-0", 2, [(a_schema(), a_block(0, 1))])
    source.write("b-0", 1, [(a_schema(), a_block(1, 1))])
    sealer = Sealer(source, lake)
    assert sealer.seal().unreadable == ("a-0/1",)
    assert [(each.stream, each.sequence) for each in source.segments()] == [("a-0", 1), ("a-0", 2)]
    assert sealer.seal().segments == 0


def test_compacting_keeps_every_row_and_what_was_sealed(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    sealer = Sealer(source, lake)
    for sequence in range(6):
        source.write("a-0", sequence, [(a_schema(), a_block(sequence, 1))])
        sealer.seal()
    files = len(list(tmp_path.rglob("*.parquet")))
    assert sealer.compact(grace_hours=0) > 0
    assert len(list(tmp_path.rglob("*.parquet"))) < files
    source.write("a-0", 5, [(a_schema(), a_block(5, 1))])
    sealer.seal()
    for table in Table:
        assert ids_in(lake, table) == all_ids(6)
    assert "Ann" not in "".join(each.read_text() for each in tmp_path.rglob("*.json"))


def test_transactions_survive_checkpoints(tmp_path: Path) -> None:
    source, lake = MemorySegments(), Lake(tmp_path)
    source.write("a-0", 3, [(a_schema(), a_block(0, 2))])
    Sealer(source, lake).seal()
    for table in Table:
        (generation,) = lake.generations("default", "flights", table)
        generation.delta.create_checkpoint()
        for commit in (generation.folder / "_delta_log").glob("*00.json"):
            commit.unlink()
    source.write("a-0", 3, [(a_schema(), a_block(0, 2))])
    Sealer(source, lake).seal()
    assert ids_in(lake, Table.ANSWERS) == all_ids(2)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3), st.booleans()), max_size=6))
def test_any_order_of_writing_and_sealing_keeps_each_row_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, bool]]
) -> None:
    source, lake = MemorySegments(), Lake(tmp_path_factory.mktemp("lake"))
    reader, written = Reader(lake, source), 0
    for sequence, (stream, count, seal) in enumerate(steps):
        source.write(f"{stream}-0", sequence, [(a_schema(), a_block(written, count))])
        written += count
        if seal:
            Sealer(source, lake, batch_bytes=1).seal()
        assert reader.joined("default", "flights")["input_id"].to_pylist() == all_ids(written)
    assert all(isinstance(each, SegmentRef) for each in source.segments())
