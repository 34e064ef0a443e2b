"""Traffic on one host: a file per endpoint that is renamed into place, and a report per worker that reads it.

The controller swaps, gateways poll `changed` many times a second and `read` only when it says so.
Needs nothing beyond the base install.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headgate import durability
from headgate.errors import BadInput, Conflict, IntegrityError
from headgate.store import atomic
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import NAME, NAME_RULE

Mark = tuple[int, int, int]
"""Modification time in nanoseconds, inode, size: differs after every swap."""

_JSON: Final = ".json"
_PULSE: Final = ".pulse"


class FileTraffic:
    """Traffic in ``{folder}/{project}/{endpoint}.json``; writers on one machine exclude each other by a lock file.

    >>> import tempfile
    >>> from headgate.traffic.traffic import Member
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     traffic = FileTraffic(Path(folder))
    ...     first = Traffic("default", "delays", 1, "m:1", [Member("m:1", "sha256:0", 1.0)], "salt")
    ...     traffic.swap(first, 0)
    ...     (traffic.changed(), traffic.read() == {("default", "delays"): first}, traffic.changed())
    (True, True, False)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, Mark] | None = None
        self._entries: dict[str, tuple[Mark, Traffic]] = {}

    def read(self) -> dict[tuple[str, str], Traffic]:
        """Every endpoint's newest traffic by (project, endpoint).

        An entry that cannot be decoded keeps the last value this object read for it, or is passed over; so does one
        that cannot be read just now, and `changed` stays true until it was.
        """
        # The marks come first: a swap between here and the reading makes `changed` true again, never false.
        marks = dict(self._marks())
        seen, entries = dict(marks), {}
        for path, mark in marks.items():
            try:
                entry = self._entry(path, mark)
            except OSError:  # no more files may be open, say: it may be readable a moment later
                entry = self._entries.get(path)
                del seen[path]
            if entry is not None:
                entries[path] = entry
        self._seen, self._entries = seen, entries
        return {(traffic.project, traffic.endpoint): traffic for _, traffic in entries.values()}

    def changed(self) -> bool:
        """Whether a `read` now might differ from the last one: one directory scan and a stat per endpoint."""
        return self._seen is None or dict(self._marks()) != self._seen

    def pulse(self) -> int:
        """When the controller last called `beat`, in nanoseconds; 0 where it never did."""
        try:
            return (self._folder / _PULSE).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def beat(self) -> None:
        """Let gateways know that somebody still watches; OSError where nobody may write here."""
        durability.make_folder(self._folder)
        (self._folder / _PULSE).touch()

    def swap(self, traffic: Traffic, expected_revision: int) -> None:
        """Publish `traffic` if the present revision is `expected_revision` (0: none yet).

        Returns once the new file is on stable storage. Raises Conflict when another revision is there
        or when the new one does not grow, BadInput for a name that is not one, IntegrityError when
        the file that is there cannot be read.
        """
        for field, name in (("project", traffic.project), ("endpoint", traffic.endpoint)):
            if not NAME.fullmatch(name):
                raise BadInput(field, "name", f"must match {NAME_RULE}")
        if traffic.revision <= expected_revision:
            raise Conflict(f"the new traffic revision must be larger than {expected_revision}")
        path = self._folder / traffic.project / f"{traffic.endpoint}{_JSON}"
        durability.make_folder(path.parent)
        with atomic.locked(self._folder / ".lock"):
            atomic.sweep(path.parent)
            present, mtime_ns = _present(path)
            if present != expected_revision:
                raise Conflict(
                    f"traffic of '{traffic.endpoint}' is at revision {present}, not {expected_revision}; read it again"
                )
            # Kernels stamp files with a clock that ticks every few milliseconds and inodes are used again:
            # two swaps within one tick could look like none, so every swap moves the time by itself.
            later = max(time.time_ns(), mtime_ns + 1)
            atomic.write_file(path, msgspec.json.encode(traffic), mtime_ns=later)

    def _entry(self, path: str, mark: Mark) -> tuple[Mark, Traffic] | None:
        last = self._entries.get(path)
        if last is not None and last[0] == mark:
            return last
        traffic = _decoded(self._folder / path)
        return last if traffic is None else (mark, traffic)

    def _marks(self) -> Iterator[tuple[str, Mark]]:
        """Each entry's path below the folder and its mark, in no order."""
        for project in _scan(self._folder):
            if not NAME.fullmatch(project.name):
                continue
            for file in _scan(project.path):
                name = file.name
                if name.endswith(_JSON) and name[0] != ".":
                    try:
                        stat = file.stat()
                    except FileNotFoundError:
                        continue  # gone since the scan
                    yield f"{project.name}/{name}", (stat.st_mtime_ns, stat.st_ino, stat.st_size)


def _scan(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _decoded(path: Path) -> Traffic | None:
    """The traffic in a file, or None when it is none or belongs under another name. Raises OSError."""
    try:
        traffic = msgspec.json.decode(path.read_bytes(), type=Traffic)
    except (FileNotFoundError, ValueError):  # text that is no UTF-8 is not msgspec's own error
        return None
    belongs = (traffic.project, traffic.endpoint + _JSON) == (path.parent.name, path.name)
    return traffic if belongs else None


def _present(path: Path) -> tuple[int, int]:
    """Revision and modification time of the file at `path`; zeros when there is none."""
    if not path.exists():
        return 0, 0
    try:
        traffic = _decoded(path)
    except OSError:
        traffic = None
    if traffic is None:
        raise IntegrityError(f"{path} cannot be read as traffic; move it away and apply the endpoint again")
    return traffic.revision, path.stat().st_mtime_ns
