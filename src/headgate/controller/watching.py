"""Watches every endpoint: once an hour of it is over, or a day's labels are due, monitors are told. Read `turn` first.

A loop of its own, since a long look at one endpoint must hold up neither rollouts nor traffic. What a look comes to is
told first and kept then, in one transaction: whoever is killed in between is told the same again by whoever comes
after, and what was told already is not told twice.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

import msgspec

from headgate.alerts.alert import Alert
from headgate.alerts.finding import Finding
from headgate.clock import Clock
from headgate.errors import HeadgateError
from headgate.journal.reader import Reader
from headgate.monitors.watch.feed import AnswerFeed, Source
from headgate.monitors.watch.monitor import Told
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import WatchState, WatchStore, begun
from headgate.monitors.watch.tick import tick
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, HOUR, Micros

log = logging.getLogger("headgate.controller")

REST: Final = 10.0
"""Seconds after a look that failed until the next one."""
Endpoint = tuple[str, str]
"""Project and name."""


class Reports(Protocol):
    """Who takes in what is found."""

    def report(self, findings: Sequence[Finding]) -> object:
        """Raise an alert of each, or find it again."""
        ...

    def clear(self, project: str, key: str) -> object:
        """What was found under `key` is over."""
        ...


@dataclass(slots=True)
class _Seen:
    """What is known of an endpoint after a look at it."""

    feed: AnswerFeed
    source: Source
    began: Micros
    """From where on the feed reads."""
    until: Micros
    """What it has handed over."""
    hour: Micros
    """When the next hour can be handed over."""
    day: Micros
    """When the labels of the next day can be."""
    mark: Hashable
    """What the journal was like before the look."""


class Watching:
    """The watches of an installation, a turn at a time; turns of several threads wait for each other."""

    def __init__(
        self,
        *,
        endpoints: Callable[[], Sequence[EndpointSpec]],
        scene: Callable[[EndpointSpec], Scene],
        watches: WatchStore,
        reports: Reports,
        last_alert: Callable[[str, str], Alert | None],
        reader: Reader,
        clock: Clock,
        counted: Callable[[Scene, WatchState], object] = lambda scene, state: None,
    ) -> None:
        """`scene` is asked at every look: who is in charge, and what the file says, may have changed.

        `last_alert` knows the newest alert of a project and key, so that nothing is told twice.

        `counted` hears after every look what is kept of the watch.
        """
        self._endpoints = endpoints
        self._scene = scene
        self._watches = watches
        self._reports = reports
        self._last_alert = last_alert
        self._reader = reader
        self._clock = clock
        self._counted = counted
        self._lock = threading.Lock()
        self._seen: dict[Endpoint, _Seen] = {}
        self._rests: dict[Endpoint, float] = {}
        """Until when one that failed is left alone, on the scale of `monotonic`."""

    def turn(self, *, at_once: bool = False) -> list[Endpoint]:
        """Look at every endpoint of which something is due; returns those that were looked at.

        One that cannot be looked at is logged, and looked at again after a rest, or `at_once`.
        """
        with self._lock:
            now = self._clock.now()
            if now <= 0:  # a replay of which nobody has said when it begins
                return []
            endpoints = {(each.project, each.endpoint): each for each in self._endpoints()}
            self._seen = {each: seen for each, seen in self._seen.items() if each in endpoints}
            self._rests = {} if at_once else {each: end for each, end in self._rests.items() if monotonic() < end}
            due = [each for each in endpoints if each not in self._rests and self._is_due(each, now)]
            return [each for each in due if self._looked(each, endpoints[each], now)]

    def _is_due(self, endpoint: Endpoint, now: Micros) -> bool:
        """Whether there is anything to hand over; where the journal is as it was, an hour without rows can wait."""
        seen = self._seen.get(endpoint)
        if seen is None:
            return True
        if now < min(seen.hour, seen.day):
            return False
        if now >= seen.day or seen.feed.waits or self._reader.mark(*endpoint) != seen.mark:
            return True
        seen.hour = Micros(now + HOUR)
        return False

    def _looked(self, endpoint: Endpoint, spec: EndpointSpec, now: Micros) -> bool:
        # Known again only once a look has ended well: one that failed may have taken in half of what was new.
        seen = self._seen.pop(endpoint, None)
        try:
            self._seen[endpoint] = self._look(self._scene(spec), seen, now)
            return True
        except HeadgateError as error:
            log.warning("%s/%s is not watched now: %s", *endpoint, error)
        except Exception:  # one endpoint's trouble must not hold up those behind it
            log.exception("%s/%s could not be watched", *endpoint)
        self._rests[endpoint] = monotonic() + REST
        return False

    def _look(self, scene: Scene, seen: _Seen | None, now: Micros) -> _Seen:
        """Read what is new, hand it over, tell what was found, keep what is to be remembered."""
        source, where = scene.source, (scene.source.project, scene.source.endpoint)
        mark = self._reader.mark(*where)
        state = self._watches.watch(*where) or begun(*where, now)
        feed, began = self._feed(source, seen, state.until)
        late = feed.late
        answered = feed.take(max(state.until, scene.answered_until(now)))
        found = tick(scene, state, answered, self._reader, now)
        for each in found.told:
            self._tell(source.project, each)
        after = msgspec.structs.replace(found.state, late=state.late + feed.late - late)
        if after != state:
            self._watches.keep_watch(after, found.days)
        self._counted(scene, after)
        return _Seen(feed, source, began, after.until, *scene.next_of(after.until, after.matured), mark)

    def _feed(self, source: Source, seen: _Seen | None, until: Micros) -> tuple[AnswerFeed, Micros]:
        """What goes on after `until`, and from where on it reads: after a day it begins anew, and forgets."""
        goes_on = seen is not None and not seen.feed.cut and (seen.source, seen.until) == (source, until)
        if seen is not None and goes_on and until - seen.began < DAY:
            return seen.feed, seen.began
        return AnswerFeed(self._reader, source, until), until

    def _tell(self, project: str, told: Told) -> None:
        """Raise an alert, or end it, unless that was done already before somebody was killed."""
        last = self._last_alert(project, told.key)
        if isinstance(told, Finding):
            if last is None or last.seen < told.at:
                self._reports.report([told])
        elif last is not None and last.seen <= told.at:
            self._reports.clear(project, told.key)
