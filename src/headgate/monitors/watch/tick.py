"""One tick of a watch: what is new is handed to every monitor, portion by portion. Read `tick` first.

Portions are whole hours and whole days of event time, so whoever ticks however often, and after however many restarts,
hands over the same portions and is told the same. `running` holds the monitors meanwhile.
"""

from dataclasses import dataclass

import msgspec
import pyarrow as pa

from headgate.journal.reader import Reader
from headgate.monitors.watch.days import Day, days_of, joined, labelled, measured
from headgate.monitors.watch.mature import matured
from headgate.monitors.watch.monitor import Reads, Told
from headgate.monitors.watch.running import Running
from headgate.monitors.watch.scene import Scene, Stage
from headgate.monitors.watch.state import WatchState
from headgate.vocabulary import DAY, Micros


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick came to: all of it is kept, or nothing."""

    state: WatchState
    days: list[Day]
    """What is added to each day."""
    told: list[Told]
    """What is no longer watched is over first; the rest as it was found."""


def tick(scene: Scene, state: WatchState, answered: pa.Table, reader: Reader, stage: Stage) -> Ticked:
    """Hand over what `state` has not, as far as `stage`: hours with the inputs `answered`, and days with their labels.

    Raises Unavailable where the journal is rearranged all the time.
    """
    monitors = Running(scene, state)
    days: list[Day] = []
    for hour in scene.hours(answered, state.until, stage.until):
        monitors.hand_over(Reads.ANSWERS, hour)
        days += days_of(hour, replayed=scene.replayed)
    for start in range(state.matured, stage.matured, DAY):
        days += _mature(scene, monitors, reader, Micros(start))
    after = msgspec.structs.replace(
        state, until=stage.until, matured=stage.matured, version=scene.version, kept=monitors.kept()
    )
    found = sorted(monitors.told, key=lambda each: each.at)
    return Ticked(after, joined(days), [*monitors.ended, *found])


def _mature(scene: Scene, monitors: Running, reader: Reader, start: Micros) -> list[Day]:
    """Hand over the day that begins at `start`, whose labels are due; returns what they say of each version."""
    rows = matured(reader, scene.source, start, scene.maturity_s)
    day = scene.day(rows, start)
    monitors.hand_over(Reads.LABELS, day)
    others = [labelled(start, each, window) for each, window in scene.others(rows)]
    return [*measured(day, scene.version), *others]
