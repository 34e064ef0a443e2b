"""One journal over lake and segments: each record once, whatever is sealed, compacted or deleted meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from headgate.errors import BadInput, NotFound, Unavailable
from headgate.journal.frames import Kind, encode_frame
from headgate.journal.labels import JOINED_COLUMNS
from headgate.journal.lake import Generation, Lake
from headgate.journal.ports import SegmentRef
from headgate.journal.queries import QUERIES, REPORTS, parse_queries
from headgate.journal.reader import ATTEMPTS, Counts, Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import HOUR, Micros

FIELDS = (SchemaField("distance", "number", "public"), SchemaField("passenger", "text", "personal"))
SCHEMA = Schema("default", "flights", "sha256:1", FIELDS, "binary", "boolean")


def ident(number: int) -> bytes:
    return number.to_bytes(16, "big")


def a_block(first: int, count: int, every: int = HOUR) -> Block:
    block = Block([], [], [])
    for number in range(first, first + count):
        at = number * every
        block.inputs.append(Input(ident(number), at, (float(number), "Ann"), f"r{number}", 0))
        block.answers.append(Answer(ident(number), "m:1", "m:1", "live", 1.0, True, [0.1, 0.9], 10, 20 + number))
        block.labels.append(Label(ident(1000 + number), at + 9, at + 8, False, input_id=ident(number)))
    return block


@pytest.fixture
def source() -> MemorySegments:
    return MemorySegments()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.fixture
def reader(lake: Lake, source: MemorySegments) -> Reader:
    return Reader(lake, source)


def numbers(reader: Reader, start: Micros | None = None, end: Micros | None = None) -> list[int]:
    joined = reader.joined("default", "flights", start=start, end=end)
    return [int(each[1:]) for each in joined["request_id"].to_pylist()]


def test_an_endpoint_nobody_asked_is_empty(reader: Reader) -> None:
    joined = reader.joined("default", "flights")
    assert len(joined) == 0
    assert joined.column_names[:5] == ["input_id", "at", "request_id", "row", "entity"]
    assert joined.column_names[-5:] == ["flags", "label", "label_observed_at", "label_received_at", "source"]
    assert reader.counts("default", "flights") == Counts(0, 0, 0, 0, 0, 0, 0, 0)
    assert reader.endpoints() == []
    assert reader.find("default", "flights", "x") is None
    assert len(reader.features("default", "flights")) == 0


def test_columns_nobody_asks_for_are_left_out(reader: Reader, source: MemorySegments) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 3))])
    whole = reader.joined("default", "flights")
    assert tuple(whole.column_names) == JOINED_COLUMNS
    asked = ["label", "at"]
    assert reader.joined("default", "flights", columns=asked).select(asked).equals(whole.select(asked))
    assert len(reader.joined("default", "flights", columns=asked).column_names) == 2
    with pytest.raises(BadInput, match=r"'labels'.* there are input_id, at"):
        reader.joined("default", "flights", columns=["labels"])
    with pytest.raises(BadInput, match="at least one of input_id, at"):
        reader.joined("default", "flights", columns=[])


def test_names_that_are_paths_are_refused(reader: Reader) -> None:
    with pytest.raises(NotFound, match="project"):
        reader.joined("../other", "flights")


def test_sealed_and_unsealed_rows_are_read_as_one(reader: Reader, source: MemorySegments, lake: Lake) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 3))])
    Sealer(source, lake).seal()
    source.write("a-0", 2, [(SCHEMA, a_block(3, 2))])
    source.write("a-0", 3, [(SCHEMA, a_block(5, 1))], closed=False)
    assert numbers(reader) == [0, 1, 2, 3, 4, 5]
    source.write("a-0", 3, [(SCHEMA, a_block(6, 2))], closed=False)
    source.append_bytes("a-0", 3, b"HGJ")
    assert numbers(reader) == list(range(8))
    assert reader.counts("default", "flights") == Counts(8, 0, 8, 0, 8, 8, 8, 0)
    assert reader.endpoints() == [("default", "flights")]
    Sealer(source, lake).seal()
    assert numbers(reader) == list(range(8))


def test_windows_cut_by_event_time(reader: Reader, source: MemorySegments, lake: Lake) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 60))])
    assert numbers(reader, start=Micros(20 * HOUR), end=Micros(50 * HOUR)) == list(range(20, 50))
    Sealer(source, lake).seal()
    assert numbers(reader, start=Micros(20 * HOUR), end=Micros(50 * HOUR)) == list(range(20, 50))
    assert numbers(reader, start=Micros(50 * HOUR + 1)) == list(range(51, 60))


def test_a_window_beyond_the_calendar_holds_everything(reader: Reader, source: MemorySegments, lake: Lake) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 3))])
    Sealer(source, lake).seal()
    assert numbers(reader, start=Micros(-(2**62)), end=Micros(2**62)) == [0, 1, 2]


def test_labels_count_once_received(reader: Reader, source: MemorySegments, lake: Lake) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 3))])
    for _ in range(2):
        as_of = reader.joined("default", "flights", as_of=Micros(HOUR + 9))
        assert as_of["label"].to_pylist() == [False, False, None]
        assert reader.counts("default", "flights", as_of=Micros(HOUR + 8)).labelled == 1
        Sealer(source, lake).seal()


def test_a_refused_row_has_no_answer(reader: Reader, source: MemorySegments) -> None:
    refused = Input(ident(1), 5, None, "r1", 0, refusal=Refusal("rows[0].distance", "range", "is too far"))
    source.write("a-0", 1, [(SCHEMA, Block([refused], [], []))])
    (row,) = reader.joined("default", "flights").to_pylist()
    assert (row["answered"], row["refusal_rule"], row["refusal_field"]) == (None, "range", "rows[0].distance")
    assert reader.counts("default", "flights").refused == 1
    assert reader.query("refusals", "default", "flights").to_pylist()[0]["rows"] == 1


def test_one_input_is_found_with_everything(reader: Reader, source: MemorySegments, lake: Lake) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 3))])
    wanted = "00000000-0000-0000-0000-000000000002"
    for _ in range(2):
        found = reader.find("default", "flights", wanted)
        assert found is not None
        assert (found.at, found.features, found.refusal) == (2 * HOUR, {"distance": 2.0}, None)
        assert (found.answers["role"].to_pylist(), found.labels["value"].to_pylist()) == (["live"], [False])
        whole = reader.find("default", "flights", wanted, personal=True)
        assert whole is not None
        assert whole.features == {"distance": 2.0, "passenger": "Ann"}
        Sealer(source, lake).seal()


def test_late_answers_apart_from_their_input_are_read_in_any_window(
    reader: Reader, source: MemorySegments, lake: Lake
) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 60))])
    Sealer(source, lake).seal()
    late = Answer(ident(50), "m:1", "person", "human", 1.0, False, None, 0, 0)
    source.write("b-0", 1, [(SCHEMA, Block([], [late], []))])
    Sealer(source, lake).seal()
    rows = reader.joined("default", "flights", start=Micros(50 * HOUR), end=Micros(51 * HOUR), roles=("human", "live"))
    assert rows["role"].to_pylist() == ["human", "live"]


def test_a_segment_that_cannot_be_read_hides_no_other(reader: Reader, source: MemorySegments) -> None:
    source.write("a-0", 1, [])
    source.append_bytes("a-0", 1, encode_frame(Kind.BLOCK, b"?", schema_id=9))
    source.write("b-0", 1, [(SCHEMA, a_block(0, 2))])
    assert numbers(reader) == numbers(reader) == [0, 1]


def test_what_a_writer_cut_off_again_is_not_read_any_more(reader: Reader, source: MemorySegments) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 2))], closed=False)
    (whole,) = source.segments()
    source.write("a-0", 1, [(SCHEMA, a_block(2, 1))], closed=False)
    assert numbers(reader) == [0, 1, 2]
    source.cut("a-0", 1, whole.size)
    assert numbers(reader) == [0, 1]


class Meddling(MemorySegments):
    """Seals everything at the moment a reader has listed the segments, a few times."""

    lake: Lake
    left = 0

    def segments(self) -> list[SegmentRef]:
        listed = super().segments()
        if self.left:
            self.left -= 1
            left, self.left = self.left, 0
            Sealer(self, self.lake).seal()
            self.write("a-0", 100 - left, [(SCHEMA, a_block(100 - left, 1))])
            self.left = left
        return listed


def test_a_reading_begins_again_when_its_segments_are_sealed_meanwhile(lake: Lake) -> None:
    source = Meddling()
    source.lake = lake
    source.write("a-0", 1, [(SCHEMA, a_block(0, 3))])
    source.left = 3
    found = numbers(Reader(lake, source))
    assert found[:3] == [0, 1, 2]
    assert len(set(found)) == len(found)


def test_reports_answer_what_they_say(reader: Reader, source: MemorySegments) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 48))])
    days = reader.query("volume", "default", "flights", bucket="day").to_pylist()
    assert [(each["inputs"], each["labelled"], each["latency_p50_us"]) for each in days] == [(24, 24, 31), (24, 24, 55)]
    (version,) = reader.query("versions", "default", "flights").to_pylist()
    assert (version["assigned"], version["answers"], version["latency_p99_us"]) == ("m:1", 48, 67)
    (delay,) = reader.query("label_delay", "default", "flights").to_pylist()
    assert (delay["labelled"], delay["max_s"]) == (48, 9e-6)
    with pytest.raises(NotFound, match="volume"):
        reader.query("joined", "default", "flights")


def test_every_query_says_what_it_answers() -> None:
    assert set(REPORTS) < set(QUERIES)
    assert all(each.says.endswith(".") for each in QUERIES.values())
    with pytest.raises(ValueError, match="nameless"):
        parse_queries("-- nameless --\nSELECT 1;")


def test_labels_of_nothing_are_told_as_of_any_moment(reader: Reader, source: MemorySegments) -> None:
    block = a_block(0, 2)
    strangers = [
        Label(ident(2000), 50, 40, True, input_id=ident(77)),
        Label(ident(2001), 60, 40, True, request_id="nobody"),
        Label(ident(2002), 70, 40, True, entity="ada", entity_at=5),
    ]
    source.write("a-0", 1, [(SCHEMA, block), (SCHEMA, Block([], [], strangers[::-1]))])
    found = reader.labels_unmatched("default", "flights")
    assert [each[-4:] for each in found["label_id"].to_pylist()] == ["07d0", "07d1", "07d2"], "as they came"
    assert found["request_id"].to_pylist() == [None, "nobody", None]
    assert len(reader.labels_unmatched("default", "flights", as_of=Micros(60))) == 2
    assert reader.counts("default", "flights").unmatched == 3


def test_a_journal_rearranged_without_end_is_said_to_be(
    reader: Reader, source: MemorySegments, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 1))])
    tries = []

    def gone(segment: SegmentRef, start: int = 0) -> bytes:
        tries.append(segment)
        raise NotFound("segment", "a-0/1")

    monkeypatch.setattr(source, "read", gone)
    with pytest.raises(Unavailable, match="try again"):
        reader.joined("default", "flights")
    assert len(tries) == ATTEMPTS


def test_what_is_missing_for_good_is_not_looked_for_again(
    reader: Reader, source: MemorySegments, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def missing() -> list[SegmentRef]:
        tries.append(1)
        raise NotFound("project", "?")

    monkeypatch.setattr(source, "segments", missing)
    with pytest.raises(NotFound, match="project"):
        reader.endpoints()
    assert tries == [1]


def test_a_file_vacuumed_under_a_reading_is_read_in_a_fresh_snapshot(
    reader: Reader, source: MemorySegments, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write("a-0", 1, [(SCHEMA, a_block(0, 3))])
    Sealer(source, lake).seal()
    once: list[int] = []
    read = Generation.read

    def vacuumed(self: Generation, *words: Any, **more: Any) -> Any:
        if not once:
            once.append(1)
            raise FileNotFoundError("part-0.parquet")
        return read(self, *words, **more)

    monkeypatch.setattr(Generation, "read", vacuumed)
    assert numbers(reader) == [0, 1, 2]
    assert once == [1]


def test_every_endpoint_is_known_once_wherever_its_records_are(
    reader: Reader, source: MemorySegments, lake: Lake
) -> None:
    def schema(project: str, endpoint: str) -> Schema:
        return Schema(project, endpoint, "sha256:1", FIELDS, "binary", "boolean")

    source.write("a-0", 1, [(schema("shop", "price"), a_block(0, 1)), (SCHEMA, a_block(1, 1))])
    Sealer(source, lake).seal()
    source.write("a-0", 2, [(SCHEMA, a_block(2, 1)), (schema("default", "delays"), a_block(3, 1))], closed=False)
    assert reader.endpoints() == [("default", "delays"), ("default", "flights"), ("shop", "price")]


@pytest.mark.parametrize(
    "text",
    ["-- one --\nSELECT 1;\n", "-- one --\n-- Says something.\n", "-- one --\n\n\n-- two --\n-- Says.\nSELECT 2;\n"],
)
def test_a_query_without_words_or_without_sql_is_no_query(text: str) -> None:
    with pytest.raises(ValueError, match="query 'one' needs a line that says what it answers"):
        parse_queries(text)


@pytest.mark.parametrize("name", ["joined", "truths", "volume; DROP TABLE x", "", "Volume"])
def test_only_reports_may_be_asked_for(reader: Reader, name: str) -> None:
    with pytest.raises(NotFound, match="volume, versions, refusals, label_delay") as missing:
        reader.query(name, "default", "flights")
    assert ";" not in str(missing.value)
