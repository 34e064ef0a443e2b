"""A segment that cannot be read whole becomes one event, however often and by whomever it is found again."""

from pathlib import Path

import msgspec

from headgate.clock import HeldClock
from headgate.controller.chores import DAMAGED, Chores
from headgate.controller.declared import Declared
from headgate.events import EventKind
from headgate.journal.frames import Kind, encode_frame
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.journal.ports import Stream
from headgate.journal.records import Block, Input, Schema
from headgate.journal.scan import SegmentHeader
from headgate.registry.packages import PackageStore
from headgate.registry.registry import Registry
from headgate.testing.disk import UnkindDisk
from headgate.testing.memory import MemoryStore
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import Micros

STREAM = Stream("here-w0")
SCHEMA = Schema("default", "late", "sha256:00", (), "binary", "boolean")


def turn_of_a_new_controller(root: Path, store: MemoryStore, segments: MemorySegments) -> None:
    clock = HeldClock(Micros(7))
    Chores(
        declared=Declared(store, Registry(store, PackageStore(root / "packages"), clock), lambda: b"s" * 32, store),
        segments=segments,
        finish=lambda _stream: False,
        lake=Lake(root / "lake"),
        orphans=Orphans(UnkindDisk(), segments, Lake(root / "lake"), clock=clock),
        events=store,
        clock=clock,
        seal_interval=10.0,
        seconds=lambda: 0.0,
    ).turn()


def test_a_damaged_segment_is_noted_once_over_every_restart(tmp_path: Path) -> None:
    store, segments = MemoryStore(), MemorySegments()
    segments.write(STREAM, 1, [(SCHEMA, Block([Input(bytes(16), 0, (), "r", 0)]))])
    whole = encode_frame(Kind.SEGMENT, msgspec.msgpack.encode(SegmentHeader(STREAM, 1, 0)))
    segments.append_bytes(STREAM, 1, b"\xff" * 40 + whole)
    for _ in range(3):
        turn_of_a_new_controller(tmp_path, store, segments)
    [event] = store.events("default")
    assert (event.kind, event.subject, event.why) == (EventKind.DAMAGED, f"{STREAM}/1", DAMAGED)


def test_a_whole_segment_is_no_event(tmp_path: Path) -> None:
    store, segments = MemoryStore(), MemorySegments()
    segments.write(STREAM, 1, [(SCHEMA, Block([Input(bytes(16), 0, (), "r", 0)]))])
    turn_of_a_new_controller(tmp_path, store, segments)
    assert store.events("default") == []
    assert segments.segments() == []
