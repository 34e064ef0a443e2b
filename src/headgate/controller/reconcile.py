"""One turn of the controller: observe, decide, apply. Read `reconcile` first.

Called several times a second by the controller's process and once by every ``headgate apply``, so that a change
is published whether or not a controller runs.
"""

import logging
import threading
from collections.abc import Callable

from headgate.clock import Clock
from headgate.controller.decide import Publish, publications
from headgate.controller.declared import Declared
from headgate.errors import Conflict, IntegrityError
from headgate.events import Event, EventKind
from headgate.registry.ports import EventLog
from headgate.traffic.ports import TrafficStore
from headgate.traffic.traffic import Traffic

log = logging.getLogger("headgate.controller")


class Controller:
    """Makes what gateways obey equal to what was declared, a turn at a time; turns never overlap."""

    def __init__(
        self,
        *,
        declared: Declared,
        traffic: TrafficStore,
        events: EventLog,
        clock: Clock,
        watches: Callable[[], bool] = lambda: False,
        prepare: Callable[[Traffic], None] = lambda _: None,
    ) -> None:
        """`watches` says whether rollouts are watched over beside it; gateways feel a beat for as long as they are.

        `prepare` is handed what is about to be published: what it names must be there before a gateway reads of it.
        """
        self._prepare = prepare
        self._watches = watches
        self._declared = declared
        self._traffic = traffic
        self._events = events
        self._clock = clock
        self._turn = threading.Lock()

    def reconcile(self) -> tuple[Publish, ...]:
        """Observe, decide, apply; returns what was published."""
        with self._turn:
            published = self._traffic.read()
            decided = publications(self._declared.traffic(), published)
            if self._watches():  # after what may fail: who cannot read the store could not take a candidate back either
                self._traffic.beat()
            return tuple(
                each
                for each in decided
                if self._publish(each, published.get((each.traffic.project, each.traffic.endpoint)))
            )

    def _publish(self, publication: Publish, before: Traffic | None) -> bool:
        traffic = publication.traffic
        self._prepare(traffic)
        try:
            self._traffic.swap(traffic, publication.expected_revision)
        except Conflict:
            # Somebody published between our look and our write; the next turn sees theirs and decides again.
            log.info("%s/%s changed meanwhile", traffic.project, traffic.endpoint)
            return False
        except IntegrityError as error:  # a file nobody can read must not keep other endpoints from a rollback
            log.error("%s", error)
            return False
        shares = {member.version: member.weight for member in traffic.members}
        details: dict[str, str | int | float | bool | None] = {"revision": traffic.revision, **shares}
        where = traffic.project, traffic.endpoint
        was = "" if before is None else _told(before)
        self._events.add_event(
            Event(self._clock.now(), EventKind.TRAFFIC, *where, "controller", "", details, was, _told(traffic))
        )
        return True


def _told(traffic: Traffic) -> str:
    shares = ", ".join(f"{each.version} {each.weight:g}" for each in traffic.members)
    return f"revision {traffic.revision}: {traffic.live} live; {shares}"
