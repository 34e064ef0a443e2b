"""Files and folders that are there whole or not at all; whatever a pipeline keeps is written through here."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from headgate import durability
from headgate.errors import BadConfiguration

_UNFINISHED: Final = ".unfinished-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a neighbour of `path`, sync it and give it the name. Raises BadConfiguration when that fails.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "a.txt", lambda path: path.write_text("whole"))
    ...     [each.name for each in Path(folder).iterdir()]
    ['a.txt']
    """
    try:
        durability.make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f"{_UNFINISHED}{path.name}.", dir=path.parent)
        os.close(handle)
        unfinished = Path(name)
        try:
            write(unfinished)
            unfinished.chmod(0o644)
            durability.sync(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        durability.sync(path.parent)
    except OSError as error:
        raise BadConfiguration(str(path), f"cannot be written: {os.strerror(error.errno or 0).lower()}") from error


def sweep(folder: Path) -> None:
    """Remove what an interrupted writer left in `folder`; only whoever holds the pipeline's lock may."""
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
