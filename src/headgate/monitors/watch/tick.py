"""One tick of a watch: what is new is handed to every monitor, portion by portion. Read `tick` first.

Portions are whole hours and whole days of event time, so whoever ticks however often, and after however many restarts,
hands over the same portions and is told the same. A monitor that fails is told as broken and stays as it was; the
others go on.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Any

import msgspec
import pyarrow as pa

from headgate.alerts.finding import Finding
from headgate.errors import HeadgateError
from headgate.journal.reader import Reader
from headgate.monitors.watch.days import Day, days_of, joined, measured
from headgate.monitors.watch.mature import matured
from headgate.monitors.watch.monitor import AnyMonitor, Over, Portion, Reads, Told
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import Kept, WatchState
from headgate.vocabulary import DAY, Micros

log = logging.getLogger("headgate.monitors")

MEASUREMENT = "measurement"
"""The subject of the finding that a monitor cannot measure."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick came to: all of it is kept, or nothing."""

    state: WatchState
    days: list[Day]
    """What is added to each day."""
    told: list[Told]
    """In the order in which it was found."""


def tick(scene: Scene, state: WatchState, answered: pa.Table, reader: Reader, now: Micros) -> Ticked:
    """Hand over what `state` has not: `answered`, the inputs of all hours until `now`, and days whose labels are due.

    Raises Unavailable where the journal is rearranged all the time.
    """
    monitors = Running(scene, state)
    days: list[Day] = []
    until = max(state.until, scene.answered_until(now))
    mature = max(state.matured, scene.matured_until(now))
    hours = scene.hours(answered, state.until, until)
    # By when each is ripe, hours first: whoever looks seldom hands over in the order of whoever looks often.
    for portion in merge(hours, _days(scene, reader, state.matured, mature), key=lambda each: each.ripe):
        monitors.hand_over(portion)
        days += days_of(portion, replayed=scene.replayed) if portion.told is Reads.ANSWERS else []
        days += measured(portion, scene.version)
    kept = monitors.kept()
    after = msgspec.structs.replace(state, until=until, matured=mature, version=scene.version, kept=kept)
    return Ticked(after, joined(days), sorted(monitors.told, key=lambda each: each.at))


def _days(scene: Scene, reader: Reader, start: Micros, end: Micros) -> Iterator[Portion]:
    """The days from `start` to `end` with their labels."""
    for each in range(start, end, DAY):
        yield scene.day(matured(reader, scene.source, Micros(each), scene.maturity_s), Micros(each))


class Running:
    """The monitors of an endpoint while portions are handed over."""

    def __init__(self, scene: Scene, state: WatchState) -> None:
        self._scene = scene
        self._held = [_Held(each, state) for each in scene.monitors]
        self.told: list[Told] = []

    def hand_over(self, portion: Portion) -> None:
        """The next portion, to every monitor that is told of such rows."""
        for each in self._held:
            if each.monitor.reads in (portion.told, Reads.BOTH):
                self.told += each.take(self._scene, portion)

    def kept(self) -> dict[str, Kept]:
        """What is to be remembered of each."""
        return {each.monitor.name: each.kept() for each in self._held}


class _Held:
    """One monitor with its state."""

    def __init__(self, monitor: AnyMonitor, state: WatchState) -> None:
        self.monitor = monitor
        was = state.kept.get(monitor.name)
        began = state.matured if monitor.reads is Reads.LABELS else state.until
        self._began, self._broken = began, ""
        self._state = resumed(monitor, was)
        if self._state is None:
            self._state = monitor.start(began)
        elif was is not None:
            self._began, self._broken = was.began, was.broken

    def take(self, scene: Scene, portion: Portion) -> list[Told]:
        was = self._broken
        told: tuple[Told, ...] = ()
        try:
            self._state, told = self.monitor.take(self._state, portion)
            self._broken = ""
        except HeadgateError as error:
            self._broken = str(error)
        except Exception as error:  # one monitor's trouble must not stop the others
            if not was:
                log.exception("the monitor %s of %s failed", self.monitor.name, scene.source.endpoint)
            self._broken = f"it failed with {type(error).__name__}; the controller's log says more"
        if bool(was) is bool(self._broken):
            return [*told]
        return [*told, _not_measured(scene, self.monitor, self._broken, portion)]

    def kept(self) -> Kept:
        state = msgspec.json.encode(self._state).decode()
        return Kept(self.monitor.mark, self._began, state, self._broken)


def resumed(monitor: AnyMonitor, kept: Kept | None) -> Any:
    """The state that was kept of a monitor; None where there is none, or it is another's."""
    if kept is None or kept.mark != monitor.mark:
        return None
    try:
        return msgspec.json.decode(kept.state, type=monitor.kind)
    except msgspec.DecodeError as error:  # of another version of Headgate: to begin anew says less, never what is wrong
        log.warning("the monitor %s begins anew: its state cannot be read (%s)", monitor.name, error)
        return None


def _not_measured(scene: Scene, monitor: AnyMonitor, broken: str, portion: Portion) -> Told:
    """That a monitor cannot measure, or can again."""
    found = Finding(
        project=scene.source.project,
        endpoint=scene.source.endpoint,
        monitor=monitor.name,
        subject=MEASUREMENT,
        what=f"{monitor.name} of {scene.source.endpoint} cannot be measured",
        cause=broken,
        advice="put right what the cause names; what came meanwhile is not looked at again by this monitor",
        at=portion.ripe,
        until=Micros(portion.ripe + monitor.reads.lasting),
    )
    return found if broken else Over(found.key, portion.ripe)
