"""What a search has tried so far, in a file, so that one that was interrupted goes on instead of beginning anew."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pandas as pd
import sklearn

from headgate.retraining.search.families import Value
from headgate.retraining.search.learnable import Examined
from headgate.vocabulary import readable

NAME: Final = "search.jsonl"


@readable
class Kept(msgspec.Struct, frozen=True):
    """One trial as a line of the file."""

    key: str
    """The data and the seed it belongs to."""
    number: int
    """Of the setting, in the order they were drawn."""
    family: str
    share: float
    """The share of rows it learned from."""
    loss: float | None
    """None: it could not learn."""
    seconds: float
    parameters: dict[str, Value]
    spent: float
    """Seconds of the budget spent by then, earlier runs included."""
    out: str = ""
    """Why it could not learn."""


class Checkpoint:
    """Trials kept in a folder, or nowhere."""

    def __init__(self, folder: Path | None, key: str) -> None:
        self._path = None if folder is None else folder / NAME
        self.key = key
        """The data and the seed that trials belong to."""
        self._kept = {(each.number, each.share): each for each in self._read()}

    @property
    def spent(self) -> float:
        """Seconds of the budget that earlier runs have spent."""
        return max((each.spent for each in self._kept.values()), default=0.0)

    def find(self, number: int, share: float) -> Kept | None:
        """The trial of a setting on a share of the rows, if an earlier run came so far."""
        return self._kept.get((number, share))

    def keep(self, trial: Kept) -> None:
        """Add a trial. A line that is cut off in its middle is as if it had not been written."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(trial))

    def _read(self) -> list[Kept]:
        if self._path is None or not self._path.is_file():
            return []
        found = []
        for line in self._path.read_bytes().splitlines():
            try:
                kept = msgspec.json.decode(line, type=Kept)
            except msgspec.DecodeError:  # the line a process was writing when it ended
                continue
            if kept.key == self.key:
                found.append(kept)
        return found


def key_of(data: Examined, seed: int, families: tuple[str, ...]) -> str:
    """A digest of all that a trial's figure depends on."""
    digest = hashlib.sha256()
    for part in (seed, families, sklearn.__version__, data.task, data.classes, list(data.frame.columns)):
        digest.update(repr(part).encode())
    digest.update(pd.util.hash_pandas_object(data.frame, index=False).to_numpy().tobytes())
    digest.update(pd.util.hash_array(data.labels).tobytes())
    for numbers in (data.weight, data.at):
        digest.update(b"-" if numbers is None else np.ascontiguousarray(numbers).tobytes())
    return digest.hexdigest()
