"""What a tracking server has not taken yet: a file each in the home, oldest first, kept until it has.

The controller alone writes here. An entry is on disk before whoever adds it goes on, and is removed after the server
has taken it; whoever is killed between the two tells it twice, which entries bear.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headgate import durability
from headgate.tracking.entries import Entry
from headgate.vocabulary import SECOND, Micros, readable

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0
"""Seconds between two tries at most: the pause doubles with each that fails."""


@readable
class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in the outbox."""

    entry: Entry
    added: Micros
    tries: int = 0
    next: Micros = Micros(0)
    """When it may be tried, by the real clock."""
    said: str = ""
    """What became of the last try."""
    refused: bool = False
    """Whether the server will not have it, so that it is tried no more."""

    def failed(self, now: Micros, why: str, *, final: bool) -> "Waiting":
        """The same after a try that failed."""
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self.tries, 20))
        then = Micros(now + round(pause * SECOND))
        return msgspec.structs.replace(self, tries=self.tries + 1, next=then, said=why, refused=final)


class Outbox:
    """The entries in one folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     list(Outbox(Path(folder)).waiting())
    []
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, entry: Entry, now: Micros) -> None:
        """Keep `entry` until it is taken; one of the same id that waits already is left as it is."""
        path = self._path(entry.id)
        if not path.exists():
            durability.make_folder(self._folder)
            self._write(path, Waiting(entry=entry, added=now))

    def waiting(self) -> Iterator[Waiting]:
        """Everything in it, in the order it was added."""
        paths = self._folder.glob("*.json") if self._folder.is_dir() else ()
        found = [msgspec.json.decode(path.read_bytes(), type=Waiting) for path in paths]
        yield from sorted(found, key=lambda each: (each.added, each.entry.id))

    def keep(self, waiting: Waiting) -> None:
        """Replace what is known of an entry."""
        self._write(self._path(waiting.entry.id), waiting)

    def taken(self, entry_id: str) -> None:
        """Forget an entry that the server has."""
        self._path(entry_id).unlink(missing_ok=True)
        durability.sync(self._folder)

    def _path(self, entry_id: str) -> Path:
        # By a digest: an id may hold what a file's name may not.
        return self._folder / f"{hashlib.sha256(entry_id.encode()).hexdigest()[:32]}.json"

    def _write(self, path: Path, waiting: Waiting) -> None:
        beside = path.with_suffix(".tmp")
        beside.write_bytes(msgspec.json.encode(waiting))
        durability.sync(beside)
        beside.replace(path)
        durability.sync(self._folder)
