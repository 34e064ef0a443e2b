"""A disk that keeps nothing it was not asked to sync, and fails or loses power at any chosen call.

It implements headgate.journal.ports.Disk in memory and passes the same conformance suite as the real one. What is
unkind about it: a file's bytes survive a power loss only up to its last successful sync, a name only if its
folder was synced; a full disk takes half of a write; after a failed sync the lost bytes stay lost although the
next sync succeeds, as on Linux.
"""

import errno
import os
import threading
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

CRASH: Final = -1
"""In place of an error number: the power goes at this call."""


class Crashed(OSError):
    """The power is gone: nothing is written through this handle or disk until `UnkindDisk.power_loss`."""


class Call(NamedTuple):
    """One call the disk was asked for."""

    name: str
    path: str


class _Node:
    """A file's content: as it reads now, and as it would read after a power loss."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.durable = b""
        self.lost = False
        """Whether a sync failed: the kernel has called the pages clean, no later sync writes them."""

    def sync(self) -> None:
        if not self.lost:
            self.durable = bytes(self.data)


class UnkindFile:
    """An open file of an `UnkindDisk`."""

    def __init__(self, disk: "UnkindDisk", node: _Node, path: str) -> None:
        self._disk = disk
        self._node = node
        self._path = path
        self._life = disk.life

    def append(self, data: bytes | memoryview) -> None:
        """Write all of `data` at the end; at a failing call half of it, then OSError."""
        with self._disk.call("append", self._path, self._life, lambda: self._take(data[: len(data) // 2])):
            self._take(data)

    def sync(self) -> None:
        """Make the content survive a power loss, unless a sync of this file failed before."""
        with self._disk.call("sync", self._path, self._life, self._lose):
            self._node.sync()

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes, durable at the next sync."""
        with self._disk.call("truncate", self._path, self._life):
            del self._node.data[size:]

    def close(self) -> None:
        """Give the handle back; never fails, so that clean-up code need not expect it to."""

    def _take(self, data: bytes | memoryview) -> None:
        self._node.data += data

    def _lose(self) -> None:
        self._node.lost = True


