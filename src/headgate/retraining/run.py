"""A run of the loop as it is kept: what fired, how far it is, what each stage came to, and how it ended.

Whoever tells the story of a model's change begins here. Each stage leaves one short value; the whole of it lies in
files under the run's id: the training set, the recipe's log, the proof.
"""

from enum import StrEnum
from typing import Final, Protocol

import msgspec

from headgate.errors import Conflict
from headgate.events import Event
from headgate.vocabulary import Digest, Micros, readable


class Source(StrEnum):
    """What fired."""

    ALARM = "alarm"
    SCHEDULE = "schedule"
    LABELS = "labels"
    DATA = "data"
    MESSAGE = "message"
    PERSON = "person"
    """Somebody asked, on the command line, in Python or over the control API."""
    AGAIN = "again"
    """The last model was learned from few rows after a change, and there are three times as many by now."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to learn again."""

    at: Micros
    source: Source
    why: str
    """A sentence."""
    who: str = "controller"
    key: str = ""
    """What it is the same reason as: an alert's id, a data set's version; empty where it is its own."""


class Stage(StrEnum):
    """How far a run is."""

    FIRED = "fired"
    """It is to begin."""
    CUTTING = "cutting"
    """Its training set is cut."""
    LEARNING = "learning"
    """Its recipe runs, in a process of its own."""
    REGISTERING = "registering"
    """What was learned becomes a version."""
    PROVING = "proving"
    """The version is held against the champion."""
    ROLLING_OUT = "rolling_out"
    """It takes callers step by step, under guard."""
    PROBATION = "probation"
    """It owns the endpoint, and the version before may still take it back."""
    ENDED = "ended"


STAGES: Final = tuple(Stage)
"""In order."""


class Outcome(StrEnum):
    """How a run ended."""

    PROMOTED = "promoted"
    """What it learned owns the endpoint, and its probation is over."""
    KEPT_CHAMPION = "kept_champion"
    """What it learned did not pass, or could not be told to be better; the endpoint is as it was."""
    FAILED = "failed"
    """A stage could not be done; the endpoint is as it was."""
    CANCELLED = "cancelled"
    """Somebody ended it."""
    TAKEN_BACK = "taken_back"
    """It was promoted, and the version before came back on probation."""
    SUPERSEDED = "superseded"
    """Somebody else has changed who answers meanwhile."""


class Cutting(msgspec.Struct, frozen=True, kw_only=True):
    """The training set of a run, in short; all of it is in ``datasets/{digest}/dataset.json``."""

    digest: Digest
    choice: str
    """Which window: ``everything``, ``since_change`` and so on."""
    why: str
    as_of: Micros
    start: Micros | None = None
    end: Micros
    """Inputs from here on are not learned from: what is learned is proved on them."""
    change: Micros | None = None
    """Since when the world is another one, where that is known."""
    rows: int
    original_rows: int = 0
    leaked: int = 0
    held_out: int = 0
    """Rows from `end` on whose labels were due, to prove it on; 0 where nobody has counted them."""


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipe came to, in short; all of it is in ``runs/{id}/standing.json``."""

    model: str
    """File in the run's folder."""
    metrics: dict[str, float] = {}
    parameters: dict[str, str | int | float | bool | None] = {}
    environment: dict[str, str] = {}
    code: str = ""
    """Digest of what was run."""
    seconds: float = 0.0
    peak_mb: float = 0.0


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """What the proof came to, in short; all of it is in ``runs/{id}/proof.json`` and, for people, ``proof.md``."""

    outcome: str
    """``passed``, ``failed``, ``undecided``."""
    may_promote: bool
    """Whether nobody has to be asked."""
    superior: bool = False
    why: str
    error_rate: str = ""
    rows: int = 0
    at: Micros


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What probation said last."""

    verdict: str
    """``keep``, ``take_back``, ``undecided``."""
    why: str
    rows: int = 0
    at: Micros
    over: bool = False
    """Whether its time is up, and its labels due."""


class Passed(msgspec.Struct, frozen=True):
    """One step of a run's history."""

    at: Micros
    stage: Stage
    """Which it went on to."""
    why: str
    who: str = "controller"


