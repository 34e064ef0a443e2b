"""What of an endpoint must be known to watch it, made of its file and its registry by whoever composes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Output
from headgate.evaluation.report import Report
from headgate.monitors.columns import columns, named
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.mature import due
from headgate.monitors.watch.monitor import AnyMonitor, Portion, Span
from headgate.monitors.windows import Window, windows
from headgate.vocabulary import DAY, HOUR, SECOND, Micros

CATCH_UP: Final = Micros(2 * DAY)
"""Who is farther behind goes on a day at a time: no more is held at once, nor lost by whoever is killed."""
SLACK: Final = Micros(30 * SECOND)
"""How long beyond its deadline an input is waited for: commits, and clocks of several hosts."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How far one look goes."""

    until: Micros
    """Hours before it are handed over with what callers were answered."""
    matured: Micros
    """Days before it are handed over with their labels."""
    whole: bool = True
    """Whether that is all there is by now."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One endpoint as it is watched."""

    source: Source
    version: str
    """Who is in charge, ``model:number``."""
    output: Output
    monitors: tuple[AnyMonitor, ...] = ()
    reference: Report | None = None
    """What the evaluation of the version in charge measured."""
    maturity_s: float = 0.0
    deadline_ms: int = 10_000
    replayed: bool = False
    """Whether its clock stands still until somebody moves it: then everything before is readable at once."""

    def settled(self, now: Micros) -> Micros:
        """Before which moment everything is readable."""
        return Micros(now - self._lag)

    def answered_until(self, now: Micros) -> Micros:
        """The end of the last hour that is over and settled."""
        return Micros(self.settled(now) // HOUR * HOUR)

    def matured_until(self, now: Micros) -> Micros:
        """The end of the last day whose labels are due and settled."""
        return Micros((self.settled(now) - round(self.maturity_s * SECOND)) // DAY * DAY)

    def stage(self, until: Micros, mature: Micros, now: Micros) -> Stage:
        """How far a look at `now` goes, that begins behind hours before `until` and days before `mature`.

        Never back: where the clock was, nothing is handed over before it has come so far again.
        """
        hours, days = self.answered_until(now), self.matured_until(now)
        waits = round(self.maturity_s * SECOND)
        first = min(until + HOUR, mature + DAY + waits)
        if self.settled(now) - first > CATCH_UP:
            # To the same moment for both: hours and days are handed over in the order in which they were ripe.
            then = -(-first // DAY) * DAY
            hours, days = Micros(then), Micros((then - waits) // DAY * DAY)
        found = Stage(max(until, hours), max(mature, days))
        whole = found.until >= self.answered_until(now) and found.matured >= self.matured_until(now)
        return Stage(found.until, found.matured, whole)

    def next_of(self, until: Micros, mature: Micros) -> tuple[Micros, Micros]:
        """When the hour behind `until` can be handed over, and when the day behind `mature` with its labels."""
        mature_later = DAY + round(self.maturity_s * SECOND)
        return Micros(until + HOUR + self._lag), Micros(mature + mature_later + self._lag)

    @property
    def _lag(self) -> int:
        """How long after it is over an hour can still change."""
        return 0 if self.replayed else SLACK + self.deadline_ms * 1000

    def hours(self, table: pa.Table, start: Micros, end: Micros) -> Iterator[Portion]:
        """The rows of `table`, which are by moment, from `start` to `end`, by the hour and the hours of a day together.

        Of those without rows only the last of a day are told, so that whoever waits for something hears of the time.
        """
        whole = columns(table, self.output, self.source.version)

        def portion(span: Span, begins: int, ends: int) -> Iterator[Portion]:
            low, high = np.searchsorted(whole.at, (begins, ends)).tolist()
            if low < high or ends % DAY == 0:
                rows, own = table.slice(low, high - low), whole.take(slice(low, high))
                yield Portion(span, Micros(begins), Micros(ends), Micros(ends), own, rows)

        for hour in range(start, end, HOUR):
            ends = hour + HOUR
            yield from portion(Span.HOUR, hour, ends)
            if ends % DAY == 0 or ends >= end:
                yield from portion(Span.HOURS, max(start, hour // DAY * DAY), ends)

    def day(self, table: pa.Table, start: Micros) -> Portion:
        """The rows of `table`, those of the day that begins at `start`, with what their labels say."""
        found = windows(table, self.output, every="day", version=self.version, reference=self.reference)
        own = columns(table, self.output, self.source.version)
        ripe = due(start, self.maturity_s)
        return Portion(Span.DAY, start, Micros(start + DAY), ripe, own, table, found[0] if found else None)

    def others(self, table: pa.Table) -> Iterator[tuple[str, Window]]:
        """What each version but the one in charge did on the day whose rows are in `table`, as far as labels are due.

        One that is in charge no more answered the days before it went: their labels are due afterwards.
        """
        for version in named(table["assigned"])[1]:
            if version != self.version:
                found = windows(table, self.output, every="day", version=version)
                yield from ((version, each) for each in found if each.due)
