"""What the journal needs done now and then: sealing, compaction, retention.

A loop of its own beside `reconcile`: a long sealing must never delay a rollback.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from headgate.clock import Clock
from headgate.controller.decide import Chore, Compact, Done, Retain, Seal, Seen, chores, day_of
from headgate.controller.declared import Declared
from headgate.events import Event, EventKind
from headgate.journal.lake import Lake
from headgate.journal.ports import SegmentSource
from headgate.journal.retention import retain
from headgate.journal.sealer import Sealer
from headgate.registry.ports import EventLog


class Chores:
    """Keeps the journal in order, a turn at a time; call `turn` from one thread."""

    def __init__(
        self,
        *,
        declared: Declared,
        segments: SegmentSource,
        lake: Lake,
        events: EventLog,
        clock: Clock,
        seal_interval: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._declared = declared
        self._segments = segments
        self._lake = lake
        self._sealer = Sealer(segments, lake)
        self._events = events
        self._clock = clock
        self._seal_interval = seal_interval
        self._seconds = seconds
        self._started = seconds()
        self._done = Done()

    def turn(self) -> tuple[Chore, ...]:
        """Look once and do what is due; returns what was done."""
        seen = self._look()
        due = chores(seen, self._done, seal_interval=self._seal_interval)
        for chore in due:
            self._do(chore, seen)
        return due

    def _look(self) -> Seen:
        return Seen(
            now=self._clock.now(),
            running_s=self._seconds() - self._started,
            closed_segments=sum(1 for segment in self._segments.segments() if segment.closed),
            retention_days={
                (each.traffic.project, each.traffic.endpoint): each.retention_days
                for each in self._declared.endpoints()
                if each.retention_days is not None
            },
        )

    def _do(self, chore: Chore, seen: Seen) -> None:
        match chore:
            case Seal():
                self._sealer.seal()
                self._done = replace(self._done, sealed_s=seen.running_s, sealings=self._done.sealings + 1)
            case Compact():
                self._sealer.compact()
            case Retain():
                self._retain(chore, seen)

    def _retain(self, chore: Retain, seen: Seen) -> None:
        retain(self._lake, chore.project, chore.endpoint, before=chore.before)
        key = (chore.project, chore.endpoint)
        self._done = replace(self._done, retained_day={**self._done.retained_day, key: day_of(seen.now)})
        event = Event(self._clock.now(), EventKind.RETAINED, *key, "controller", "", {"before_us": chore.before})
        self._events.add_event(event)
