"""What the loop asks of others at each stage: one port each, so that it runs with any learner and in any test.

Every call may come twice, since whoever makes it may be killed: the second does nothing that the first has done. A port
says no by an error of `headgate.errors`: a CallerError or OperatorError ends the run with its sentence, a PassingError
is tried again at the next turn.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

from headgate.retraining.run import Cutting, Learning, Probed, Proved, Run
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import Micros


class Cutter(Protocol):
    """Cuts training sets."""

    def cut(self, run: Run, spec: EndpointSpec, now: Micros, enough: Callable[[], None]) -> Cutting:
        """The training set of `run` as it is known now; the same set at every call of one moment.

        `enough` is called where a set will be and takes a while yet.
        Raises headgate.errors.BadInput where there is too little to learn from, or of one class alone; Unavailable
        where there will soon be more.
        """
        ...


class Doing(StrEnum):
    """What a recipe does."""

    RUNNING = "running"
    LEARNED = "learned"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a recipe is."""

    doing: Doing
    step: str = ""
    done: float = 0.0
    """0 to 1."""
    seconds: float = 0.0
    """How long it has been at it."""
    why: str = ""
    """Why it failed."""
    learned: Learning | None = None


class Learner(Protocol):
    """Runs recipes, each in a process of its own."""

    def prepare(self, run: Run, spec: EndpointSpec) -> None:
        """Begin what can be begun before the training set of `run` is there; `learn` says what is wrong with it."""
        ...

    def learn(self, run: Run, spec: EndpointSpec) -> Progress:
        """Begin, or go on, with the recipe of `run`, and say how far it is; never waits for it."""
        ...

    def cancel(self, run: Run) -> None:
        """End it, where it runs."""
        ...

    def log(self, run: Run) -> str:
        """What it has printed."""
        ...


class Registrar(Protocol):
    """Makes versions of what was learned."""

    def register(self, run: Run, spec: EndpointSpec) -> str:
        """The version, ``model:number``; what is registered already is found again.

        Raises headgate.errors.BadConfiguration where the endpoint cannot be served by it: another contract.
        """
        ...


class Prover(Protocol):
    """Holds a challenger against the champion, and against the best version ever proved."""

    def prove(self, run: Run, spec: EndpointSpec) -> Proved:
        """What the rows say that were due when its proving began, with a report beside the run's other files."""
        ...

    def known(self, run: Run, spec: EndpointSpec, now: Micros) -> int:
        """How many rows the challenger of `run` could be proved on now."""
        ...


class Rolling(StrEnum):
    """What a rollout does."""

    RUNNING = "running"
    WAITING = "waiting"
    """It is held or paused, until a person says something."""
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    """By its guards."""
    ABORTED = "aborted"
    """By a person."""


class Rolled(msgspec.Struct, frozen=True, kw_only=True):
    """How a rollout stands."""

    number: int
    doing: Rolling
    at: Micros
    """When it was moved last."""
    why: str = ""


class Roller(Protocol):
    """Lets a version take callers, and the version before come back."""

    def roll_out(self, run: Run, spec: EndpointSpec) -> Rolled:
        """Begin the rollout of the challenger of `run`, or say how it stands."""
        ...

    def abort(self, run: Run, why: str) -> None:
        """End its rollout, where it runs."""
        ...

    def settle(self, run: Run, why: str) -> None:
        """Point the champion's alias at the challenger, which owns the endpoint."""
        ...

    def take_back(self, run: Run, why: str) -> None:
        """Have the version before own the endpoint again, and the champion's alias with it."""
        ...


class Prober(Protocol):
    """Watches a promoted version beside the one before."""

    def probe(self, run: Run, spec: EndpointSpec, now: Micros) -> Probed:
        """What the labels say that came since it was promoted."""
        ...


class Parts(msgspec.Struct, frozen=True):
    """Whoever does the work of each stage."""

    cutter: Cutter
    learner: Learner
    registrar: Registrar
    prover: Prover
    roller: Roller
    prober: Prober
