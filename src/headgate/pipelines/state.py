"""What a pipeline knows between two steps and between two runs, as files that are replaced whole.

``state.json`` says what was kept of each source and how far it was read; ``runs/{id}/run.json`` what became of each
step of one run. A step's files are there before either says so, so that whoever is killed in between does it again.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from headgate import durability
from headgate.errors import Conflict, HomeInUse, IntegrityError, NotFound
from headgate.pipelines.pipelinefile import StepName
from headgate.pipelines.whole import sweep, write_whole
from headgate.vocabulary import Micros, readable

Scalar = str | int | float | bool | None


class Part(msgspec.Struct, frozen=True):
    """Rows of one load that were kept."""

    file: str
    """In the source's folder."""
    rows: int
    run: str
    """The run that read them."""


class Column(msgspec.Struct, frozen=True):
    """One column of a source, as its first load had it."""

    name: str
    type: str
    """As Arrow writes it."""


@readable
class SourceState(msgspec.Struct, frozen=True):
    """How far a source was read, and what is kept of it."""

    mark: dict[str, Any] = {}
    """Where the next load goes on; what it means only its kind of source knows."""
    columns: tuple[Column, ...] = ()
    parts: tuple[Part, ...] = ()
    run: str = ""
    """The run that read it last."""

    @property
    def rows(self) -> int:
        """Rows that are kept, those that were replaced later included."""
        return sum(each.rows for each in self.parts)


@readable
class State(msgspec.Struct, frozen=True):
    """What a pipeline knows."""

    sources: dict[str, SourceState] = {}
    dataset: str = ""
    """Digest of the newest training set; empty before the first."""


class StepState(StrEnum):
    """How far a step is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It was not needed: nothing was new, or a gate had failed."""


class StepRecord(msgspec.Struct, frozen=True):
    """What became of one step."""

    name: StepName
    state: StepState = StepState.WAITING
    began: Micros | None = None
    ended: Micros | None = None
    why: str = ""
    """A sentence: what it did, or why it failed."""
    made: dict[str, Scalar] = {}
    """What the steps after it need, and whoever reads the record: digests, versions, counts."""


class Pulled(msgspec.Struct, frozen=True):
    """What one load read of a source, before it was checked."""

    rows: int
    """None of them are new where it is 0."""
    mark: dict[str, Any]
    columns: tuple[Column, ...]
    """As they came."""
    since: dict[str, Any] = {}
    """Where the load before had ended."""
    whole: bool = False
    """Whether they take the place of all rows kept before."""
    notes: tuple[str, ...] = ()
    """What was odd about it, in sentences."""


class Ending(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    NOTHING_NEW = "nothing_new"
    GATE_FAILED = "gate_failed"
    """The new version was not better; what is live stays so. A finished, explained outcome."""


@readable
class Run(msgspec.Struct, frozen=True):
    """One run of a pipeline."""

    id: str
    pipeline: str
    file: str
    """Digest of the pipeline's file, and of those it names, when it began."""
    began: Micros
    steps: tuple[StepRecord, ...]
    reloaded: tuple[str, ...] = ()
    """Sources that it reads from their beginning; what was kept of them stays until what takes its place is there."""
    pulled: dict[str, Pulled] = {}
    ending: Ending | None = None
    """None while a step waits or has failed."""

    def step(self, name: StepName) -> StepRecord:
        """The record of a step. Raises NotFound when the pipeline has no such step."""
        found = next((each for each in self.steps if each.name is name), None)
        if found is None:
            raise NotFound("step", name, f"{self.pipeline} has {', '.join(each.name for each in self.steps)}")
        return found

    @property
    def next(self) -> StepRecord | None:
        """The first step that waits or failed; None where there is none."""
        return next((each for each in self.steps if each.state in (StepState.WAITING, StepState.FAILED)), None)

    def with_step(self, record: StepRecord) -> "Run":
        """The run with that step's record in place of the one before."""
        steps = tuple(record if each.name is record.name else each for each in self.steps)
        return msgspec.structs.replace(self, steps=steps)

    def made(self, name: StepName, key: str) -> Scalar:
        """What a step made. Raises Conflict when it has not been done."""
        found = self.step(name).made.get(key)
        if found is None:
            raise Conflict(f"step '{name}' of run {self.id} has made no {key} yet; run it first")
        return found


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder of one pipeline."""

    root: Path

    def source(self, name: str) -> Path:
        """Where a source's kept rows are."""
        return self.root / "sources" / name

    def raw(self, run: str, name: str) -> Path:
        """Where a run's new rows of a source are, as they came."""
        return self.run_folder(run) / "raw" / name

    def quarantine(self, name: str) -> Path:
        """Where a source's rows are that broke the contract."""
        return self.root / "quarantine" / name

    def run_folder(self, run: str) -> Path:
        """Where a run's own files are."""
        return self.root / "runs" / run

    def state(self) -> State:
        """What is known. Raises IntegrityError when the file is none of ours."""
        text = _text(self.root / "state.json")
        try:
            return State() if text is None else msgspec.json.decode(text, type=State)
        except msgspec.DecodeError as error:
            raise _damaged(self.root / "state.json") from error

    def keep_state(self, state: State) -> None:
        """Put `state` in place of the one before."""
        write_whole(self.root / "state.json", lambda path: path.write_bytes(_pretty(state)))

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        found = [self.run(each.parent.name) for each in (self.root / "runs").glob("*/run.json")]
        return sorted((each for each in found if each is not None), key=lambda each: (each.began, each.id))

    def run(self, run: str) -> Run | None:
        """The run of that id; None where there is none."""
        path = self.run_folder(run) / "run.json"
        text = _text(path)
        try:
            return None if text is None else msgspec.json.decode(text, type=Run)
        except msgspec.DecodeError as error:
            raise _damaged(path) from error

    def keep_run(self, run: Run) -> None:
        """Put the record of `run` in place of the one before."""
        write_whole(self.run_folder(run.id) / "run.json", lambda path: path.write_bytes(_pretty(run)))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else runs this pipeline meanwhile; the kernel gives the lock back when its holder dies.

        Raises HomeInUse when somebody does.
        """
        durability.make_folder(self.root)
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _take(handle, self.root.name)
            for folder in (self.root, *self.root.glob("runs/*"), *self.root.glob("*/*")):
                sweep(folder)
            yield
        finally:
            os.close(handle)


def _take(handle: int, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise HomeInUse(f"another process runs the pipeline '{name}'; wait until it has ended") from error


def _text(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(
        f"{path} is not what a pipeline wrote; put a copy of it back, or remove the pipeline's folder"
    )


def _pretty(value: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value))
