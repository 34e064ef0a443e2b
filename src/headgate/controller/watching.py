"""Watches every endpoint: once an hour of it is over, or a day's labels are due, monitors are told. Read `turn` first.

A loop of its own, since a long look at one endpoint must hold up neither rollouts nor traffic. What a look comes to is
told first and kept then, in one transaction: whoever is killed in between is told the same again by whoever comes
after, and what was told already is not told twice. Who was down for long goes on a day at a time.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import msgspec

from headgate.alerts.alert import Alert
from headgate.alerts.finding import Finding
from headgate.alerts.told import moment
from headgate.clock import Clock
from headgate.controller.unwatched import Endpoint, Unwatched
from headgate.errors import BadConfiguration, HeadgateError
from headgate.journal.reader import Reader
from headgate.monitors.watch.days import day_of
from headgate.monitors.watch.feed import AnswerFeed, Source
from headgate.monitors.watch.monitor import Told
from headgate.monitors.watch.scene import Scene, Stage
from headgate.monitors.watch.state import WatchState, WatchStore, begun
from headgate.monitors.watch.tick import tick
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, HOUR, Micros

log = logging.getLogger("headgate.controller")


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
        self._unwatched = Unwatched(reports.report, reports.clear)

    def turn(self, *, at_once: bool = False) -> list[Endpoint]:
        """Look at every endpoint of which something is due; returns those that were looked at.

        One that is far behind is looked at as far as one look goes; `at_once` goes on until nothing is due. One that
        cannot be looked at is logged, told, and looked at again after a rest, or `at_once`.
        """
        with self._lock:
            looked = self._round(wake=at_once)
            more = looked if at_once else []
            while more:
                more = self._round()
                looked += more
            return list(dict.fromkeys(looked))

    def lags(self, project: str, endpoint: str) -> bool:
        """Whether it is not known up to now what there is to find: a look goes on, failed, or has not begun yet."""
        return (project, endpoint) not in self._seen

    def _round(self, *, wake: bool = False) -> list[Endpoint]:
        now = self._clock.now()
        if now <= 0:  # a replay of which nobody has said when it begins
            return []
        endpoints = {(each.project, each.endpoint): each for each in self._endpoints()}
        self._seen = {each: seen for each, seen in self._seen.items() if each in endpoints}
        if wake:
            self._unwatched.wake(endpoints)
        due = [each for each in endpoints if not self._unwatched.rests(each) and self._is_due(each, now)]
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
        seen, began = self._seen.pop(endpoint, None), monotonic()
        try:
            after = self._look(self._scene(spec), seen, now)
        except HeadgateError as error:
            log.warning("%s/%s is not watched now: %s", *endpoint, error)
            why = str(error)
        except Exception as error:  # one endpoint's trouble must not hold up those behind it
            log.exception("%s/%s could not be watched", *endpoint)
            why = f"looking at it failed with {type(error).__name__}; the controller's log says more"
        else:
            if after is not None:
                self._seen[endpoint] = after
            self._unwatched.looked(endpoint)
            return True
        self._unwatched.failed(endpoint, why, monotonic() - began, now)
        return False

    def _look(self, scene: Scene, seen: _Seen | None, now: Micros) -> _Seen | None:
        """Read what is new, hand it over, tell what was found, keep what is to be remembered.

        None where there is more, which another look goes on with: then nothing is held meanwhile.
        """
        source, where = scene.source, (scene.source.project, scene.source.endpoint)
        mark = self._reader.mark(*where)
        state = self._watches.watch(*where) or begun(*where, now)
        _check_clock(state, now)
        stage = scene.stage(state.until, state.matured, now)
        feed, began = self._feed(source, seen, state.until, stage)
        late = feed.late
        found = tick(scene, state, feed.take(stage.until), self._reader, stage)
        for each in found.told:
            self._tell(source.project, each)
        after = msgspec.structs.replace(found.state, late=state.late + feed.late - late)
        if after != state:
            self._watches.keep_watch(after, found.days)
        self._counted(scene, after)
        if not stage.whole:
            return None
        return _Seen(feed, source, began, after.until, *scene.next_of(after.until, after.matured), mark)

    def _feed(self, source: Source, seen: _Seen | None, until: Micros, stage: Stage) -> tuple[AnswerFeed, Micros]:
        """What goes on after `until`, and from where on it reads: on another day it begins anew, and forgets."""
        goes_on = seen is not None and not seen.feed.cut and (seen.source, seen.until) == (source, until)
        if seen is not None and goes_on and day_of(until) == day_of(seen.began):
            return seen.feed, seen.began
        return AnswerFeed(self._reader, source, until, None if stage.whole else stage.until), until

    def _tell(self, project: str, told: Told) -> None:
        """Raise an alert, or end it, unless that was done already before somebody was killed."""
        last = self._last_alert(project, told.key)
        if isinstance(told, Finding):
            if last is None or last.seen < told.at:
                self._reports.report([told])
        elif last is not None and last.seen <= told.at:
            self._reports.clear(project, told.key)


def _check_clock(state: WatchState, now: Micros) -> None:
    """Raises BadConfiguration where the clock is a day and more behind what was looked at: it is wrong, or it was.

    Nothing can be done about it here: to look at those hours again would count them twice, should it be wrong now.
    """
    if state.until - now > DAY:
        seen = f"hours until {moment(state.until)} were looked at"
        raise BadConfiguration("clock", f"says {moment(now)}, but {seen}: put it right, or wait until it is later")
