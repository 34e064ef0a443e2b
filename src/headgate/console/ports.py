"""What the control API asks of the rooms behind it; the composition root provides it."""

from typing import Protocol

from headgate.vocabulary import Micros


class Control(Protocol):
    """The actions and views of one installation; every call may block and is made from a thread."""

    def advance(self, to: Micros, who: str) -> dict[str, dict[str, int]]:
        """Move a replay's clock, on the word of `who`, and wait until all obey: revisions by worker and endpoint.

        Raises BadInput when replay is off or time would go back, Unavailable when a worker does not follow.
        """
        ...

    def endpoints(self) -> list[tuple[str, str]]:
        """(project, endpoint) of everything applied."""
        ...

    def status(self, project: str, endpoint: str, every: str, who: str) -> bytes:
        """The endpoint's status as JSON; that `who` read it is remembered. Raises NotFound or BadInput."""
        ...
