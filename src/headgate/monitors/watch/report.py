"""How an endpoint is watched and how it stands, as one value: `headgate monitor`, its JSON and its page."""

import msgspec

from headgate.monitors.standing import BY_URGENCY, Standing
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.monitor import Says
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import WatchState
from headgate.monitors.watch.tick import resumed
from headgate.vocabulary import Micros


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
    days: tuple[Day, ...] = ()
    """Oldest first, and by version."""
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
) -> Monitored:
    """What is known of an endpoint after the last look at it."""
    found = Monitored(
        project=scene.source.project,
        endpoint=scene.source.endpoint,
        version=scene.version,
        false_alarms=false_alarms,
        price_per_cpu_hour=price_per_cpu_hour,
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
        notes=tuple(_notes(scene, state)),
    )


def _says(scene: Scene, state: WatchState, name: str) -> Says:
    monitor = next(each for each in scene.monitors if each.name == name)
    kept = state.kept.get(name)
    held = resumed(monitor, kept)
    if held is None or kept is None:
        return Says(standing=Standing.UNDECIDED, what="it begins with the next look: it is new, or made of other words")
    if kept.broken:
        return Says(standing=Standing.BROKEN, what=kept.broken, advice="put right what it names")
    return monitor.says(held)


def _notes(scene: Scene, state: WatchState) -> list[str]:
    notes = []
    if state.late:
        says = "came after their hour was looked at; they are in the journal and in `headgate status`, not in here"
        notes.append(f"{state.late:,} inputs {says}")
    if state.version not in ("", scene.version):
        notes.append(f"{state.version} was in charge at the last look; what compares with a reference begins anew")
    return notes
