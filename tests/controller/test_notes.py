"""What gateways did on somebody's word reaches the history once, in order, and is sealed with the rest."""

from pathlib import Path

import pytest
from tests.controller.chores import turn

from headgate.events import Event, EventKind, Note, first_broken
from headgate.store import notes as files
from headgate.store.notes import FileNotes
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros


class Unforgetting(FileNotes):
    """A controller that dies before it forgets."""

    def forget(self, note: Note) -> None:
        pass


def test_notes_become_history_once(tmp_path: Path) -> None:
    store, folder = MemoryStore(), tmp_path / "notes"
    notes = FileNotes(folder)
    assert notes.waiting() == []
    notes.leave(Event(Micros(7), EventKind.UNLOADED, "default", "e", "key default/ops", "", {}, "in", "out"))
    notes.leave(Event(Micros(8), EventKind.LOADED, "default", "e", "anybody", "", {}, "out", "in"))
    (folder / "0-nonsense.json").write_bytes(b"{")
    turn(tmp_path, store, notes=Unforgetting(folder))
    turn(tmp_path, store, notes=notes)
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
