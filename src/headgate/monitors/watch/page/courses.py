"""What an endpoint did over days, as courses of a plot, version by version; days without a row are gaps in them."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headgate.evaluation.estimate import Estimate
from headgate.monitors.watch.days import Day, date_of
from headgate.pages.parts import Line
from headgate.vocabulary import DAY, Micros

DRAWN: Final = 4
"""Versions with courses of their own: those with most inputs."""
NOBODY: Final = "nobody"
"""Who answered what nobody did."""
_LARGEST: Final = 1e100
"""A figure beyond it is told in the table and not drawn."""
Said = Callable[[float], str]
"""How a number is written."""


@dataclass(frozen=True, slots=True)
class Days:
    """The days of an endpoint, laid out to be drawn."""

    starts: tuple[Micros, ...]
    """Every day from the first to the last, those on which nothing happened too."""
    versions: tuple[str, ...]
    """Those that are drawn, those with most inputs first."""
    left_out: tuple[str, ...]
    """The other versions."""
    kept: Mapping[tuple[Micros, str], Day]

    @classmethod
    def of(cls, days: Sequence[Day]) -> "Days":
        """Laid out; of no day there are no places.

        >>> monday, thursday = Day(version="m:1", start=Micros(0)), Day(version="m:1", start=Micros(3 * DAY))
        >>> Days.of([monday, thursday]).dates
        ('1970-01-01', '1970-01-02', '1970-01-03', '1970-01-04')
        """
        starts = [each.start for each in days]
        whole = tuple(Micros(each) for each in range(min(starts), max(starts) + 1, DAY)) if starts else ()
        volumes: dict[str, int] = {}
        for each in days:
            volumes[each.version] = volumes.get(each.version, 0) + each.volume
        named = sorted((each for each in volumes if each), key=lambda each: (-volumes[each], each))
        kept = {(each.start, each.version): each for each in days}
        return cls(whole, tuple(named[:DRAWN]), tuple(named[DRAWN:]), kept)

    @property
    def dates(self) -> tuple[str, ...]:
        """The places of a plot."""
        return tuple(map(date_of, self.starts))

    def line(self, version: str, read: Callable[[Day], float | None], name: str = "") -> Line:
        """What `read` finds of each day of a version."""
        found = [self.kept.get((start, version)) for start in self.starts]
        return Line(name or version, tuple(None if day is None else drawn(read(day)) for day in found))

    def figure(self, version: str, metric: str) -> Line:
        """A metric of each day of a version, with its intervals."""
        found = [self.kept.get((start, version)) for start in self.starts]
        figures = [None if day is None else day.figures.get(metric) for day in found]
        values = tuple(None if each is None else drawn(each.value) for each in figures)
        ends = tuple(map(_ends, figures))
        return Line(version, values, ends if any(ends) else ())

    def total(self, name: str, read: Callable[[Sequence[Day]], float | None]) -> Line:
        """What `read` finds of all versions of each day together."""
        by_day: dict[Micros, list[Day]] = {start: [] for start in self.starts}
        for (start, _), day in self.kept.items():
            by_day[start].append(day)
        return Line(name, tuple(drawn(read(days)) if days else None for days in by_day.values()))


def drawn(value: float | None) -> float | None:
    """The number, if it can be drawn.

    >>> drawn(1.5), drawn(float("nan")), drawn(None)
    (1.5, None, None)
    """
    return value if value is not None and math.isfinite(value) and abs(value) <= _LARGEST else None


def told(lines: Iterable[Line], dates: Sequence[str], said: Said) -> str:
    """What is to be seen of some courses, each in a sentence.

    >>> told([Line("m:1", (3.0, None, 5.0))], ("Mon", "Tue", "Wed"), str)
    'm:1: 5.0 on Wed, 3.0 to 5.0 on 2 days.'
    """
    sentences = []
    for line in lines:
        known = [(date, value) for date, value in zip(dates, line.values, strict=True) if value is not None]
        date, last = known[-1]
        values = [value for _, value in known]
        spread = f", {said(min(values))} to {said(max(values))} on {len(values)} days" if len(values) > 1 else ""
        sentences.append(f"{line.name}: {said(last)} on {date}{spread}.")
    return " ".join(sentences)


def _ends(found: Estimate | None) -> tuple[float, float] | None:
    low, high = (None, None) if found is None else (drawn(found.low), drawn(found.high))
    return None if low is None or high is None else (low, high)
