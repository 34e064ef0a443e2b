"""Files that verbs write where a person said."""

import os
from pathlib import Path

from headgate.errors import BadConfiguration
from headgate.store import atomic


def write_file(path: Path, text: str, option: str) -> None:
    """Write `text` to `path`, complete or not at all: a disk that fills leaves no half a file, nor takes the old one.

    Raises BadConfiguration naming the option the path came from.
    """
    try:
        atomic.write_file(path, text.encode(), durable=False)
    except OSError as error:
        raise BadConfiguration(option, f"{path} cannot be written: {os.strerror(error.errno or 0)}") from error
