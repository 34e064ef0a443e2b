"""Blobs no record names disappear, no other ever does: whatever happens meanwhile, and wherever the disk fails."""

import errno
import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate.clock import HeldClock
from headgate.errors import IntegrityError, NotFound
from headgate.journal.blobs import BlobRef, Kept, LocalBlobs, digest_of, folders, kept
from headgate.journal.frames import Kind, encode_frame
from headgate.journal.lake import Lake
from headgate.journal.orphans import GRACE_US, Collected, Orphans
from headgate.journal.ports import SegmentRef
from headgate.journal.records import Block, Input, Schema, SchemaField
from headgate.journal.retention import retain
from headgate.journal.sealer import Sealer
from headgate.journal.tables import Table
from headgate.testing.disk import CRASH, UnkindDisk
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import Micros

DAY = 86_400_000_000
START = Micros(20_000 * DAY)
FIELDS = (
    SchemaField("width", "number", "public"),
    SchemaField("a.picture", "image", "public"),
    SchemaField("face", "image", "personal"),
)
SCHEMA = Schema("default", "faces", "sha256:1", FIELDS, "binary", "boolean")
PICTURE, FACE, DEAD, LATE = b"a picture" * 99, b"a face" * 99, b"a dead one" * 99, b"a late one" * 99
HOME_OF_LATE = f"blobs/{hashlib.sha256(LATE).hexdigest()[:2]}/{hashlib.sha256(LATE).hexdigest()}"


