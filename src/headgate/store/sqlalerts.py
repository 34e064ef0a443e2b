"""The part of the SQL store that keeps alerts: `headgate.alerts.ports.AlertStore`, one transaction per call."""

from collections.abc import Sequence

import sqlalchemy as sa

from headgate.alerts.alert import Alert, Silence
from headgate.alerts.delivery import Delivery
from headgate.events import Event
from headgate.store import alertrows, chain
from headgate.store.engines import reading, writing
from headgate.vocabulary import Micros


class SqlAlerts:
    """Alerts, silences and deliveries in the database of `_engine`, which whoever inherits this opens."""

    _engine: sa.Engine

    def change_alert(self, alert: Alert, *, events: Sequence[Event] = (), deliveries: Sequence[Delivery] = ()) -> None:
        """Keep `alert` in place of its revision before, with events and deliveries; Conflict if another is there."""
        with writing(self._engine) as connection:
            alertrows.change_alert(connection, alert)
            for each in deliveries:
                alertrows.change_delivery(connection, each)
            for event in events:
                chain.append(connection, event)

    def alerts(self, project: str | None = None, endpoint: str | None = None, *, standing: bool = False) -> list[Alert]:
        """By project and endpoint, the one raised last first."""
        with reading(self._engine) as connection:
            return alertrows.alerts(connection, project=project, endpoint=endpoint, standing=standing)

    def last_alert(self, project: str, key: str) -> Alert | None:
        """The newest alert of a key."""
        with reading(self._engine) as connection:
            return alertrows.last_alert(connection, project, key)

    def put_silence(self, silence: Silence, event: Event) -> None:
        """Keep it in place of the endpoint's silence before, with its event."""
        with writing(self._engine) as connection:
            alertrows.put_silence(connection, silence)
            chain.append(connection, event)

    def silences(self, project: str | None = None) -> list[Silence]:
        """The last silence of every endpoint that had one."""
        with reading(self._engine) as connection:
            return alertrows.silences(connection, project)

    def change_delivery(self, delivery: Delivery, event: Event | None = None) -> None:
        """Keep `delivery` in place of its revision before; Conflict if another is there."""
        with writing(self._engine) as connection:
            alertrows.change_delivery(connection, delivery)
            if event is not None:
                chain.append(connection, event)

    def deliveries(self, project: str, alert: str) -> list[Delivery]:
        """Everything of one alert, in the order it was planned."""
        with reading(self._engine) as connection:
            return alertrows.deliveries(connection, project, alert)

    def waiting(self) -> list[Delivery]:
        """Every delivery that is neither made nor given up."""
        with reading(self._engine) as connection:
            return alertrows.waiting(connection)

    def forget_alerts(self, project: str, endpoint: str, before: Micros) -> int:
        """Remove what was over before a moment, but the last of each key, and old deliveries; returns how many."""
        with writing(self._engine) as connection:
            return alertrows.forget(connection, project, endpoint, before)
