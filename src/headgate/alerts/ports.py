"""What the room needs of others: somewhere to keep alerts, and a way to tell people."""

from collections.abc import Sequence
from typing import Protocol

from headgate.alerts.alert import Alert, Silence
from headgate.alerts.delivery import Answer, Delivery
from headgate.events import Event
from headgate.vocabulary import Micros


class AlertStore(Protocol):
    """Where alerts, silences and deliveries are kept; every call is one transaction."""

    def change_alert(self, alert: Alert, *, events: Sequence[Event] = (), deliveries: Sequence[Delivery] = ()) -> None:
        """Keep `alert` in place of its revision before, with what is to be remembered of it and what is to be told.

        All of it or nothing. Revision 1 begins an alert. Raises headgate.errors.Conflict when another revision is
        there: somebody changed it meanwhile.
        """
        ...

    def alerts(self, project: str | None = None, endpoint: str | None = None, *, standing: bool = False) -> list[Alert]:
        """By project and endpoint, the one raised last first; those that stand alone, if that is wanted."""
        ...

    def last_alert(self, project: str, key: str) -> Alert | None:
        """The newest alert of a key."""
        ...

    def put_silence(self, silence: Silence, event: Event) -> None:
        """Keep it in place of the endpoint's silence before, with what is to be remembered of it."""
        ...

    def silences(self, project: str | None = None) -> list[Silence]:
        """The last silence of every endpoint that had one, by project and endpoint."""
        ...

    def change_delivery(self, delivery: Delivery, event: Event | None = None) -> None:
        """Keep `delivery` in place of its revision before. Raises headgate.errors.Conflict when another is there."""
        ...

    def deliveries(self, project: str, alert: str) -> list[Delivery]:
        """Everything of one alert, in the order it was planned."""
        ...

    def waiting(self) -> list[Delivery]:
        """Every delivery that is neither made nor given up, of all projects."""
        ...

    def forget_alerts(self, project: str, endpoint: str, before: Micros) -> int:
        """Remove an endpoint's alerts that were over before a moment of event time, with their deliveries.

        The last alert of each key stays, since the next is numbered after it; of every alert that stays, deliveries
        that ended and were decided before the moment are removed. Returns how many alerts were.
        """
        ...


class Courier(Protocol):
    """Carries notices to one channel."""

    def carry(self, delivery: Delivery, now: Micros) -> Answer:
        """Try once and say what came of it, within a deadline; nothing is raised and no secret is said."""
        ...