class _Guarded:
    """One call in progress: the disk's lock held, the planned fault raised before anything is done."""

    def __init__(self, disk: "UnkindDisk", begin: Callable[[], None]) -> None:
        self._lock = disk.lock
        self._begin = begin

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._begin()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class UnkindDisk:
    """The Disk port in memory, with faults.

    `faults` maps the number of a call, counted from 0 over all calls of any kind, to the error number it fails
    with, or to `CRASH`. Safe to use from several threads.

    >>> disk = UnkindDisk()
    >>> file = disk.create("journal/here-0/first")
    >>> file.append(b"kept"); file.sync(); file.append(b" lost"); disk.sync_folder("journal/here-0")
    >>> disk.power_loss()
    >>> disk.read("journal/here-0/first")
    b'kept'
    """

    def __init__(self, faults: Mapping[int, int] | None = None) -> None:
        self.faults = dict(faults or {})
        self.calls: list[Call] = []
        """Every call so far, in order."""
        self.lock = threading.RLock()
        self.life = 0
        """Grows with every power loss; handles of an earlier life stay dead."""
        self._dead = False
        self._now: dict[str, dict[str, _Node]] = {}
        self._durable: dict[str, dict[str, _Node]] = {}
        self._removed: set[tuple[str, str]] = set()
        """Folder and name of what was removed since the folder was last synced."""

    def call(self, name: str, path: str, life: int, on_fault: Callable[[], None] | None = None) -> _Guarded:
        """Count one call and raise its planned fault, after `on_fault` did what a failing disk still does."""

        def begin() -> None:
            if self._dead or life != self.life:
                raise Crashed(errno.EIO, "the power is gone")
            number = len(self.calls)
            self.calls.append(Call(name, path))
            fault = self.faults.get(number)
            if fault is None:
                return
            if on_fault is not None:
                on_fault()
            if fault == CRASH:
                self._dead = True
                raise Crashed(errno.EIO, "the power is gone")
            raise OSError(fault, os.strerror(fault))

        return _Guarded(self, begin)

    def power_loss(
        self, surviving: Callable[[int], int] = lambda unsynced: 0, *, removals_survive: bool = False
    ) -> None:
        """Lose everything not synced, and come back with no faults planned.

        Of `unsynced` bytes appended to a file since its last sync, the first ``surviving(unsynced)`` are kept: the
        kernel may have written some of them. It may also have written a removal and not a creation before it; with
        `removals_survive` it did.
        """
        with self.lock:
            self._come_back()
            if removals_survive:
                for folder, name in self._removed:
                    self._durable[folder].pop(name, None)
            self._removed.clear()
            self._now = {folder: dict(names) for folder, names in self._durable.items()}
            for names in self._now.values():
                for node in names.values():
                    kept = bytearray(node.durable)
                    if node.data.startswith(kept):
                        unsynced = len(node.data) - len(kept)
                        kept = node.data[: len(kept) + min(unsynced, surviving(unsynced))]
                    node.data, node.durable, node.lost = kept, bytes(kept), False

    def cut_power(self) -> None:
        """From now on every call raises `Crashed`, until `power_loss` or `killed` says what is left."""
        with self.lock:
            self._dead = True

    def killed(self) -> None:
        """The writing process died, the machine did not: everything written stays, handles are dead, no faults."""
        with self.lock:
            self._come_back()

    def create(self, path: str) -> UnkindFile:
        """A new empty file; FileExistsError if it is there."""
        folder, name = _split(path)
        with self.call("create", path, self.life):
            names = self._now.setdefault(folder, {})
            self._durable.setdefault(folder, {})
            if name in names:
                raise FileExistsError(errno.EEXIST, "it is there already", path)
            names[name] = _Node()
            self._removed.discard((folder, name))
            return UnkindFile(self, names[name], path)

    def reopen(self, path: str) -> UnkindFile:
        """An existing file, to truncate or append to; FileNotFoundError otherwise."""
        with self.call("reopen", path, self.life):
            return UnkindFile(self, self._node(path), path)

    def read(self, path: str, start: int = 0, size: int | None = None) -> bytes:
        """Bytes from `start`, at most `size` of them; FileNotFoundError if there is no such file."""
        with self.call("read", path, self.life):
            return bytes(self._node(path).data[start : None if size is None else start + size])

    def files(self, folder: str) -> list[tuple[str, int]]:
        """(name, size) of the files directly in `folder`, sorted; empty when there is none."""
        with self.call("files", folder, self.life):
            return sorted((name, len(node.data)) for name, node in self._now.get(folder, {}).items())

    def folders(self, folder: str) -> list[str]:
        """Names of the directories directly in `folder`, sorted."""
        with self.call("folders", folder, self.life):
            inside = (each[len(folder) + 1 :] for each in self._now if each.startswith(folder + "/"))
            return sorted({each.partition("/")[0] for each in inside})

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, replacing what was there; durable once both folders are synced."""
        with self.call("rename", old, self.life):
            node = self._node(old)
            folder, name = _split(new)
            if folder not in self._now:
                raise FileNotFoundError(errno.ENOENT, "there is no such folder", folder)
            del self._now[_split(old)[0]][_split(old)[1]]
            self._now[folder][name] = node

    def remove(self, path: str) -> None:
        """Delete a file; no error if it is gone already."""
        folder, name = _split(path)
        with self.call("remove", path, self.life):
            if self._now.get(folder, {}).pop(name, None) is not None:
                self._removed.add((folder, name))

    def sync_folder(self, folder: str) -> None:
        """Make the names in `folder` survive a power loss; FileNotFoundError if there is no such folder."""
        with self.call("sync_folder", folder, self.life):
            if folder not in self._now:
                raise FileNotFoundError(errno.ENOENT, "there is no such folder", folder)
            self._durable[folder] = dict(self._now[folder])
            self._removed = {each for each in self._removed if each[0] != folder}

    def _come_back(self) -> None:
        self.life += 1
        self._dead = False
        self.faults = {}

    def _node(self, path: str) -> _Node:
        folder, name = _split(path)
        try:
            return self._now[folder][name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "there is no such file", path) from None


def _split(path: str) -> tuple[str, str]:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError("a disk path is relative and never climbs")
    folder, _, name = path.rpartition("/")
    return folder, name
