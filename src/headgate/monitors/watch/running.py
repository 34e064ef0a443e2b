"""The monitors of an endpoint while portions are handed to them: each with its state, and apart from the others.

A monitor that fails is told as broken, portion by portion for as long as it is, and stays as it was; the others go on.
What was found by one that watches no more, or begins anew because it is made of something else, is over.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from headgate.alerts.finding import Finding, checked
from headgate.errors import BadInput, HeadgateError
from headgate.monitors.watch.monitor import AnyMonitor, Over, Portion, Reads, Span, Told
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import Kept, WatchState
from headgate.vocabulary import DAY, Micros

log = logging.getLogger("headgate.monitors")

MEASUREMENT: Final = "measurement"
"""The subject of the finding that a monitor cannot measure."""
REMEMBERED: Final = Micros(30 * DAY)
"""How long it is remembered what was found and never said to be over: by then its alert has ended by itself."""
LONGEST: Final = 1000
"""Characters of a reason that people are told."""


class Running:
    """The monitors of an endpoint, between what was kept of them and what is to be."""

    def __init__(self, scene: Scene, state: WatchState) -> None:
        self._scene = scene
        self._held = [_Held(each, state) for each in scene.monitors]
        self.ended = [Over(key, at) for each in self._left(state) for key, at in each.found.items()]
        """What is found no more, because nobody looks any longer for what it was."""
        self.told: list[Told] = []

    def _left(self, state: WatchState) -> list[Kept]:
        """What was kept of monitors that watch no more, or begin anew."""
        going_on = {each.monitor.name for each in self._held if each.goes_on}
        return [kept for name, kept in state.kept.items() if name not in going_on]

    def hand_over(self, portion: Portion) -> None:
        """The next portion, to every monitor that is told of such rows, so many of them together."""
        for each in self._held:
            if takes(each.monitor, portion):
                self.told += each.take(self._scene, portion)

    def kept(self) -> dict[str, Kept]:
        """What is to be remembered of each."""
        return {each.monitor.name: each.kept() for each in self._held}


class _Held:
    """One monitor with its state."""

    def __init__(self, monitor: AnyMonitor, state: WatchState) -> None:
        self.monitor = monitor
        was = state.kept.get(monitor.name)
        before = resumed(monitor, was)
        self.goes_on = was is not None and before is not None
        began = state.matured if monitor.reads is Reads.LABELS else state.until
        fresh = Kept(monitor.mark, began, "")
        self._kept = was if was is not None and self.goes_on else fresh
        self._state = before if self.goes_on else monitor.start(began)
        self._broken, self._found = self._kept.broken, dict(self._kept.found)

    def take(self, scene: Scene, portion: Portion) -> list[Told]:
        """What the portion told, and whether it could be measured."""
        was, told = self._broken, self._taken(scene, portion)
        if self._broken or was:
            told.append(_not_measured(scene, self.monitor, self._broken, portion))
        for each in told:
            if isinstance(each, Finding):
                self._found[each.key] = each.at
            else:
                self._found.pop(each.key, None)
        self._found = {key: at for key, at in self._found.items() if at > portion.ripe - REMEMBERED}
        return told

    def kept(self) -> Kept:
        """What is to be remembered: the state before, should this one be nothing that can be written down."""
        broken, state = self._broken, self._kept.state
        try:
            state = msgspec.json.encode(self._state).decode()
        except (TypeError, ValueError, OverflowError) as error:
            log.exception("the state of the monitor %s cannot be kept", self.monitor.name)
            broken = f"its state cannot be kept ({type(error).__name__}); the controller's log says more"
        return Kept(self._kept.mark, self._kept.began, state, broken, self._found)

    def _taken(self, scene: Scene, portion: Portion) -> list[Told]:
        """What the portion told; nothing, and the state as it was, where that failed."""
        try:
            state, told = self.monitor.take(self._state, portion)
            _check(told)
            self._state, self._broken = state, ""
            return list(told)
        except HeadgateError as error:
            self._broken = str(error)[:LONGEST]
        except Exception as error:  # one monitor's trouble must not stop the others
            why = f"it failed with {type(error).__name__}; the controller's log says more"
            if why != self._broken:
                log.exception("the monitor %s of %s failed", self.monitor.name, scene.source.endpoint)
            self._broken = why
        return []


def takes(monitor: AnyMonitor, portion: Portion) -> bool:
    """Whether a monitor is handed such a portion."""
    if monitor.reads not in (portion.told, Reads.BOTH):
        return False
    return portion.span is Span.DAY or monitor.daily == (portion.span is Span.HOURS)


def resumed(monitor: AnyMonitor, kept: Kept | None) -> Any:
    """The state that was kept of a monitor; None where there is none, or it is another's."""
    if kept is None or kept.mark != monitor.mark:
        return None
    try:
        return msgspec.json.decode(kept.state, type=monitor.kind)
    except msgspec.DecodeError as error:  # of another version of Headgate: to begin anew says less, never what is wrong
        log.warning("the monitor %s begins anew: its state cannot be read (%s)", monitor.name, error)
        return None


def _check(told: Sequence[Told]) -> None:
    """Raises BadInput where a finding cannot be told: that is its monitor's trouble, and nobody else's."""
    for each in told:
        if isinstance(each, Finding):
            try:
                checked(each)
            except BadInput as error:
                raise BadInput("finding", "told", f"what it found cannot be told: {error}") from error


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
