"""What is to be done now and then: finishing dead writers' streams, sealing, compaction, forgetting, noting deaths.

A loop of its own beside `reconcile`: a long sealing must never delay a rollback.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import msgspec

from headgate.clock import Clock
from headgate.controller.decide import Chore, Collect, Compact, Done, Finish, Retain, Seal, Seen, chores, day_of
from headgate.controller.declared import Declared
from headgate.events import Death, Event, EventKind, Note
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.journal.ports import SegmentRef, SegmentSource, Stream
from headgate.journal.retention import retain
from headgate.journal.sealer import Sealed, Sealer, earliest
from headgate.registry.ports import EventLog
from headgate.vocabulary import DEFAULT_PROJECT, Micros

log = logging.getLogger("headgate.controller")

DAMAGED: Final = "its readable part was sealed, bytes behind it are damaged, its file is kept"
UNREADABLE: Final = "contradicts itself or is of a newer format; nothing after it in its stream is sealed"

FinishStream = Callable[[Stream], bool]
"""Closes what a dead writer of a stream left open; False, and nothing done, while the writer lives."""

ForgetSets = Callable[[str, str, Micros], int]
"""Removes the rows of an endpoint's training sets that have any of before a moment; returns how many sets had."""


class Deaths(Protocol):
    """Where the supervisor leaves word of children that ended by themselves."""

    def waiting(self) -> list[Death]:
        """What was reported and not yet forgotten, oldest first."""
        ...

    def forget(self, death: Death) -> None:
        """It stands in the history now."""
        ...


class Notes(Protocol):
    """Where gateways leave word of what they did on somebody's word."""

    def waiting(self) -> list[Note]:
        """What was left and not yet forgotten, oldest first."""
        ...

    def forget(self, note: Note) -> None:
        """It stands in the history now."""
        ...


class Forgets(Protocol):
    """Where alerts are kept."""

    def forget_alerts(self, project: str, endpoint: str, before: Micros) -> int:
        """Remove those that were over before a moment; returns how many there were."""
        ...


