"""Everything a story is told from, as values: whoever opens stores and folders gathers them, nothing here reads any."""

from dataclasses import dataclass

from headgate.contracts.contract import Contract
from headgate.evaluation.report import Report
from headgate.retraining.datasets.dataset import Dataset
from headgate.retraining.proof.values import Proof
from headgate.retraining.run import Run
from headgate.vocabulary import Micros


@dataclass(frozen=True, slots=True)
class Moved:
    """Something that happened, when, by whom and why."""

    at: Micros
    who: str
    what: str
    why: str = ""
    sealed: bool = False
    """Whether the sealed history has it, where `headgate audit` shows it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """An evaluation that was kept with a version."""

    at: Micros
    passed: bool
    report: Report


@dataclass(frozen=True, slots=True)
class Made:
    """How a version came to be."""

    version: str
    """``model:number``."""
    at: Micros
    engine: str
    digest: str
    data: str | None
    """Digest of the rows it was registered with."""
    code: str | None
    """What built it."""
    parent: str | None
    why: str = ""
    who: str = ""
    """Empty where the history no longer says."""
    measured: tuple[Measured, ...] = ()
    """The first one first."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A rollout, in the words of whoever knows rollouts."""

    number: int
    candidate: str
    live: str
    begun: Moved
    plan: tuple[str, ...]
    """Its guards and steps, a sentence each."""
    error_rate: str
    moves: tuple[Moved, ...]
    """Everything that moved it, the first one first."""
    phase: str
    """Where it stands."""
    promoted: Micros | None = None


@dataclass(frozen=True, slots=True)
class Alarmed:
    """An alert."""

    id: str
    monitor: str
    what: str
    cause: str
    raised: Micros
    ended: Micros | None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A change of model with all that is known of it; what is None or empty is not there any more, or never was."""

    id: str
    """What `headgate explain` was asked, spelled out."""
    project: str
    endpoint: str
    """Empty for a version that never was any endpoint's."""
    before: str
    """The version that was in charge, ``model:number``; empty where there was none."""
    after: str
    """The one that was to follow; empty where none came of it."""
    now: Micros
    live: str = ""
    """Which is in charge now."""
    run: Run | None = None
    dataset: Dataset | None = None
    proof: Proof | None = None
    rollout: Rolled | None = None
    applied: Moved | None = None
    """The change of the endpoint's file, where it was made by hand and no rollout made it."""
    made: Made | None = None
    alarms: tuple[Alarmed, ...] = ()
    """Those that fired it."""
    diagnosis: tuple[str, ...] = ()
    """What was found to have changed, a sentence each."""
    since: tuple[Moved, ...] = ()
    """What happened to the endpoint's model afterwards, the first one first."""
    alarms_since: tuple[Alarmed, ...] = ()


@dataclass(frozen=True, slots=True)
class Carded:
    """What a version's card is made of."""

    made: Made
    contract: Contract
    environment: tuple[tuple[str, str], ...]
    parity: str
    """Whether the package answers as the model did, in a sentence."""
    facts: Facts | None = None
    """How it came to be in charge; None where it never was about to be."""
