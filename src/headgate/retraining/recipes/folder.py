"""The folder of one run, in which workshop, warden and programs meet: what was ordered, how it stands, what it left.

::

    recipe.json      the order: recipe, training set, where sources lie
    standing.json    how it stands, replaced whole
    warden.json      who watches it: written by whoever holds the lock
    learned.json     what its program says it left behind; why.txt: why it left nothing
    progress.jsonl   what the recipe says of itself, line by line
    log.txt, log.end what it printed: its beginning, and its end where that is not all
    out/             its model; code/: what ran; checkpoint/: what it may go on from; tmp/: its temporary files
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from headgate import durability
from headgate.retraining.recipes.recipe import Learned, Recipe, Standing
from headgate.vocabulary import readable

OUTPUT: Final = "HEADGATE_OUTPUT"
"""The variable that names where a recipe puts its model; every process of a run carries it."""
DATASET: Final = "HEADGATE_DATASET"
"""The variable that names the folder of a recipe's training set."""

T = TypeVar("T")


@readable
class Job(msgspec.Struct, frozen=True):
    """What was ordered."""

    recipe: Recipe
    dataset: str
    """Folder of the training set; empty while it is not there yet."""
    sources: str
    """Folder in which recipes lie, and in which commands run."""


@readable
class Watcher(msgspec.Struct, frozen=True):
    """The process that watches a run."""

    pid: int
    started: int
    """As `headgate.retraining.recipes.processes.started` tells it."""


class RunFolder:
    """Reads and writes what belongs to one run; every file is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out = path / "out"
        self.code = path / "code"
        self.checkpoint = path / "checkpoint"
        self.temporary = path / "tmp"
        self.progress = path / "progress.jsonl"
        self.log = path / "log.txt"
        self.log_end = path / "log.end"
        self.warden_log = path / "warden.log"
        self._why = path / "why.txt"
        self._cancelled = path / "cancelled"

    @property
    def mark(self) -> str:
        """What the environment of every process of this run has in it."""
        return f"{OUTPUT}={self.out}"

    def order(self, job: Job) -> None:
        """Lay the folder out, the order last: with it the run exists."""
        durability.make_folder(self.path)
        self._write("recipe.json", msgspec.json.format(msgspec.json.encode(job)), durable=True)

    def lay_out(self) -> None:
        """Empty folders for a fresh attempt; a checkpoint stays."""
        for each in (self.out, self.temporary, self.code):
            shutil.rmtree(each, ignore_errors=True)
        for each in (self.out, self.temporary, self.code, self.checkpoint):
            each.mkdir(exist_ok=True)
        for name in ("learned.json", self._why.name, self.progress.name, self.log.name, self.log_end.name):
            (self.path / name).unlink(missing_ok=True)

    def job(self) -> Job | None:
        """What was ordered; None where nothing was."""
        return self._read("recipe.json", Job)

    def standing(self) -> Standing | None:
        """How it stood when somebody last wrote it down."""
        return self._read("standing.json", Standing)

    def stand(self, standing: Standing) -> None:
        """Write down how it stands; an end is on stable storage before this returns."""
        self._write("standing.json", msgspec.json.encode(standing), durable=standing.ended)

    def watcher(self) -> Watcher | None:
        """Who watches it, or did last."""
        return self._read("warden.json", Watcher)

    def watch(self, watcher: Watcher) -> None:
        """Say who watches it."""
        self._write("warden.json", msgspec.json.encode(watcher))

    def unwatch(self) -> None:
        """Forget who watched it."""
        (self.path / "warden.json").unlink(missing_ok=True)

    def learned(self) -> Learned | None:
        """What its program left behind."""
        return self._read("learned.json", Learned)

    def learn(self, learned: Learned) -> None:
        """Say what was left behind."""
        self._write("learned.json", msgspec.json.encode(learned))

    def why(self) -> str:
        """Why its program left nothing, in its own words; empty where it did not say."""
        with contextlib.suppress(OSError):
            return self._why.read_text(errors="replace")
        return ""

    def say_why(self, why: str) -> None:
        """Say why nothing was left behind."""
        self._write(self._why.name, why.encode(errors="replace"))

    def cancelled(self) -> bool:
        """Whether somebody took the order back."""
        return self._cancelled.exists()

    def cancel(self, yes: bool) -> None:
        """Take the order back, or give it anew."""
        if yes:
            self._cancelled.touch()
        else:
            self._cancelled.unlink(missing_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Whether the caller is the only one to watch this run, for as long as the block lasts or its process lives."""
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(handle)

    def _read(self, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode((self.path / name).read_bytes(), type=kind)
        except FileNotFoundError:
            return None

    def _write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        handle, aside = tempfile.mkstemp(prefix=f".{name}.", dir=self.path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            Path(aside).replace(self.path / name)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        if durable:
            durability.sync(self.path)


def size_mb(folder: Path) -> float:
    """What the files in a folder take on the disk, in MiB; those that vanish meanwhile are not counted."""
    total = 0
    waiting = [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for each in entries:
                with contextlib.suppress(OSError):
                    if each.is_dir(follow_symlinks=False):
                        waiting.append(Path(each.path))
                    else:
                        total += each.stat(follow_symlinks=False).st_blocks * 512
    return total / (1 << 20)
