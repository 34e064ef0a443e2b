"""What the registry remembers, and the ports by which it is kept and by which packages are run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from headgate.events import Event, Sealed
from headgate.vocabulary import Micros

if TYPE_CHECKING:  # gateways read this file and have no Arrow
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


class Version(msgspec.Struct, frozen=True):
    """One registered version of a model."""

    project: str
    model: str
    number: int
    digest: str
    created_at: Micros
    engine: str
    task: str
    parent: str | None = None
    """The version it was derived from."""
    data_digest: str | None = None
    """SHA-256 of the reference data it was registered with."""
    code: str | None = None
    """What built it: a commit, a file digest, a command."""
    why: str = ""

    @property
    def ref(self) -> str:
        """``model:number``."""
        return f"{self.model}:{self.number}"


class Evaluation(msgspec.Struct, frozen=True):
    """A measurement of one version on one set of rows, with its gates judged."""

    project: str
    version: str
    at: Micros
    passed: bool
    report: bytes
    """headgate.evaluation.report.Report as JSON."""


class RegistryStore(Protocol):
    """Versions, evaluations, aliases and events, kept somewhere; every call is one transaction."""

    def add_version(self, version: Version) -> Version:
        """Keep it under the next free number of its model and return it so numbered.

        Registering a digest that the model has already returns the version there is.
        """
        ...

    def versions(self, project: str, model: str | None = None) -> list[Version]:
        """By model and number."""
        ...

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Append it; evaluations are never changed."""
        ...

    def evaluations(self, project: str, version: str) -> list[Evaluation]:
        """Oldest first."""
        ...

    def set_alias(self, project: str, model: str, alias: str, number: int) -> None:
        """Point ``model@alias`` at a version that exists; headgate.errors.NotFound otherwise."""
        ...

    def aliases(self, project: str, model: str) -> dict[str, int]:
        """Version numbers by alias."""
        ...


class EventLog(Protocol):
    """The history of an installation."""

    def add_event(self, event: Event) -> None:
        """Append it, sealed behind the record before it; see `headgate.events.seal`."""
        ...

    def sealed(self, after: int = 0, limit: int = 1000) -> list[Sealed]:
        """Records of all projects behind number `after`, oldest first; at most `limit`."""
        ...

    def events(self, project: str, subject: str | None = None, limit: int = 100) -> list[Event]:
        """Newest first."""
        ...


class EndpointStore(Protocol):
    """Endpoint settings as they were applied."""

    def put_endpoint(
        self, project: str, name: str, spec: str, before: str | None = None, *, idle: bool = False
    ) -> None:
        """Keep the YAML text of an endpoint in place of `before`, the text that was read; None where there was none.

        Raises headgate.errors.Conflict when another text is there by now and, where the endpoint has to be `idle`,
        while a rollout of it has not ended.
        """
        ...

    def endpoints(self, project: str | None = None) -> list[tuple[str, str, str]]:
        """(project, name, spec), sorted."""
        ...


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model said of every row of a table."""

    prediction: "npt.NDArray[Any]"
    """(rows,): a class of the contract, or a float64."""
    scores: "npt.NDArray[np.float64] | None"
    """(rows, classes) in the contract's order; None where the model gives labels or numbers only."""


class Predictor(Protocol):
    """A model that answers whole tables."""

    def predict(self, table: "pa.Table") -> Predicted:
        """Answer every row, in order; columns the contract does not name are ignored.

        Raises headgate.errors.RuntimeFailed when the model errs.
        """
        ...


class Runner(Protocol):
    """Makes a package directory answer tables; the registry measures packages only through this."""

    def __call__(self, package: Path) -> Predictor:
        """The model in `package`, loaded. Raises headgate.errors.RuntimeFailed when it cannot be."""
        ...
