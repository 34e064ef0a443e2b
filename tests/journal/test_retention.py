"""What is past its retention is gone from every table and from disk; what is not, stays."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.journal import retention
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.retention import retain
from headgate.journal.sealer import Sealer
from headgate.journal.tables import Table
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, Micros

HOUR = DAY // 24
FIELDS = (SchemaField("distance", "number", "public"), SchemaField("passenger", "text", "personal"))
SCHEMA = Schema("default", "flights", "sha256:1", FIELDS, "binary", "boolean")


def ident(number: int) -> bytes:
    return number.to_bytes(16, "big")


def a_day(number: int) -> Block:
    at = number * DAY + 7
    given = Input(ident(number), at, (1.0, f"Ann {number}"), f"r{number}", 0)
    answer = Answer(ident(number), "m:1", "m:1", "live", 1.0, True, None, 1, 1)
    return Block([given], [answer], [Label(ident(100 + number), at, at, True, input_id=ident(number))])


def a_lake(folder: Path) -> tuple[Lake, MemorySegments]:
    source, lake = MemorySegments(), Lake(folder)
    source.write("a-0", 1, [(SCHEMA, a_day(number)) for number in range(4)])
    Sealer(source, lake).seal()
    humans = [Answer(ident(number), "m:1", "person", "human", 1.0, True, None, 1, 1) for number in range(4)]
    source.write("b-0", 1, [(SCHEMA, Block([], humans, []))])
    Sealer(source, lake).seal()
    return lake, source


def test_days_that_ended_are_removed_from_every_table_and_from_disk(tmp_path: Path) -> None:
    lake, source = a_lake(tmp_path)
    done = retain(lake, "default", "flights", before=Micros(2 * DAY + 5), grace_hours=0)
    assert (str(done.before), done.inputs, done.answers, done.labels, done.personal) == ("1970-01-03", 2, 4, 2, 2)
    joined = Reader(lake, source).joined("default", "flights", roles=("live", "human"))
    assert joined["request_id"].to_pylist() == ["r2", "r2", "r3", "r3"]
    assert joined["label"].null_count == 0
    assert Reader(lake, source).counts("default", "flights").unmatched == 0
    assert len(list((tmp_path / "default/flights/personal").rglob("*.parquet"))) == 2


def test_doing_it_again_changes_nothing(tmp_path: Path) -> None:
    lake, _ = a_lake(tmp_path)
    retain(lake, "default", "flights", before=Micros(2 * DAY))
    versions = [each.delta.version() for table in Table for each in lake.generations("default", "flights", table)]
    done = retain(lake, "default", "flights", before=Micros(2 * DAY))
    assert (done.inputs, done.answers, done.labels, done.personal) == (0, 0, 0, 0)
    again = [each.delta.version() for table in Table for each in lake.generations("default", "flights", table)]
    assert again == versions


def test_what_was_sealed_is_remembered_after_everything_is_gone(tmp_path: Path) -> None:
    lake, source = a_lake(tmp_path)
    retain(lake, "default", "flights", before=Micros(9 * DAY))
    source.write("a-0", 1, [(SCHEMA, a_day(0))])
    reader = Reader(lake, source)
    assert len(reader.joined("default", "flights", as_of=Micros(9 * DAY))) == 0
    assert reader.find("default", "flights", "x", personal=True) is None


def test_an_answer_whose_input_went_before_it_came_goes_by_the_moment_in_its_id(tmp_path: Path) -> None:
    def drawn(day: int) -> bytes:
        return ((day * DAY + 7) // 1000 << 80 | 7 << 76 | 1).to_bytes(16, "big")

    source, lake = MemorySegments(), Lake(tmp_path)
    source.write("a-0", 1, [(SCHEMA, Block([Input(drawn(1), 5 * DAY, (1.0, "Ann"), "r", 0)]))])
    Sealer(source, lake).seal()
    late = [Answer(drawn(day), "m:1", "person", "human", 1.0, True, None, 1, 1) for day in (0, 1, 2, 3)]
    source.write("b-0", 1, [(SCHEMA, Block([], late, []))])
    assert Sealer(source, lake).seal().first_days == {("default", "flights"): 0}
    assert retain(lake, "default", "flights", before=Micros(2 * DAY)).answers == 1, "the second's input is of day 5"
    assert retain(lake, "default", "flights", before=Micros(3 * DAY)).answers == 1
    assert retain(lake, "default", "flights", before=Micros(6 * DAY)).answers == 2


def test_an_endpoint_without_a_lake_has_nothing_to_forget(tmp_path: Path) -> None:
    assert retain(Lake(tmp_path), "default", "flights", before=Micros(DAY)).inputs == 0


def records(lake: Lake, source: MemorySegments) -> list[tuple[str, str, object]]:
    joined = Reader(lake, source).joined("default", "flights", roles=("live", "human"))
    return sorted(zip(*(joined[each].to_pylist() for each in ("request_id", "role", "label")), strict=True))


@settings(max_examples=6)
@given(limits=st.lists(st.integers(-1, 6 * 24), min_size=1, max_size=3))
def test_days_go_whole_and_nothing_else_goes(limits: list[int]) -> None:
    """Whatever the order of the calls: the latest limit alone says what is left."""
    with TemporaryDirectory() as folder:
        lake, source = a_lake(Path(folder))
        for hours in limits:
            retain(lake, "default", "flights", before=Micros(hours * HOUR), grace_hours=0)
        first = max(0, *limits) // 24
        left = [each for day in range(first, 4) for each in ((f"r{day}", "human", True), (f"r{day}", "live", True))]
        assert records(lake, source) == left
        again = retain(lake, "default", "flights", before=Micros(max(limits) * HOUR), grace_hours=0)
        assert (again.inputs, again.answers, again.labels, again.personal) == (0, 0, 0, 0)
        assert len(list(Path(folder).rglob("personal/**/*.parquet"))) == 4 - min(first, 4)


def test_removed_files_stay_for_running_readers_until_the_grace_is_over(tmp_path: Path) -> None:
    lake, _ = a_lake(tmp_path)
    inputs = tmp_path / "default/flights/inputs"
    before = set(inputs.rglob("*.parquet"))
    (snapshot,) = lake.generations("default", "flights", Table.INPUTS)
    retain(lake, "default", "flights", before=Micros(2 * DAY), grace_hours=1)
    assert set(inputs.rglob("*.parquet")) >= before
    assert snapshot.read(("input_id",)).num_rows == 4
    retain(lake, "default", "flights", before=Micros(2 * DAY), grace_hours=0)
    assert len(set(inputs.rglob("*.parquet"))) < len(before)


def test_other_endpoints_keep_theirs(tmp_path: Path) -> None:
    lake, source = a_lake(tmp_path)
    other = Schema("default", "trains", "sha256:1", FIELDS, "binary", "boolean")
    source.write("c-0", 1, [(other, a_day(0))])
    Sealer(source, lake).seal()
    retain(lake, "default", "flights", before=Micros(9 * DAY), grace_hours=0)
    assert records(lake, source) == []
    assert len(Reader(lake, source).joined("default", "trains")) == 1


def test_many_answers_apart_from_their_inputs_go_with_them(tmp_path: Path) -> None:
    """More than one statement may name."""
    source, lake = MemorySegments(), Lake(tmp_path)
    count = retention._BATCH + 3
    inputs = [Input(ident(at), 5, None, f"r{at}", 0) for at in range(count)]
    source.write("a-0", 1, [(SCHEMA, Block(inputs))])
    Sealer(source, lake).seal()
    strangers = [(each * DAY // 1000 << 80).to_bytes(16, "big") for each in (1, 2)]  # of inputs nobody has, drawn later
    meant = [*map(ident, range(count)), *strangers]
    humans = [Answer(each, "m:1", "person", "human", 1.0, True, None, 1, 1) for each in meant]
    source.write("b-0", 1, [(SCHEMA, Block([], humans))])
    Sealer(source, lake).seal()
    assert retain(lake, "default", "flights", before=Micros(DAY)).answers == count
    (left,) = lake.generations("default", "flights", Table.ANSWERS)
    assert left.read(("input_id",)).num_rows == 2
