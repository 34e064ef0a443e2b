"""Bytes and names put on stable storage, in the one way there is; whoever writes files that must last calls this."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return once a file's bytes, or the names in a directory, are on stable storage. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a directory and its missing parents, each name on stable storage before the next one begins.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     make_folder(Path(root) / "a" / "b")
    ...     make_folder(Path(root) / "a" / "b")
    ...     (Path(root) / "a" / "b").is_dir()
    True
    """
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync(folder.parent)
