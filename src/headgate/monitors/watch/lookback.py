"""Looks back at what happened since an alarm: chooses the rows on both sides, reads them, and asks for a diagnosis.

The reference of the metrics are the first days that the version answered outside of what was found wrong: rows that it
was not fitted on, as the window's are. Where there are too few of them it is the rows that it was registered with.
Fields are compared with those in any case. What is read depends on what was handed over and on nothing else, so that
whoever looks, and after however many restarts, says the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Kind
from headgate.journal.reader import Reader
from headgate.monitors.attribution.samples import FEWEST
from headgate.monitors.columns import moments
from headgate.monitors.diagnosis.diagnosis import Against, Diagnosis, Question, diagnose
from headgate.monitors.diagnosis.kept import LONGEST, Diagnosed
from headgate.monitors.diagnosis.sides import Chosen, Side, side_of
from headgate.monitors.watch.days import Day, date_of, day_of
from headgate.monitors.watch.feed import COLUMNS
from headgate.monitors.watch.mature import EARLIEST
from headgate.monitors.watch.scene import Scene
from headgate.vocabulary import DAY, SECOND, Micros

ROWS: Final = 5_000
"""Rows of either side that are looked at, unless more are asked for."""
READ: Final = 200_000
"""Inputs that are read of either side at most, of whole days and one day at least."""
BEFORE: Final = 60
"""Days before the window whose figures say when a change began."""


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """What the package of the version in charge knows of its rows."""

    kinds: Mapping[str, Kind]
    """The fields that may be looked at, and what each holds."""
    side: Side | None = None
    """Its reference rows and what the model said of them; None where they were taken away."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which inputs are looked at."""

    start: Micros
    """A day's beginning."""
    end: Micros
    matured: Micros
    """Labels of days before it are due."""
    known: Micros
    """Labels that were there by then count."""
    metric: str = ""
    rows: int = ROWS

    @property
    def recent(self) -> "Window":
        """The last `LONGEST` days of it with labels, and what came since."""
        return replace(self, start=max(self.start, Micros(self.matured - LONGEST * DAY)))


@dataclass(frozen=True, slots=True, eq=False)
class Lookback:
    """One endpoint's journal, as it is looked back on."""

    scene: Scene
    registered: Registered
    reader: Reader

    def at(self, window: Window, days: Sequence[Day], episodes: Sequence[Diagnosed]) -> Diagnosis:
        """What has changed in the window, as far as was known then.

        `days` are those of the endpoint, by day; `episodes` what was found wrong of it before, which is no reference.
        Raises Unavailable where the journal is rearranged all the time.
        """
        scene = self.scene
        mine = [each for each in days if each.version == scene.version]
        window = replace(window, start=_start(mine, window))
        served = self._served(_reference(mine, episodes, window), window)
        side = self.registered.side
        package = None if side is None else Against(side, f"the rows that {scene.version} was registered with")
        fitted = f"the rows that {scene.version} was fitted on, where it is better than on others"
        # The model's own rows flatter it: they stand in only where it answered too few others.
        flattering = Against(side, fitted) if side is not None and side.labelled else None
        asked = Question(
            version=scene.version,
            task=scene.output.task,
            start=window.start,
            end=window.end,
            matured=window.matured,
            known=window.known,
            kinds=self.registered.kinds,
            metric=window.metric,
        )
        around = [(each.start, each.figures) for each in mine if each.start - window.start >= -BEFORE * DAY]
        figures = [(start, found) for start, found in around if start < window.matured]
        now = self._side(window, (window.start, window.end))
        return diagnose(asked, now, served or flattering, package or served, figures)

    def _served(self, days: Sequence[Day], window: Window) -> Against | None:
        """The rows of the days that are the reference; None where too few of them have a label."""
        if sum(each.labelled for each in days) < FEWEST:
            return None
        starts = [each.start for each in days]
        span = starts[0], Micros(starts[-1] + DAY)
        side = self._side(replace(window, matured=window.start), span, starts)
        if len(side.sample.rows) < FEWEST:
            return None
        words = f"the first {len(days)} days that {self.scene.version} answered without an alarm"
        return Against(side, f"{words}, {date_of(starts[0])} to {date_of(starts[-1])}")

    def _side(self, window: Window, span: tuple[Micros, Micros], days: Sequence[Micros] | None = None) -> Side:
        """The rows of the version in a span of time; of some `days` of it, if they are named."""
        source, (start, end) = self.scene.source, span
        table = self.reader.joined(
            source.project,
            source.endpoint,
            start=start,
            end=end,
            as_of=Micros(window.known - 1),
            labels_since=Micros(start - EARLIEST),
            roles=source.roles,
            columns=COLUMNS,
        )
        if days is not None:
            table = table.filter(pa.array(np.isin(moments(table["at"]) // DAY, [each // DAY for each in days])))
        features = self.reader.features(source.project, source.endpoint, start=start, end=end)
        chosen = Chosen(self.scene.version, tuple(self.registered.kinds), window.matured, window.rows)
        return side_of(table, features, self.scene.output, chosen)


def _start(days: Sequence[Day], window: Window) -> Micros:
    """The first of the last days of the window that have no more inputs together than are read."""
    within = [each for each in reversed(days) if window.start <= each.start < window.end]
    read = _as_many(within)
    return window.start if len(read) == len(within) else read[-1].start


def _reference(days: Sequence[Day], episodes: Sequence[Diagnosed], window: Window) -> Sequence[Day]:
    """The first days with labels before the window, without those that were part of an episode."""
    spans = [(each.began, each.end) for each in episodes]
    before = [each for each in days if each.labelled and each.start < window.start]
    good = [each for each in before if not any(low <= each.start < high for low, high in spans)]
    return _as_many(good[:LONGEST])


def _as_many(days: Sequence[Day]) -> Sequence[Day]:
    """As many from the first on as have no more inputs than are read; one at least."""
    totals = accumulate(each.volume for each in days)
    return days[: max(1, sum(total <= READ for total in totals))]


def begins(moment: Micros, scene: Scene, *, by_labels: bool) -> Micros:
    """The day that an alert of `moment` is about: of labels, the one whose labels were due then.

    >>> from headgate.contracts.contract import Output
    >>> from headgate.monitors.watch.feed import Source
    >>> from headgate.vocabulary import HOUR, Role, Task
    >>> scene = Scene(Source("default", "late", (Role.LIVE,)), "late:1", Output(Task.BINARY), maturity_s=3600)
    >>> [begins(Micros(2 * DAY + HOUR), scene, by_labels=each) // DAY for each in (True, False)]
    [1, 2]
    """
    behind = DAY + round(scene.maturity_s * SECOND) if by_labels else 0
    return day_of(Micros(moment - behind))
