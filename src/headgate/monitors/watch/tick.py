"""One tick of a watch: what is new is handed to every monitor, portion by portion. Read `tick` first.

Portions are whole hours and whole days of event time, so whoever ticks however often, and after however many restarts,
hands over the same rows in the same order and is told the same. `running` holds the monitors meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

import msgspec
import pyarrow as pa

from headgate.journal.reader import Reader
from headgate.monitors.watch.days import Day, days_of, joined, labelled, measured
from headgate.monitors.watch.mature import matured
from headgate.monitors.watch.monitor import Portion, Span, Told
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
    hours = scene.hours(answered, state.until, stage.until)
    # By when each is ripe, hours first: whoever looks seldom hands over in the order of whoever looks often.
    for portion in merge(hours, _days(scene, reader, state.matured, stage.matured), key=lambda each: each.ripe):
        monitors.hand_over(portion)
        match portion.span:
            case Span.HOURS:
                days += days_of(portion, replayed=scene.replayed)
            case Span.DAY:
                days += _said(scene, portion)
    after = msgspec.structs.replace(
        state, until=stage.until, matured=stage.matured, version=scene.version, kept=monitors.kept()
    )
    found = sorted(monitors.told, key=lambda each: each.at)
    return Ticked(after, joined(days), [*monitors.ended, *found])


def _days(scene: Scene, reader: Reader, start: Micros, end: Micros) -> Iterator[Portion]:
    """The days from `start` to `end` with their labels."""
    for each in range(start, end, DAY):
        yield scene.day(matured(reader, scene.source, Micros(each), scene.maturity_s), Micros(each))


def _said(scene: Scene, day: Portion) -> list[Day]:
    """What the labels of a day say of each version."""
    others = [labelled(day.start, each, window) for each, window in scene.others(day.table)]
    return [*measured(day, scene.version), *others]
