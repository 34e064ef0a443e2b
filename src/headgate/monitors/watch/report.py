"""How an endpoint is watched and how it stands, as one value: `headgate monitor`, its JSON and its page."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from headgate.alerts.told import moment
from headgate.evaluation.estimate import Estimate
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.standing import BY_URGENCY, Standing
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.monitor import Says
from headgate.monitors.watch.running import resumed
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import WatchState
from headgate.vocabulary import DAY, HOUR, Micros

log = logging.getLogger("headgate.monitors")

STALE: Final = Micros(DAY + 2 * HOUR)
"""How far a watch may be behind: hours in which nothing came wait for the labels of their day."""


class Line(msgspec.Struct, frozen=True):
    """One monitor and what it says."""

    monitor: str
    says: Says


class Monitored(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `headgate monitor` says of one endpoint; ``msgspec.json.encode`` is its JSON."""

    project: str
    endpoint: str
    version: str
    """Who is in charge now."""
    began: Micros | None = None
    """From when on it is watched; None where nobody looked yet."""
    until: Micros | None = None
    """Hours before it were looked at."""
    matured: Micros | None = None
    """Days before it were looked at with their labels."""
    false_alarms: str = ""
    """How often alarms of all monitors together may be false."""
    price_per_cpu_hour: float | None = None
    monitors: tuple[Line, ...] = ()
    """Those that alarm first."""
    reference: dict[str, Estimate] = {}
    """What the evaluation of who is in charge measured."""
    days: tuple[Day, ...] = ()
    """Oldest first, and by version."""
    diagnosis: Diagnosed | None = None
    """What was said after the last alarm of how good the model is, or of its inputs; it may be over."""
    notes: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[Line, ...]:
        """The monitors that alarm."""
        return tuple(each for each in self.monitors if each.says.standing is Standing.ALARM)


def monitored(
    scene: Scene,
    state: WatchState | None,
    days: list[Day],
    *,
    false_alarms: str,
    price_per_cpu_hour: float | None = None,
    now: Micros | None = None,
    diagnoses: Sequence[Diagnosed] = (),
) -> Monitored:
    """What is known of an endpoint after the last look at it; at `now` a note says so where that was long ago."""
    found = Monitored(
        project=scene.source.project,
        endpoint=scene.source.endpoint,
        version=scene.version,
        false_alarms=false_alarms,
        price_per_cpu_hour=price_per_cpu_hour,
        reference={} if scene.reference is None else dict(scene.reference.estimates),
    )
    if state is None:
        return msgspec.structs.replace(found, notes=("nobody has looked yet: the controller of `headgate up` does",))
    lines = [Line(each.name, _says(scene, state, each.name)) for each in scene.monitors]
    return msgspec.structs.replace(
        found,
        began=state.began,
        until=state.until,
        matured=state.matured,
        monitors=tuple(sorted(lines, key=lambda each: BY_URGENCY.index(each.says.standing))),
        days=tuple(days),
        diagnosis=diagnoses[-1] if diagnoses else None,
        notes=tuple(_notes(scene, state, now)),
    )


def _says(scene: Scene, state: WatchState, name: str) -> Says:
    monitor = next(each for each in scene.monitors if each.name == name)
    kept = state.kept.get(name)
    if kept is not None and kept.mark == monitor.mark and kept.broken:
        return Says(standing=Standing.BROKEN, what=kept.broken, advice="put right what it names")
    held = resumed(monitor, kept)
    if held is None:
        return Says(standing=Standing.UNDECIDED, what="it begins with the next look: it is new, or made of other words")
    try:
        return monitor.says(held)
    except Exception as error:  # one monitor's trouble must not hide what the others say
        log.exception("the monitor %s of %s cannot say how it stands", name, scene.source.endpoint)
        return Says(standing=Standing.BROKEN, what=f"how it stands cannot be said: {type(error).__name__}")


def _notes(scene: Scene, state: WatchState, now: Micros | None) -> list[str]:
    notes = []
    if now is not None and scene.settled(now) - state.until > STALE:
        stands = f"nothing since {moment(state.until)} was looked at, so that all of this is as it was then"
        notes.append(f"{stands}: see that `headgate up` runs, and what `headgate alerts` and its log say")
    if state.late:
        says = "came after their hour was looked at; they are in the journal and in `headgate status`, not in here"
        notes.append(f"{state.late:,} inputs {says}")
    if state.version not in ("", scene.version):
        notes.append(f"{state.version} was in charge at the last look; what compares with a reference begins anew")
    return notes
