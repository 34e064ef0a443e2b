"""When a figure began to change, and how: at once, gradually, or off and on.

Asked after an alarm, with one number per period: a loss, a metric, a share. `change_point` first asks whether there is
a change at all, then which course describes it best (`courses`), then which beginnings describe it about as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.monitors import courses
from headgate.vocabulary import Micros

FEWEST: Final = 8
"""Periods with rows below which nothing is said."""
MOST: Final = 120
"""Periods that are told apart; more are merged, neighbours with neighbours."""
ERROR_RATE: Final = 0.01
"""How often a change may be seen where there is none."""
CLEARLY: Final = 2.0
"""By how much the best course must beat the next by Schwarz's criterion: some evidence (Kass & Raftery 1995)."""
LEANING: Final = 0.35
"""Correlation of neighbouring periods from which chances are no longer what they say."""


class Course(StrEnum):
    """How a figure changed."""

    NONE = "none"
    SUDDEN = "sudden"
    """From one period to the next, and it stayed."""
    GRADUAL = "gradual"
    """Over five periods or more, in a line."""
    RECURRING = "recurring"
    """It went to another level and came back, once or more often."""
    UNDECIDED = "undecided"
    """Too little to tell, or two courses describe it about as well; then the interval holds the beginnings of both."""
    BROKEN = "broken"
    """The periods cannot be read; the reasons say why."""


class ChangePoint(msgspec.Struct, frozen=True, kw_only=True):
    """When a figure began to change and how; without a moment where no change is seen."""

    course: Course
    began: Micros | None = None
    """Start of the first period that is different."""
    earliest: Micros | None = None
    """Lower bound of the interval: the start of the last period that may still have been as before."""
    latest: Micros | None = None
    before: float | None = None
    """Level before the change."""
    after: float | None = None
    """Level after it; where it recurs, the level that comes and goes."""
    p_value: float | None = None
    """Chance of as large a change where there is none; None without periods to tell."""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Periods with rows, in order; noise has one variance per unit of weight."""

    starts: tuple[int, ...]
    values: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.values)

    @property
    def residuals(self) -> Floats:
        """Distances from the mean, of one variance where nothing changes."""
        centred: Floats = (self.values - np.average(self.values, weights=self.weights)) * np.sqrt(self.weights)
        return centred


def change_point(
    starts: Sequence[int],
    values: Sequence[float | None],
    rows: Sequence[int],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> ChangePoint:
    """When and how the mean of a figure changed, from one value per period.

    `starts` are moments in microseconds, ascending; `rows` says how many rows a value is the mean of, and a period
    without any, or whose value is no number, is left out. A change that is not there is seen once in a hundred times
    at most if periods are exchangeable; where neighbours lean on each other the reasons say so. The interval is the
    hull of all beginnings that are not rejected at `confidence` by a likelihood ratio with a bootstrapped bound
    (Hinkley 1970; Antoch & Huskova 1999).

    >>> found = change_point(range(20), [0.1, 0.11] * 6 + [0.3, 0.31] * 4, [500] * 20)
    >>> found.course.value, found.began, found.earliest, found.latest
    ('sudden', 12, 11, 12)
    """
    if wrong := _unreadable(starts, values, rows):
        return ChangePoint(course=Course.BROKEN, reasons=(wrong,))
    series = _series(starts, values, rows)
    if len(series) < FEWEST:
        few = f"{len(series)} periods have rows; {FEWEST} are needed"
        return ChangePoint(course=Course.UNDECIDED, reasons=(few,))
    if float(np.ptp(series.values)) == 0.0:
        return ChangePoint(course=Course.NONE, p_value=1.0)
    random = np.random.default_rng(seed)
    p_value = courses.chance_of_none(series.residuals, series.weights, random)
    if p_value > ERROR_RATE:
        return ChangePoint(course=Course.NONE, p_value=p_value)
    return _described(series, p_value, confidence, random)


def _described(series: Series, p_value: float, confidence: float, random: np.random.Generator) -> ChangePoint:
    fits = courses.fits(series.values, series.weights)
    best, next_best = sorted(fits, key=lambda each: each.criterion)[:2]
    reasons, course, contenders = [], Course(best.course), [best]
    if next_best.criterion - best.criterion < CLEARLY:
        reasons.append(f"{best.course} and {next_best.course} describe it about as well")
        course, contenders = Course.UNDECIDED, [best, next_best]
    spans = [courses.beginnings(series.values, series.weights, each, confidence, random) for each in contenders]
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    if (leaning := courses.leaning(series.values - best.levels, series.weights)) > LEANING:
        reasons.append(f"neighbouring periods lean on each other (correlation {leaning:.2f}); chances are too small")
    return ChangePoint(
        course=course,
        began=Micros(series.starts[best.begin]),
        earliest=Micros(series.starts[low - 1]),
        latest=Micros(series.starts[high]),
        before=best.before,
        after=best.after,
        p_value=p_value,
        reasons=tuple(reasons),
    )


def _unreadable(starts: Sequence[int], values: Sequence[float | None], rows: Sequence[int]) -> str:
    if not len(starts) == len(values) == len(rows):
        return f"there are {len(starts)} starts, {len(values)} values and {len(rows)} counts of rows"
    if any(later <= earlier for earlier, later in pairwise(starts)):
        return "time goes backwards: a period starts no later than the one before it"
    if any(each < 0 for each in rows):
        return "a period has fewer than no rows"
    return ""


def _series(starts: Sequence[int], values: Sequence[float | None], rows: Sequence[int]) -> Series:
    """The periods with rows and a number, merged until there are at most `MOST`."""
    told = np.array([np.nan if each is None else each for each in values], np.float64)
    kept = np.flatnonzero(np.isfinite(told) & (np.asarray(rows) > 0)).tolist()
    moments = [int(starts[place]) for place in kept]
    numbers = told[kept]
    weights = np.array([float(rows[place]) for place in kept])
    size = -(-len(kept) // MOST) if kept else 1
    firsts = np.arange(0, len(kept), size)
    if size > 1:
        sums, weights = np.add.reduceat(numbers * weights, firsts), np.add.reduceat(weights, firsts)
        numbers = sums / weights
    return Series(tuple(moments[place] for place in firsts), numbers, weights)
