"""The journal's and the blobs' disk on a local file system.

The composition root hands a `LocalDisk` to the committer, the segment source and the blob store; tests hand
them headgate.testing.disk.UnkindDisk, which passes the same conformance suite.
"""

import os
from pathlib import Path, PurePosixPath
from typing import Final

from headgate import durability

_sync_data: Final = getattr(os, "fdatasync", os.fsync)
"""Without ``fdatasync`` (macOS) the whole of ``fsync`` is paid."""


class LocalFile:
    """An open file of a `LocalDisk`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def append(self, data: bytes | memoryview) -> None:
        """Write all of `data` at the end; OSError when the disk will not take it, with a part perhaps written."""
        written = os.write(self._handle, data)
        if written == len(data):
            return
        # A disk about to be full takes part of a write and says ENOSPC only when asked for the rest.
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(self._handle, rest) :]

    def sync(self) -> None:
        """Return once everything appended, and the file's length, are on stable storage; OSError otherwise."""
        _sync_data(self._handle)

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(self._handle, size)

    def close(self) -> None:
        """Give the handle back; says nothing about durability."""
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            os.close(handle)


class LocalDisk:
    """The Disk port over a directory; every path is relative to it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     disk = LocalDisk(Path(root))
    ...     file = disk.create("journal/here-0/first")
    ...     file.append(b"row"); file.sync(); file.close()
    ...     disk.read("journal/here-0/first"), disk.files("journal/here-0")
    (b'row', [('first', 3)])
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, path: str) -> LocalFile:
        """A new empty file, its parent directories made and durable; FileExistsError if it is there."""
        place = self._place(path)
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        try:
            return LocalFile(os.open(place, flags, 0o640))
        except FileNotFoundError:
            durability.make_folder(place.parent)
            return LocalFile(os.open(place, flags, 0o640))

    def reopen(self, path: str) -> LocalFile:
        """An existing file, to truncate or append to; FileNotFoundError otherwise."""
        return LocalFile(os.open(self._place(path), os.O_RDWR | os.O_APPEND | os.O_CLOEXEC))

    def read(self, path: str, start: int = 0, size: int | None = None) -> bytes:
        """Bytes from `start`, at most `size` of them; FileNotFoundError if there is no such file."""
        with self._place(path).open("rb", buffering=0) as file:
            file.seek(start)
            if size is None:
                return file.readall()
            parts = []
            while size > 0 and (part := file.read(size)):
                parts.append(part)
                size -= len(part)
            return b"".join(parts)

    def files(self, folder: str) -> list[tuple[str, int]]:
        """(name, size) of the files directly in `folder`, sorted; empty when there is none."""
        found = []
        try:
            with os.scandir(self._place(folder)) as entries:
                for entry in entries:
                    try:
                        if entry.is_file(follow_symlinks=False):
                            found.append((entry.name, entry.stat(follow_symlinks=False).st_size))
                    except FileNotFoundError:
                        continue  # removed or renamed between listing and looking
        except FileNotFoundError:
            return []
        return sorted(found)

    def folders(self, folder: str) -> list[str]:
        """Names of the directories directly in `folder`, sorted."""
        try:
            with os.scandir(self._place(folder)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def rename(self, old: str, new: str) -> None:
        """Atomically give a file another name, replacing what was there."""
        self._place(old).replace(self._place(new))

    def remove(self, path: str) -> None:
        """Delete a file; no error if it is gone already."""
        self._place(path).unlink(missing_ok=True)

    def sync_folder(self, folder: str) -> None:
        """Return once creations, renames and removals in `folder` are on stable storage."""
        durability.sync(self._place(folder))

    def _place(self, path: str) -> Path:
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError("a disk path is relative and never climbs")
        return self._root / relative
