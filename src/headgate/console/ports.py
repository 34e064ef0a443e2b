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

    def rollout(self, project: str, endpoint: str, who: str) -> bytes:
        """Its newest rollout as JSON; that `who` read it is remembered. Raises NotFound."""
        ...

    def deploy(self, project: str, endpoint: str, plan: str, why: str, who: str) -> bytes:
        """Begin the rollout that the YAML in `plan` describes, on the word of `who`; the rollout as JSON.

        Raises BadInput for a plan that is wrong or of another endpoint, Conflict, GateFailed or NotFound.
        """
        ...

    def next_case(self, project: str, endpoint: str, reviewer: str, who: str) -> bytes | None:
        """The next case for `reviewer` as JSON, None where none waits; that `who` read it is remembered.

        Raises NotFound.
        """
        ...

    def skip_case(self, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
        """Give the case back, not to be offered to `reviewer` again. Raises NotFound."""
        ...

    def queue(self, project: str, endpoint: str) -> bytes:
        """What waits for people as JSON. Raises NotFound."""
        ...

    def picture(self, project: str, endpoint: str, input_id: str, field: str, who: str) -> tuple[bytes, str]:
        """A large value of a case and its media type; that `who` read it is remembered. Raises NotFound."""
        ...

    def move(self, project: str, endpoint: str, action: str, why: str, who: str, *, step: int | None = None) -> bytes:
        """Move the endpoint's rollout, or take it back, on the word of `who`; the rollout as JSON.

        An order may say which `step` it is about, which taking back has no use for. Raises Conflict where it means
        nothing as the rollout stands, or where that is in another step, NotFound.
        """
        ...

    def runs(self, project: str, endpoint: str) -> bytes:
        """Every run by which the endpoint's model learned again, as JSON, the oldest first. Raises NotFound."""
        ...

    def retrain(self, project: str, endpoint: str, action: str, *, why: str, key: str, who: str) -> bytes:
        """Start or cancel a run, or tell of a data version or a message, on the word of `who`; the newest run as JSON.

        A data version and a message count once a `key`. Raises NotFound, BadInput where the endpoint's file says
        nothing of it, Conflict where there is nothing to cancel.
        """
        ...

    def monitored(self, project: str, endpoint: str, *, last: int | None) -> bytes:
        """How the endpoint stands, with its `last` days, as JSON. Raises NotFound."""
        ...

    def report(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        """The endpoint's whole report as JSON; that `who` read it is remembered. Raises NotFound."""
        ...

    def page(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        """The same as one HTML page; that `who` read it is remembered. Raises NotFound."""
        ...

    def alerts(self, project: str, endpoint: str, *, over: bool) -> bytes:
        """The endpoint's alerts that stand, past ones too with `over`, and its silence, as JSON. Raises NotFound."""
        ...

    def alert(self, project: str, endpoint: str, alert_id: str) -> bytes:
        """One of its alerts with what people were told of it, as JSON. Raises NotFound, also for another endpoint's."""
        ...

    def acknowledge(self, project: str, endpoint: str, alert_id: str, why: str, who: str) -> bytes:
        """Take one of its alerts on, on the word of `who`; the alert as JSON. Raises NotFound, or Conflict if over."""
        ...

    def silence(self, project: str, endpoint: str, lasting: str, because: str, who: str) -> bytes:
        """Tell nobody of its alerts for so long, on the word of `who`; the silence as JSON.

        Raises NotFound, or BadInput for what is no duration, too long, or without a reason.
        """
        ...
