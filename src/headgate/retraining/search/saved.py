"""A found model as a file that `headgate register` opens without being told to trust it."""

import os
import warnings
from pathlib import Path
from typing import Any

from headgate.durability import sync
from headgate.errors import BadInput
from headgate.registry.importers.libraries import import_skops

ENDING = ".skops"


def save(model: Any, path: Path) -> None:
    """Write a fitted pipeline to `path`, which ends in ``.skops``: complete or not at all, and on stable storage.

    Raises BadInput for another ending, OSError where it cannot be written.
    """
    if path.suffix != ENDING:
        raise BadInput(path.name, "format", f"the model's file must end in {ENDING}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = import_skops().dumps(model)
    aside = path.with_name(f".{path.name}.{os.getpid()}.aside")
    try:
        aside.write_bytes(raw)
        sync(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync(path.parent)
