"""How traffic reaches gateways, and how they say which revision they obey and that they have come to rest."""

from typing import Protocol

from headgate.traffic.traffic import Traffic


class TrafficSource(Protocol):
    """Where gateways read; implementations never raise on a missing or half-made entry."""

    def read(self) -> dict[tuple[str, str], Traffic]:
        """Every endpoint's newest traffic by (project, endpoint)."""
        ...

    def changed(self) -> bool:
        """Whether a `read` now might differ from the last one; cheap enough for every 100 ms."""
        ...

    def pulse(self) -> object:
        """Something that is another whenever the controller called `beat` since; as cheap."""
        ...


class TrafficStore(TrafficSource, Protocol):
    """Where the controller writes."""

    def swap(self, traffic: Traffic, expected_revision: int) -> None:
        """Publish `traffic` if the present revision is `expected_revision` (0: none yet).

        Raises headgate.errors.Conflict otherwise.
        """
        ...

    def beat(self) -> None:
        """Let gateways know that somebody still watches over what was published; not durable, it means this moment."""
        ...


class Closures(Protocol):
    """Which endpoints somebody took out of service, by project and endpoint; the same for all gateways of a home."""

    def read(self) -> frozenset[tuple[str, str]]:
        """Those out of service; cheap enough for several times a second."""
        ...

    def close(self, key: tuple[str, str]) -> None:
        """Take it out of service."""
        ...

    def open(self, key: tuple[str, str]) -> None:
        """Bring it back; nothing happens if it was in service."""
        ...


class RevisionReports(Protocol):
    """Which revision each worker obeys, kept where the controller can see it."""

    def report(self, worker: str, revisions: dict[str, int]) -> None:
        """Worker `worker` now obeys these revisions, by ``project/endpoint``."""
        ...

    def obeyed(self) -> dict[str, dict[str, int]]:
        """The last report of every worker alive."""
        ...


class Stillness(Protocol):
    """Whether gateways have come to rest; asked where event time may only go on once they have."""

    def ask(self) -> int:
        """Ask every gateway anew; the number of the question."""
        ...

    def asked(self) -> int:
        """The number of the newest question, 0 before the first; cheap enough for every few milliseconds."""
        ...

    def tell(self, worker: str, asked: int) -> None:
        """Nothing that worker `worker` was asked before question `asked` is under way: all of it can be read."""
        ...

    def heard(self) -> dict[str, int]:
        """The last question that every worker alive has answered, by worker."""
        ...
