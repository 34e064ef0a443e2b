"""The part of the store in memory that keeps alerts: `headgate.alerts.ports.AlertStore` in dictionaries."""

import threading
from collections.abc import Sequence

from headgate.alerts.alert import Alert, Silence
from headgate.alerts.delivery import Delivery, Outcome
from headgate.errors import Conflict
from headgate.events import Event
from headgate.vocabulary import Micros


class MemoryAlerts:
    """Alerts, silences and deliveries, under the lock and with the history of whoever inherits this."""

    _lock: threading.Lock

    def __init__(self) -> None:
        self._alerts: dict[tuple[str, str], Alert] = {}
        self._silences: dict[tuple[str, str], Silence] = {}
        self._deliveries: dict[tuple[str, str], Delivery] = {}

    def _append(self, event: Event) -> None:
        raise NotImplementedError("whoever inherits this has the history")

    def change_alert(self, alert: Alert, *, events: Sequence[Event] = (), deliveries: Sequence[Delivery] = ()) -> None:
        """Keep `alert` in place of its revision before, with events and deliveries; Conflict if another is there."""
        key = alert.finding.project, alert.id
        with self._lock:
            _require(alert.revision, self._alerts.get(key), f"alert {alert.id}")
            if any(each.stands and each.key == alert.key and each.id != alert.id for each in self._alerts.values()):
                raise Conflict(f"another alert of {alert.key} stands; look again")
            for each in deliveries:
                self._check_delivery(each)
            self._alerts[key] = alert
            self._deliveries |= {(each.project, each.id): each for each in deliveries}
            for event in events:
                self._append(event)

    def alerts(self, project: str | None = None, endpoint: str | None = None, *, standing: bool = False) -> list[Alert]:
        """By project and endpoint, the one raised last first."""
        with self._lock:
            kept = list(self._alerts.values())
        wanted = [each for each in kept if project in (None, each.finding.project) and (each.stands or not standing)]
        found = [each for each in wanted if endpoint in (None, each.finding.endpoint)]
        return sorted(found, key=lambda each: (each.finding.project, each.finding.endpoint, -each.raised, each.id))

    def last_alert(self, project: str, key: str) -> Alert | None:
        """The newest alert of a key."""
        with self._lock:
            mine = [each for (owner, _), each in self._alerts.items() if (owner, each.key) == (project, key)]
        return max(mine, key=lambda each: each.episode, default=None)

    def put_silence(self, silence: Silence, event: Event) -> None:
        """Keep it in place of the endpoint's silence before, with its event."""
        with self._lock:
            self._silences[silence.project, silence.endpoint] = silence
            self._append(event)

    def silences(self, project: str | None = None) -> list[Silence]:
        """The last silence of every endpoint that had one."""
        with self._lock:
            return [each for key, each in sorted(self._silences.items()) if project in (None, key[0])]

    def change_delivery(self, delivery: Delivery, event: Event | None = None) -> None:
        """Keep `delivery` in place of its revision before; Conflict if another is there."""
        with self._lock:
            self._check_delivery(delivery)
            self._deliveries[delivery.project, delivery.id] = delivery
            if event is not None:
                self._append(event)

    def deliveries(self, project: str, alert: str) -> list[Delivery]:
        """Everything of one alert, in the order it was planned."""
        return [each for each in self._planned() if (each.project, each.alert.id) == (project, alert)]

    def waiting(self) -> list[Delivery]:
        """Every delivery that is neither made nor given up."""
        return [each for each in self._planned() if each.outcome is Outcome.WAITING]

    def forget_alerts(self, project: str, endpoint: str, before: Micros) -> int:
        """Remove what was over before a moment, but the last of each key, and old deliveries; returns how many."""
        kept = self.alerts(project, endpoint)
        last = {each.key: each.episode for each in sorted(kept, key=lambda each: each.episode)}
        over = [each for each in kept if each.ended is not None and each.ended < before]
        gone = [each for each in over if each.episode < last[each.key]]
        ids, forgotten = {each.id for each in kept}, {each.id for each in gone}
        with self._lock:
            for alert in gone:
                del self._alerts[project, alert.id]
            for key, each in list(self._deliveries.items()):
                old = each.ended is not None and each.decided < before
                if each.project == project and (each.alert.id in forgotten or (each.alert.id in ids and old)):
                    del self._deliveries[key]
        return len(gone)

    def _planned(self) -> list[Delivery]:
        with self._lock:
            kept = list(self._deliveries.values())
        return sorted(kept, key=lambda each: each.order)

    def _check_delivery(self, delivery: Delivery) -> None:
        before = self._deliveries.get((delivery.project, delivery.id))
        _require(delivery.revision, before, f"the delivery of alert {delivery.alert.id} to {delivery.channel}")


def _require(revision: int, before: Alert | Delivery | None, what: str) -> None:
    """Raise Conflict unless `revision` is the next."""
    if revision != (0 if before is None else before.revision) + 1:
        raise Conflict(f"{what} was changed meanwhile; look again")
