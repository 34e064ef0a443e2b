"""What gateways did on somebody's word reaches the history once, in order, and is sealed with the rest."""

from pathlib import Path

import pytest

from headgate.clock import HeldClock
from headgate.controller.chores import Chores
from headgate.controller.declared import Declared
from headgate.events import Event, EventKind, Note, first_broken
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.registry.packages import PackageStore
from headgate.registry.registry import Registry
from headgate.store import notes as files
from headgate.store.notes import FileNotes
from headgate.testing.disk import UnkindDisk
from headgate.testing.memory import MemoryStore
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import Micros


class Unforgetting(FileNotes):
    """A controller that dies before it forgets."""

    def forget(self, note: Note) -> None:
        pass


def turn(root: Path, store: MemoryStore, notes: FileNotes) -> None:
    clock = HeldClock(Micros(9))
    Chores(
        declared=Declared(store, Registry(store, PackageStore(root / "packages"), clock), lambda: b"s" * 32),
        segments=MemorySegments(),
        finish=lambda _stream: False,
        lake=Lake(root / "lake"),
        orphans=Orphans(UnkindDisk(), MemorySegments(), Lake(root / "lake"), clock=clock),
        events=store,
        clock=clock,
        seal_interval=10.0,
        notes=notes,
        seconds=lambda: 0.0,
    ).turn()


def test_notes_become_history_once(tmp_path: Path) -> None:
    store, folder = MemoryStore(), tmp_path / "notes"
    notes = FileNotes(folder)
    assert notes.waiting() == []
    notes.leave(Event(Micros(7), EventKind.UNLOADED, "default", "e", "key default/ops", "", {}, "in", "out"))
    notes.leave(Event(Micros(8), EventKind.LOADED, "default", "e", "anybody", "", {}, "out", "in"))
    (folder / "0-nonsense.json").write_bytes(b"{")
    turn(tmp_path, store, Unforgetting(folder))
    turn(tmp_path, store, notes)
    assert notes.waiting() == []
    found = [
        (each.at, each.kind, each.subject, each.actor, each.before, each.after) for each in store.events("default")
    ]
    assert found == [
        (8, EventKind.LOADED, "e", "anybody", "out", "in"),
        (7, EventKind.UNLOADED, "e", "key default/ops", "in", "out"),
    ]
    assert first_broken(store.sealed(0)) is None


def test_more_than_anybody_will_read_is_refused_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST", 2)
    notes = FileNotes(tmp_path / "notes")
    event = Event(Micros(7), EventKind.UNLOADED, "default", "e", "anybody")
    notes.leave(event)
    notes.leave(event)
    with pytest.raises(OSError, match="too many notes"):
        notes.leave(event)
    assert len(notes.waiting()) == 2