@readable
class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run; every change of it is a new value with the next revision.

    >>> fired = Firing(at=Micros(7), source=Source.PERSON, why="ann said so", who="ann")
    >>> run = Run(endpoint="late", fired=Micros(7), firings=(fired,), champion="late:1")
    >>> moved = run.to(Stage.CUTTING, Micros(8), "it is time")
    >>> moved.stage.value, moved.revision, moved.history[-1].why
    ('cutting', 2, 'it is time')
    """

    project: str = "default"
    endpoint: str
    number: int = 0
    """Counts the runs of its endpoint from 1; the store gives it."""
    fired: Micros
    firings: tuple[Firing, ...]
    """Everything that asked for it, the first one first; what fires while it runs is noted here and begins no other."""
    champion: str
    """The version that owned the endpoint when it began, ``model:number``."""
    stage: Stage = Stage.FIRED
    entered: Micros = Micros(0)
    """When its stage began."""
    history: tuple[Passed, ...] = ()
    cut: Cutting | None = None
    learned: Learning | None = None
    challenger: str = ""
    """The version it made, ``model:number``; empty until it has."""
    proof: Proved | None = None
    rollout: int | None = None
    """Number of its rollout of the endpoint."""
    promoted: Micros | None = None
    """When its version took the endpoint over."""
    probed: Probed | None = None
    outcome: Outcome | None = None
    why: str = ""
    """How it ended, as a sentence."""
    asked: Micros = Micros(0)
    """When it was last asked, after its end, whether labels that came since reopen it."""
    cancelled: str = ""
    """Who wants it to end, and why; empty while nobody does."""
    revision: int = 1

    @property
    def id(self) -> str:
        """Its own, also in names of files."""
        return f"{self.project}.{self.endpoint}.{self.number}"

    @property
    def ended(self) -> bool:
        """Whether nothing moves it by itself any more."""
        return self.stage is Stage.ENDED

    @property
    def over(self) -> Micros | None:
        """When it ended; None while it runs."""
        return self.entered if self.ended else None

    def to(self, stage: Stage, at: Micros, why: str, who: str = "controller") -> "Run":
        """The run in its next stage."""
        history = (*self.history, Passed(at, stage, why, who))
        return self.with_(stage=stage, entered=at, history=history)

    def end(self, outcome: Outcome, at: Micros, why: str, who: str = "controller") -> "Run":
        """The run ended like this."""
        return msgspec.structs.replace(self.to(Stage.ENDED, at, why, who), outcome=outcome, why=why)

    def with_(self, **changed: object) -> "Run":
        """The next revision of it, with other values."""
        return msgspec.structs.replace(self, **changed, revision=self.revision + 1)


@readable
class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody outside says that it may be time to learn again."""

    project: str = "default"
    endpoint: str
    source: Source
    """``data``, ``message`` or ``person``."""
    at: Micros
    why: str
    who: str
    key: str
    """Told twice under one key it counts once."""


def under_way(run: Run) -> Conflict:
    """What whoever must wait for the end of `run` is told."""
    return Conflict(f"endpoint '{run.endpoint}' learns in run {run.number} already; wait for its end, or cancel it")


class RunStore(Protocol):
    """Where runs are kept; every call is one transaction."""

    def add_run(self, run: Run, event: Event) -> Run:
        """Keep it under the next number of its endpoint, with what is to be remembered of it; returns it so numbered.

        Raises headgate.errors.Conflict while another run of the endpoint has not ended.
        """
        ...

    def keep_run(self, run: Run, before: int, event: Event | None = None) -> None:
        """Keep it in place of its revision `before`; headgate.errors.Conflict where another is there by now."""
        ...

    def runs(self, project: str | None = None, endpoint: str | None = None) -> list[Run]:
        """By project, endpoint and number; of all where none is named."""
        ...

    def open_runs(self) -> list[Run]:
        """Those that have not ended, of all projects."""
        ...

    def add_call(self, call: Call) -> bool:
        """Keep it; False where one of its endpoint and key is there already."""
        ...

    def calls(self, project: str, endpoint: str, since: Micros) -> list[Call]:
        """Those from a moment on, the first one first."""
        ...
