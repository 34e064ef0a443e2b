"""What gateways did on somebody's word, on its way into the history: a file each, until the controller takes them.

Gateways have no database. A file is written before the thing is done, so nothing is done that nobody can read of.
"""

import secrets
from pathlib import Path
from typing import Final

import msgspec

from headgate.events import Event, Note
from headgate.store import atomic

MOST: Final = 10_000
"""Notes that wait at once; while no controller takes them, further ones are refused."""


class FileNotes:
    """One small file per note in `folder`, there whole or not at all.

    >>> import tempfile
    >>> from headgate.events import EventKind
    >>> from headgate.vocabulary import Micros
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     notes = FileNotes(Path(folder) / "notes")
    ...     notes.leave(Event(Micros(7), EventKind.UNLOADED, "default", "delays", "key default/ops"))
    ...     [note] = notes.waiting()
    ...     notes.forget(note)
    ...     (note.event.actor, notes.waiting())
    ('key default/ops', [])
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def leave(self, event: Event) -> None:
        """Have `event` enter the history. Raises OSError when it cannot be written, or too many wait."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in self._folder.glob("[0-9]*.json")) >= MOST:
            raise OSError(0, "too many notes wait for a controller")
        path = self._folder / f"{event.at:020d}-{secrets.token_hex(8)}.json"
        atomic.write_file(path, msgspec.json.encode(event))

    def waiting(self) -> list[Note]:
        """What was left and not yet forgotten, oldest first; files that are no notes are passed over."""
        found = []
        for path in sorted(self._folder.glob("[0-9]*.json")):
            try:
                found.append(Note(path.stem, msgspec.json.decode(path.read_bytes(), type=Event)))
            except (OSError, ValueError):  # text that is no UTF-8 is not msgspec's own error
                continue
        return found

    def forget(self, note: Note) -> None:
        """It stands in the history now; forgetting it again does nothing."""
        (self._folder / f"{note.id}.json").unlink(missing_ok=True)