class SteppingDisk(UnkindDisk):
    """An unkind disk on which something else happens before the call of a chosen number."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[int, Callable[[], object]] = {}

    def call(self, name: str, path: str, life: int, on_fault: Callable[[], None] | None = None) -> Any:
        if happening := self.before.pop(len(self.calls), None):
            happening()
        return super().call(name, path, life, on_fault)


class Home:
    """A blob store, a journal that names what it is told to, and a clock."""

    def __init__(self, root: Path, segments: MemorySegments | None = None) -> None:
        self.disk = SteppingDisk()
        self.segments = segments or MemorySegments()
        self.lake = Lake(root)
        self.clock = HeldClock(START)
        self.blobs = LocalBlobs(self.disk)
        self.orphans = Orphans(self.disk, self.segments, self.lake, clock=self.clock)
        self._written = 0

    def put(self, data: bytes) -> BlobRef:
        return self.blobs.put(data, "image/png")

    def name(
        self,
        picture: BlobRef | None,
        face: BlobRef | None = None,
        *,
        schema: Schema = SCHEMA,
        closed: bool = True,
        at: int = START,
    ) -> tuple[str, int]:
        """Write a record that names these, in a segment of its own."""
        self._written += 1
        ident = self._written.to_bytes(16, "big")
        stream = f"w-{self._written}"
        block = Block([Input(ident, at, (1.0, picture, face), "r", 0)])
        self.segments.write(stream, 1, [(schema, block)], closed=closed)
        return stream, 1

    def seal(self) -> None:
        Sealer(self.segments, self.lake).seal()

    def collect_later(self) -> Collected:
        """Wait for as long as the grace and take a pass."""
        self.clock.move_to(Micros(self.clock.now() + GRACE_US))
        return self.orphans.collect()

    def there(self) -> list[Kept]:
        return [each for folder in folders(self.disk) for each in kept(self.disk, folder)]

    def holds(self, data: bytes) -> bool:
        try:
            return self.blobs.get(digest_of(data)) == data
        except NotFound:
            return False


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "lake")


def test_what_nobody_names_is_set_aside_and_removed_a_grace_later(home: Home) -> None:
    home.put(DEAD)
    assert home.orphans.collect() == Collected(set_aside=1, waiting=1)
    home.clock.move_to(Micros(START + GRACE_US - 1))
    assert home.orphans.collect() == Collected(waiting=1)
    assert home.holds(DEAD), "readers find it as long as it waits"
    home.clock.move_to(Micros(START + GRACE_US))
    assert home.orphans.collect() == Collected(removed=1)
    home.disk.power_loss()
    assert home.there() == []
    assert home.orphans.collect() == Collected()


def in_an_open_segment(home: Home, picture: BlobRef) -> None:
    home.name(picture, closed=False)


def in_a_closed_segment(home: Home, picture: BlobRef) -> None:
    home.name(picture)


def behind_damage(home: Home, picture: BlobRef) -> None:
    stream, sequence = home.name(None)
    home.segments.append_bytes(stream, sequence, b"\xff" * 40)
    home.segments.write(stream, sequence, [(SCHEMA, Block([Input(bytes(16), START, (1.0, picture, None), "r", 0)]))])


def in_the_lake(home: Home, picture: BlobRef) -> None:
    home.name(picture)
    home.seal()


def in_the_side_table(home: Home, picture: BlobRef) -> None:
    home.name(None, picture)
    home.seal()


def in_another_project(home: Home, picture: BlobRef) -> None:
    home.name(None)
    other = ("mine", "other", "sha256:2", FIELDS, "binary", "boolean")
    home.name(picture, schema=Schema(*other))
    home.seal()


def in_an_earlier_generation(home: Home, picture: BlobRef) -> None:
    home.name(picture)
    home.seal()
    numbers = (SchemaField("width", "text", "public"), SchemaField("a.picture", "number", "public"), FIELDS[2])
    home.name(None, schema=Schema("default", "faces", "sha256:2", numbers, "binary", "boolean"))
    home.seal()
    assert len(home.lake.generations("default", "faces", Table.INPUTS)) == 2


def among_many_rows(home: Home, picture: BlobRef) -> None:
    rows = [Input(n.to_bytes(16, "big"), START + n * DAY, (1.0, None, None), f"r{n}", 0) for n in range(1, 40)]
    rows.append(Input(bytes(16), START, (1.0, picture, None), "r", 0))
    home.segments.write("many", 1, [(SCHEMA, Block(rows))])
    home.seal()


NAMED = [
    in_an_open_segment,
    in_a_closed_segment,
    behind_damage,
    in_the_lake,
    in_the_side_table,
    in_another_project,
    in_an_earlier_generation,
    among_many_rows,
]


@pytest.mark.parametrize("somewhere", NAMED, ids=lambda each: each.__name__)
def test_what_is_named_anywhere_stays(home: Home, somewhere: Callable[[Home, BlobRef], None]) -> None:
    named, other = home.put(PICTURE), home.put(DEAD)
    somewhere(home, named)
    assert home.orphans.collect() == Collected(set_aside=1, waiting=1)
    assert home.collect_later() == Collected(removed=1)
    assert home.blobs.get(named.digest) == PICTURE
    assert not home.holds(DEAD)
    assert other.digest != named.digest


def test_blobs_go_after_the_rows_that_named_them(home: Home) -> None:
    home.name(home.put(PICTURE), home.put(FACE), at=START - 9 * DAY)
    home.name(home.put(LATE), home.put(FACE))
    home.seal()
    assert home.orphans.collect() == Collected()
    assert retain(home.lake, "default", "faces", before=START).inputs == 1
    assert home.orphans.collect() == Collected(set_aside=1, waiting=1)
    assert home.collect_later() == Collected(removed=1)
    assert (home.holds(PICTURE), home.holds(FACE), home.holds(LATE)) == (False, True, True)


def test_a_record_that_follows_its_blob_brings_it_back(home: Home) -> None:
    reference = home.put(LATE)
    assert home.orphans.collect().set_aside == 1
    home.name(reference, closed=False)
    assert home.holds(LATE)
    assert home.collect_later() == Collected(brought_back=1)
    home.disk.power_loss()
    [back] = home.there()
    assert (back.aside_since, home.blobs.get(reference.digest)) == (None, LATE)


def test_bytes_put_again_while_they_are_aside_are_kept_anew(home: Home) -> None:
    home.put(LATE)
    home.orphans.collect()
    home.name(home.put(LATE))
    assert [each.aside_since for each in home.there()] == [None, START]
    home.collect_later()
    assert [each.aside_since for each in home.there()] == [None]
    assert home.holds(LATE)


def test_bytes_put_again_and_again_wait_each_for_themselves(home: Home) -> None:
    home.put(DEAD)
    home.orphans.collect()
    home.clock.move_to(Micros(START + GRACE_US // 2))
    home.put(DEAD)
    assert home.orphans.collect() == Collected(set_aside=1, waiting=2)
    home.clock.move_to(Micros(START + GRACE_US))
    assert home.orphans.collect() == Collected(removed=1, waiting=1)
    assert home.holds(DEAD)
    assert home.collect_later() == Collected(removed=1)


def test_a_removed_blob_leaves_no_copy_aside(home: Home) -> None:
    reference = home.put(DEAD)
    home.orphans.collect()
    home.put(DEAD)
    home.blobs.remove(reference.digest)
    assert home.there() == []


def test_a_clock_that_is_set_back_begins_the_wait_anew(home: Home) -> None:
    home.put(DEAD)
    home.orphans.collect()
    early = HeldClock(Micros(START - 5 * DAY))
    back = Orphans(home.disk, home.segments, home.lake, clock=early)
    assert back.collect() == Collected(set_aside=1, waiting=1)
    early.move_to(Micros(early.now() + GRACE_US))
    assert back.collect() == Collected(removed=1)


def test_a_segment_of_a_newer_format_stops_everything(home: Home) -> None:
    home.put(DEAD)
    home.orphans.collect()
    home.put(PICTURE)
    stream, sequence = home.name(None)
    home.segments.append_bytes(stream, sequence, encode_frame(Kind.BLOCK, b"who knows", schema_id=1, key_id=7))
    assert home.collect_later() == Collected(waiting=1, unknown=(f"{stream}/{sequence}",))
    assert (home.holds(DEAD), home.holds(PICTURE)) == (True, True)


class Untouchable(MemorySegments):
    """Segments nobody may ask for."""

    def segments(self) -> list[SegmentRef]:
        raise AssertionError("there is nothing to look for")


def test_without_blobs_nothing_is_read(tmp_path: Path) -> None:
    disk = UnkindDisk()
    orphans = Orphans(disk, Untouchable(), Lake(tmp_path), clock=HeldClock(START))
    assert not orphans.possible()
    assert orphans.collect() == Collected()
    reference = LocalBlobs(disk).put(DEAD, "image/png")
    LocalBlobs(disk).remove(reference.digest)
    assert orphans.possible()
    assert orphans.collect() == Collected(), "an empty folder is no reason either"


def test_files_of_other_names_are_left_alone(home: Home) -> None:
    home.put(DEAD)
    [folder] = folders(home.disk)
    home.disk.create(f"{folder}/a person's note").close()
    home.orphans.collect()
    home.collect_later()
    assert home.disk.files(folder) == [("a person's note", 0)]


def test_what_a_dead_writer_left_disappears(home: Home) -> None:
    home.disk.faults[len(home.disk.calls) + 3] = CRASH  # read, create, append, sync
    with pytest.raises(OSError, match="power"):
        home.put(DEAD)
    home.disk.killed()
    assert [each.part != "" for each in home.there()] == [True]
    assert home.orphans.collect() == Collected(set_aside=1, waiting=1)
    assert home.collect_later() == Collected(removed=1)
    assert home.there() == []


def test_a_damaged_copy_takes_no_good_ones_place(home: Home) -> None:
    reference = home.put(PICTURE)
    home.orphans.collect()
    [aside] = home.there()
    home.disk.reopen(aside.path).truncate(5)
    home.name(reference)
    assert home.collect_later() == Collected()
    with pytest.raises(IntegrityError):
        home.blobs.get(reference.digest)
    home.put(PICTURE)
    home.collect_later()
    assert home.holds(PICTURE)


class SealedBetween(MemorySegments):
    """Segments that are sealed after they were listed and before the first is read."""

    def __init__(self, lake: Lake) -> None:
        super().__init__()
        self._waiting: Lake | None = lake

    def read(self, segment: SegmentRef, start: int = 0) -> bytes:
        lake, self._waiting = self._waiting, None
        if lake is not None:
            Sealer(self, lake).seal()
        return super().read(segment, start)


def test_what_is_sealed_during_a_pass_is_found_in_the_lake(tmp_path: Path) -> None:
    home = Home(tmp_path, SealedBetween(Lake(tmp_path)))
    home.name(home.put(PICTURE))
    assert home.orphans.collect() == Collected()
    assert home.segments.segments() == []


def a_home_with_everything(root: Path) -> Home:
    """A blob in its place and one aside that are named, one each that are not, and a part."""
    home = Home(root)
    home.put(FACE)
    home.put(b"long dead")
    home.disk.create(f"{home.there()[0].folder}/{'0' * 64}.0123.part").close()
    home.orphans.collect()
    home.clock.move_to(Micros(START + GRACE_US))
    home.name(home.put(PICTURE), reference_to(FACE), closed=False)
    home.put(DEAD)
    for folder in folders(home.disk):
        home.disk.sync_folder(folder)
    home.disk.calls.clear()
    return home


def reference_to(data: bytes) -> BlobRef:
    return BlobRef(digest_of(data), len(data), "image/png")


def calls_of(act: Callable[[Home], object], root: Path) -> int:
    home = a_home_with_everything(root)
    act(home)
    return len(home.disk.calls)


def assert_what_is_named_is_there(home: Home, named: Iterable[bytes] = (PICTURE, FACE)) -> None:
    for data in named:
        assert home.blobs.get(digest_of(data)) == data


def assert_the_rest_disappears(home: Home, named: Iterable[bytes] = (PICTURE, FACE)) -> None:
    for _ in range(3):
        home.collect_later()
    digits = sorted(hashlib.sha256(each).hexdigest() for each in named)
    assert sorted(each.path for each in home.there()) == [f"blobs/{each[:2]}/{each}" for each in digits]


@pytest.mark.parametrize("removals_survive", [False, True])
@pytest.mark.parametrize("fault", [CRASH, errno.ENOSPC, errno.EIO])
def test_a_fault_at_every_call_costs_no_named_blob(tmp_path: Path, fault: int, removals_survive: bool) -> None:
    count = calls_of(lambda home: home.orphans.collect(), tmp_path)
    assert count > 12
    for number in range(count):
        home = a_home_with_everything(tmp_path)
        home.disk.faults = {number: fault}
        with pytest.raises(OSError):  # noqa: PT011  # whichever the disk was told to raise
            home.orphans.collect()
        home.disk.power_loss(removals_survive=removals_survive)
        assert_what_is_named_is_there(home)
        assert_the_rest_disappears(home)
        assert_what_is_named_is_there(home)


@pytest.mark.parametrize("data", [LATE, DEAD, FACE, b"long dead"])
def test_a_put_before_every_call_of_a_pass_is_kept(tmp_path: Path, data: bytes) -> None:
    for number in range(calls_of(lambda home: home.orphans.collect(), tmp_path)):
        home = a_home_with_everything(tmp_path)
        home.disk.before = {number: partial(home.put, data)}
        home.orphans.collect()
        assert not home.disk.before, "it was put"
        home.disk.power_loss()
        named = {PICTURE, FACE, data}
        assert_what_is_named_is_there(home, named)
        home.name(reference_to(data), closed=False)
        assert_the_rest_disappears(home, named)


@pytest.mark.parametrize("data", [LATE, DEAD, FACE, b"long dead"])
def test_a_pass_before_every_call_of_a_put_costs_nothing(tmp_path: Path, data: bytes) -> None:
    for number in range(calls_of(lambda home: home.put(data), tmp_path)):
        home = a_home_with_everything(tmp_path)
        home.disk.before = {number: home.orphans.collect}
        home.put(data)
        assert not home.disk.before, "the pass was taken"
        home.disk.power_loss()
        named = {PICTURE, FACE, data}
        assert_what_is_named_is_there(home, named)
        home.name(reference_to(data), closed=False)
        assert_the_rest_disappears(home, named)


def test_a_writer_that_finishes_before_any_call_of_a_pass_is_not_disturbed(tmp_path: Path) -> None:
    part = f"{HOME_OF_LATE}.0123.part"

    def begun() -> Home:
        home = a_home_with_everything(tmp_path)
        home.disk.create(part).append(LATE)
        home.disk.calls.clear()
        return home

    def finish(home: Home) -> None:
        try:
            home.disk.rename(part, HOME_OF_LATE)
        except FileNotFoundError:
            home.put(LATE)

    counted = begun()
    counted.orphans.collect()
    for number in range(len(counted.disk.calls)):
        home = begun()
        home.disk.before = {number: partial(finish, home)}
        home.orphans.collect()
        assert_what_is_named_is_there(home, (PICTURE, FACE, LATE))


def test_a_reader_finds_what_is_brought_back_before_any_of_its_calls(tmp_path: Path) -> None:
    for number in range(3):
        home = a_home_with_everything(tmp_path)
        home.disk.before = {number: home.orphans.collect}
        assert home.blobs.get(digest_of(FACE)) == FACE
        assert not home.disk.before, "the pass was taken"


DATA = [PICTURE, FACE, DEAD]
STEPS = st.one_of(
    st.tuples(st.sampled_from(["put", "name", "forget"]), st.integers(0, len(DATA) - 1)),
    st.tuples(st.sampled_from(["pass", "wait", "lose power"]), st.just(0)),
)


@given(st.lists(STEPS, max_size=25))
@example([("put", 0), ("pass", 0), ("name", 0), ("wait", 0), ("forget", 0), ("pass", 0)])
def test_whatever_happens_named_blobs_are_there_and_others_disappear(steps: list[tuple[str, int]]) -> None:
    home = Home(Path("no-such-lake"))
    put: set[int] = set()
    named: dict[int, list[tuple[str, int]]] = {}
    for step, which in steps:
        match step:
            case "put":
                home.put(DATA[which])
                put.add(which)
            case "name" if which in put or which in named:
                named.setdefault(which, []).append(home.name(reference_to(DATA[which])))
            case "forget":
                forgotten = named.pop(which, [])
                for segment in home.segments.segments():
                    if (segment.stream, segment.sequence) in forgotten:
                        home.segments.delete(segment)
            case "pass":
                home.orphans.collect()
            case "wait":
                home.clock.move_to(Micros(home.clock.now() + GRACE_US))
                put.clear()  # a record follows its blob sooner than that
            case "lose power":
                home.disk.power_loss()
        assert_what_is_named_is_there(home, [DATA[each] for each in {*put, *named}])
    assert_the_rest_disappears(home, [DATA[each] for each in named])
