"""What is past its retention is gone, rows and blobs, whenever they were sealed and however fast days passed."""

import errno
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from headgate.alerts.alert import over, raised
from headgate.alerts.finding import Finding
from headgate.clock import HeldClock
from headgate.controller import decide
from headgate.controller.chores import Chores
from headgate.controller.decide import COLLECT_EVERY, Collect, Compact, Retain, Seal
from headgate.controller.declared import Declared
from headgate.events import EventKind
from headgate.journal.blobs import BlobRef, Kept, LocalBlobs, folders, kept
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.sealer import Sealed, Sealer
from headgate.journal.tables import Table
from headgate.registry.packages import PackageStore
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.testing.disk import UnkindDisk
from headgate.testing.memory import MemoryStore
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, Micros

SEAL_INTERVAL = 10.0
SCHEMA = Schema("default", "late", "sha256:1", (SchemaField("face", "image", "personal"),), "binary", "boolean")
ENDPOINT = "endpoint: late\nmodel: delay:1\nretention: 2d\n"


def ident(day: int, number: int = 0) -> bytes:
    """An id as a gateway draws it on that day."""
    return ((day * DAY + 7) // 1000 << 80 | 7 << 76 | 2 << 62 | number).to_bytes(16, "big")


class Life:
    """The chores of one installation, whose event time and second hand are moved by hand."""

    def __init__(self, root: Path) -> None:
        self.store = MemoryStore()
        self.store.add_version(Version("default", "delay", 0, "sha256:0", Micros(0), "onnx", "binary"))
        self.store.put_endpoint("default", "late", ENDPOINT)
        self.disk = UnkindDisk()
        self.blobs = LocalBlobs(self.disk)
        self.segments = MemorySegments()
        self.lake = Lake(root / "lake")
        self.events_clock, self.machine = HeldClock(Micros(0)), HeldClock(Micros(0))
        self.seconds = 0.0
        self.sets: list[tuple[str, str, Micros]] = []
        registry = Registry(self.store, PackageStore(root / "packages"), self.events_clock)
        self.chores = Chores(
            declared=Declared(self.store, registry, lambda: b"s" * 32, self.store),
            segments=self.segments,
            finish=lambda _stream: False,
            lake=self.lake,
            orphans=Orphans(self.disk, self.segments, self.lake, clock=self.machine),
            events=self.store,
            alerts=self.store,
            sets=self.asked_to_forget,
            clock=self.events_clock,
            seal_interval=SEAL_INTERVAL,
            seconds=lambda: self.seconds,
        )

    def asked_to_forget(self, project: str, endpoint: str, before: Micros) -> int:
        self.sets.append((project, endpoint, before))
        return 1

    def live_through(self, day: int, *, face: BlobRef | None = None) -> None:
        """What a worker writes of a day, and a person of all days before it, and the day's end."""
        asked = Input(ident(day), day * DAY + 7, (face,), f"r{day}", 0)
        answer = Answer(ident(day), "m:1", "m:1", "live", 1.0, True, None, 1, 1)
        label = Label(ident(day, 1), day * DAY + 9, day * DAY + 9, True, input_id=ident(day))
        humans = [Answer(ident(each), "m:1", "person", "human", 1.0, True, None, 1, 1) for each in range(day)]
        self.segments.write("w-0", day, [(SCHEMA, Block([asked], [answer], [label]))])
        self.segments.write("w-1", day, [(SCHEMA, Block([], humans, []))])
        self.events_clock.move_to(Micros((day + 1) * DAY))

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.machine.move_to(Micros(self.machine.now() + int(seconds * 1_000_000)))

    def come_to_rest(self) -> None:
        """Let everything be sealed and looked at once more."""
        self.wait(SEAL_INTERVAL)
        self.chores.turn()
        self.chores.turn()
        assert self.chores.turn() == ()

    def there(self) -> list[Kept]:
        """Every file of the blob store."""
        return [each for folder in folders(self.disk) for each in kept(self.disk, folder)]

    def rows(self) -> dict[Table, list[dict[str, Any]]]:
        """What is left, in an order that does not depend on how it came there."""
        keys = {Table.LABELS: ("label_id", "observed_at")}
        found: dict[Table, list[dict[str, Any]]] = {}
        for table in Table:
            columns = keys.get(table, ("input_id", "role") if table is Table.ANSWERS else ("input_id", "at"))
            read = [each.read(columns).to_pylist() for each in self.lake.generations("default", "late", table)]
            found[table] = sorted((row for rows in read for row in rows), key=str)
        return found


def lived(root: Path, sealing: list[bool]) -> Life:
    """As many days as `sealing` has, on some of which there is time to seal before the next one."""
    life = Life(root)
    for day, is_sealed in enumerate(sealing):
        life.live_through(day)
        life.wait(SEAL_INTERVAL if is_sealed else 0.0)
        life.chores.turn()
    life.come_to_rest()
    return life


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> dict[Table, list[dict[str, Any]]]:
    """What is left of days that were each sealed before the next."""
    rows = lived(tmp_path_factory.mktemp("slow"), [True] * 4).rows()
    assert [len(each) for each in rows.values()] == [2, 2, 3, 2]
    return rows


@pytest.mark.parametrize("sealing", ["----", "+---", "-+--", "--+-"])
def test_which_rows_are_left_does_not_depend_on_when_they_were_sealed(
    slow: dict[Table, list[dict[str, Any]]], sealing: str, tmp_path: Path
) -> None:
    assert lived(tmp_path, [each == "+" for each in sealing]).rows() == slow


def test_rows_sealed_after_their_day_was_forgotten_are_forgotten_too(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.live_through(0)
    assert life.chores.turn() == (Seal(), Retain("default", "late", Micros(-1 * DAY)))
    life.live_through(1)
    life.events_clock.move_to(Micros(9 * DAY))
    assert life.chores.turn() == (Retain("default", "late", Micros(7 * DAY)),)
    life.wait(SEAL_INTERVAL)
    assert life.chores.turn() == (Seal(),)
    assert life.chores.turn() == (Retain("default", "late", Micros(7 * DAY)),)
    assert life.chores.turn() == ()
    assert {len(rows) for rows in life.rows().values()} == {0}


def test_rows_are_forgotten_too_when_their_sealing_failed_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(tmp_path)
    life.live_through(8)
    life.chores.turn()
    life.segments.write("w-2", 1, [(SCHEMA, Block([Input(ident(0), 7, (None,), "r0", 0)]))])
    life.wait(SEAL_INTERVAL)
    whole = Sealer.seal

    def half(sealer: Sealer) -> Sealed:
        whole(sealer)
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(Sealer, "seal", half)
    with pytest.raises(OSError, match="gone"):
        life.chores.turn()
    monkeypatch.undo()
    assert [row["at"].day for row in life.rows()[Table.INPUTS]] == [1, 9]
    assert life.chores.turn() == (Retain("default", "late", Micros(7 * DAY)),)
    assert [row["at"].day for row in life.rows()[Table.INPUTS]] == [9]


def test_blobs_follow_the_rows_that_named_them(tmp_path: Path) -> None:
    life = Life(tmp_path)
    old, new = (life.blobs.put(data, "image/png") for data in (b"an old face", b"a new face"))
    life.live_through(0, face=old)
    life.live_through(4, face=new)
    assert life.chores.turn() == (Seal(), Retain("default", "late", Micros(3 * DAY)), Collect())
    assert len(life.rows()[Table.PERSONAL]) == 1
    assert life.blobs.get(old.digest) == b"an old face"
    life.wait(COLLECT_EVERY)
    assert life.chores.turn() == (Collect(),)
    assert [(each.digest, each.aside_since) for each in life.there()] == [(new.digest, None)]
    [event] = [each for each in life.store.events("default") if each.kind is EventKind.COLLECTED]
    assert (event.subject, event.actor, event.details) == ("blobs", "controller", {"files": 1})
    life.wait(COLLECT_EVERY)
    assert life.chores.turn() == (), "nothing is aside, and it is the same day"


def test_a_pass_over_the_blobs_that_fails_is_tried_again_in_an_hour(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.blobs.put(b"a face", "image/png")
    life.events_clock.move_to(Micros(9 * DAY))
    life.disk.faults[len(life.disk.calls) + 1] = errno.EIO  # after the look whether there are blobs
    with pytest.raises(OSError, match="Input"):
        life.chores.turn()
    assert life.chores.turn() == ()
    life.wait(COLLECT_EVERY)
    assert life.chores.turn() == (Collect(),)


def test_small_files_become_one_after_some_sealings_and_no_row_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide, "COMPACT_EVERY", 3)
    life = Life(tmp_path)
    done: list[decide.Chore] = []
    for number in range(3):
        asked = Input(ident(0, number), 7 + number, (None,), f"r{number}", 0)
        life.segments.write("w-0", number, [(SCHEMA, Block([asked], [], []))])
        life.wait(SEAL_INTERVAL)
        done += life.chores.turn()
    assert [type(each) for each in done if isinstance(each, Seal | Compact)] == [Seal, Seal, Seal, Compact]
    assert len(life.rows()[Table.INPUTS]) == 3
    logs = [each for each in (tmp_path / "lake").rglob("_delta_log") if "inputs" in str(each)]
    assert [len(DeltaTable(each.parent).file_uris()) for each in logs] == [1]


def test_alerts_are_kept_as_long_as_the_rows_they_speak_of(tmp_path: Path) -> None:
    life = Life(tmp_path)
    found = Finding(endpoint="late", monitor="errors", what="more than 1 % of inputs end in an error", at=Micros(5))
    for episode in (1, 2):
        alert = raised(found, episode)
        life.store.change_alert(alert)
        life.store.change_alert(over(alert, Micros(9)))
    for day in range(4):
        life.live_through(day)
        life.chores.turn()
        assert len(life.store.alerts()) == (2 if day < 2 else 1)
    assert life.sets, "copies of rows in training sets are to go with them"
    assert {each[:2] for each in life.sets} == {("default", "late")}
    retained = [each.details["alerts"] for each in life.store.events("default", "late")]
    assert [each for each in retained if each] == [1]