class Chores:
    """Keeps the journal in order, a turn at a time; call `turn` from one thread."""

    def __init__(
        self,
        *,
        declared: Declared,
        segments: SegmentSource,
        finish: FinishStream,
        lake: Lake,
        orphans: Orphans,
        events: EventLog,
        clock: Clock,
        seal_interval: float,
        deaths: Deaths | None = None,
        notes: Notes | None = None,
        alerts: Forgets | None = None,
        sets: ForgetSets | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._declared = declared
        self._segments = segments
        self._finish = finish
        self._lake = lake
        self._sealer = Sealer(segments, lake)
        self._orphans = orphans
        self._events = events
        self._clock = clock
        self._deaths = deaths
        self._notes = notes
        self._alerts = alerts
        self._sets = sets
        self._seal_interval = seal_interval
        self._seconds = seconds
        self._started = seconds()
        self._done = Done()
        self._sizes: dict[tuple[Stream, int], tuple[int, float]] = {}
        """Size of each open segment, and since when it has had it."""

    def turn(self) -> tuple[Chore, ...]:
        """Look once and do what is due; returns what was done."""
        self._note_deaths()
        self._take_notes()
        seen = self._look()
        due = chores(seen, self._done, seal_interval=self._seal_interval)
        for chore in due:
            self._do(chore, seen)
        return due

    def _look(self) -> Seen:
        running_s = self._seconds() - self._started
        segments = self._segments.segments()
        return Seen(
            now=self._clock.now(),
            running_s=running_s,
            closed_segments=sum(1 for segment in segments if segment.closed),
            quiet_s=self._quiet(segments, running_s),
            any_blobs=self._orphans.possible(),
            retention_days=self._declared.retention_days(),
        )

    def _quiet(self, segments: list[SegmentRef], now: float) -> dict[Stream, float]:
        """How long each stream's open segments have had their size; the one that grew last counts."""
        before, self._sizes = self._sizes, {}
        found: dict[Stream, float] = {}
        for segment in segments:
            if not segment.closed:
                key = (segment.stream, segment.sequence)
                size, since = before.get(key, (-1, now))
                self._sizes[key] = (segment.size, since if size == segment.size else now)
                quiet = now - self._sizes[key][1]
                found[segment.stream] = min(quiet, found.get(segment.stream, quiet))
        return found

    def _do(self, chore: Chore, seen: Seen) -> None:
        match chore:
            case Finish(stream):
                self._finish(stream)
                self._done = replace(self._done, finished_s={**self._done.finished_s, stream: seen.running_s})
            case Seal():
                self._seal(seen)
            case Compact():
                self._sealer.compact()
            case Retain():
                self._retain(chore)
            case Collect():
                self._collect(seen)

    def _seal(self, seen: Seen) -> None:
        retained = self._done.retained
        # Should it fail half way, nobody knows what was sealed: every endpoint's old rows are looked for again.
        self._done = replace(self._done, retained={})
        sealed = self._sealer.seal()
        self._done = replace(
            self._done,
            sealed_s=seen.running_s,
            sealings=self._done.sealings + 1,
            retained=retained,
            sealed_since=earliest((self._done.sealed_since, sealed.first_days)),
        )
        self._note(sealed)

    def _note(self, sealed: Sealed) -> None:
        """Remember what could not be read, once per segment: a controller that starts again finds it again."""
        whys = {**dict.fromkeys(sealed.damaged, DAMAGED), **dict.fromkeys(sealed.unreadable, UNREADABLE)}
        for segment, why in whys.items():
            known = self._events.events(DEFAULT_PROJECT, segment)
            if any(each.kind is EventKind.DAMAGED and each.why == why for each in known):
                continue
            log.error("journal segment %s: %s", segment, why)
            self._events.add_event(
                Event(self._clock.now(), EventKind.DAMAGED, DEFAULT_PROJECT, segment, "controller", why)
            )

    def _note_deaths(self) -> None:
        """Turn what the supervisor left into history: noted first and forgotten then, so that none is lost."""
        if self._deaths is None:
            return
        for death in self._deaths.waiting():
            known = self._events.events(DEFAULT_PROJECT, death.name)
            if not any(each.details.get("death") == death.id for each in known):
                details: dict[str, str | int | float | bool | None] = {"death": death.id}
                event = Event(death.at, EventKind.DIED, DEFAULT_PROJECT, death.name, "supervisor", death.cause, details)
                self._events.add_event(event)
            self._deaths.forget(death)

    def _take_notes(self) -> None:
        """Turn what gateways left into history, in that order and for that reason."""
        if self._notes is None:
            return
        for note in self._notes.waiting():
            known = self._events.events(note.event.project, note.event.subject)
            if not any(each.details.get("note") == note.id for each in known):
                details = {**note.event.details, "note": note.id}
                self._events.add_event(msgspec.structs.replace(note.event, details=details))
            self._notes.forget(note)

    def _retain(self, chore: Retain) -> None:
        retain(self._lake, chore.project, chore.endpoint, before=chore.before)
        # An alert speaks of rows, with some of their values: it is kept as long as they are.
        gone = 0 if self._alerts is None else self._alerts.forget_alerts(chore.project, chore.endpoint, chore.before)
        # A training set has copies of them.
        sets = 0 if self._sets is None else self._sets(chore.project, chore.endpoint, chore.before)
        key = (chore.project, chore.endpoint)
        self._done = replace(
            self._done,
            retained={**self._done.retained, key: day_of(chore.before)},
            sealed_since={each: day for each, day in self._done.sealed_since.items() if each != key},
        )
        details: dict[str, str | int | float | bool | None] = {
            "before_us": chore.before, "alerts": gone, "training_sets": sets,
        }  # fmt: skip
        event = Event(self._clock.now(), EventKind.RETAINED, *key, "controller", "", details)
        self._events.add_event(event)

    def _collect(self, seen: Seen) -> None:
        try:
            done = self._orphans.collect()
        finally:
            # Also when it fails: it reads the whole lake, which is too much to try again in the next turn.
            self._done = replace(self._done, collected_s=self._seconds() - self._started)
        self._done = replace(self._done, collected_day=day_of(seen.now), aside=done.waiting)
        if done.unknown:
            log.warning("blobs are not collected: %s cannot be read, so what it names is unknown", done.unknown[0])
        if done.removed:
            details: dict[str, str | int | float | bool | None] = {"files": done.removed}
            event = Event(self._clock.now(), EventKind.COLLECTED, DEFAULT_PROJECT, "blobs", "controller", "", details)
            self._events.add_event(event)
