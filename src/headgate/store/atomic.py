"""Files that are there whole or not at all, and the lock that keeps two writers apart.

Everything in `store` that writes a file beside the database comes through here.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from headgate import durability

TEMPORARY = ".tmp"
"""Ending of files that were never finished; readers pass over them and `sweep` removes them."""


def write_file(
    path: Path, data: bytes, *, mode: int = 0o644, durable: bool = True, mtime_ns: int | None = None
) -> None:
    """Put `data` at `path` in one step: a reader sees the old file or the new one, whole.

    With `durable` it returns once both the bytes and the name are on stable storage. `mtime_ns` sets
    the modification time that appears together with the file. Raises OSError.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if mtime_ns is not None:
                os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
            if durable:
                os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if durable:
        durability.sync(path.parent)


def sweep(folder: Path) -> None:
    """Remove what an interrupted writer left in `folder`; call it only while holding its lock."""
    for leftover in folder.glob(f".*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`: one holder at a time among all processes and threads of a machine.

    The kernel gives the lock back when its holder dies, so nothing is ever left locked.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def attempted(path: Path) -> Iterator[bool]:
    """Like `locked`, but says at once whether the lock was free instead of waiting for it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
