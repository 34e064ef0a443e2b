"""When a figure began to change, and how: at once, gradually, or off and on.

Asked after an alarm, with one number per period: a loss, a metric, a share. `change_point` first asks whether there is
a change at all (`order`), then which course describes it best and which beginnings do about as well (`courses`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.evaluation.weighted import ROUNDING
from headgate.monitors.attribution.courses import Course, beginnings, fits
from headgate.monitors.attribution.order import chance_of_none, leaning
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
"""Correlation of neighbouring periods from which chances are no longer what they say. Its standard error is 1 over the
root of their number (Bartlett 1946), so 60 that do not lean on each other reach it in one of 300 series."""


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
    """In units of `unit`, -1 to 1, so that no square of them is too large for a float."""
    weights: Floats
    unit: float
    """The largest value without its sign."""

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
    (Hinkley 1970; Antoch & Huskova 1999). Raises headgate.errors.BadInput for a `confidence` outside 0 to 1.

    >>> found = change_point(range(20), [0.1, 0.11] * 6 + [0.3, 0.31] * 4, [500] * 20)
    >>> found.course.value, found.began, found.earliest, found.latest
    ('sudden', 12, 11, 12)
    """
    if not 0.0 < confidence < 1.0:
        raise BadInput("confidence", "range", "confidence must lie between 0 and 1, such as 0.95")
    if wrong := _unreadable(starts, values, rows):
        return ChangePoint(course=Course.BROKEN, reasons=(wrong,))
    numbers = np.array([_number(each) for each in values])
    kept = np.flatnonzero(np.isfinite(numbers) & (np.asarray(rows) > 0))
    if len(kept) < FEWEST:
        few = f"periods with rows and a number: {len(kept)}; {FEWEST} are needed"
        return ChangePoint(course=Course.UNDECIDED, reasons=(few,))
    left_out = len(numbers) - len(kept)
    notes = (f"{left_out} of {len(numbers)} periods have no rows or no number and are left out",) if left_out else ()
    series = _series(starts, numbers, rows, kept)
    if float(np.ptp(series.values)) <= ROUNDING:
        return ChangePoint(course=Course.NONE, p_value=1.0, reasons=notes)
    random = np.random.default_rng(seed)
    p_value = chance_of_none(series.residuals, series.weights, random)
    if p_value > ERROR_RATE:
        return ChangePoint(course=Course.NONE, p_value=p_value, reasons=notes)
    found = _described(series, confidence, random)
    return msgspec.structs.replace(found, p_value=p_value, reasons=(*found.reasons, *notes))


def _described(series: Series, confidence: float, random: np.random.Generator) -> ChangePoint:
    """The course of a change that there is, and when it began."""
    best, next_best = fits(series.values, series.weights)[:2]
    reasons, course, contenders = [], best.course, [best]
    if next_best.criterion - best.criterion < CLEARLY:
        reasons.append(f"{best.course} and {next_best.course} describe it about as well")
        course, contenders = Course.UNDECIDED, [best, next_best]
    spans = [beginnings(series.values, series.weights, each, confidence, random) for each in contenders]
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    if (correlation := leaning(series.values - best.levels, series.weights)) > LEANING:
        reasons.append(f"neighbouring periods lean on each other (by {correlation:.2f}); chances are too small")
    return ChangePoint(
        course=course,
        began=Micros(series.starts[best.begin]),
        earliest=Micros(series.starts[low - 1]),
        latest=Micros(series.starts[high]),
        before=best.before * series.unit,
        after=best.after * series.unit,
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


def _number(value: float | None) -> float:
    """A value as a float, NaN for None and for a whole number that no float holds."""
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.nan


def _series(starts: Sequence[int], numbers: Floats, rows: Sequence[int], kept: NDArray[np.intp]) -> Series:
    """The periods that are kept, merged until there are at most `MOST`."""
    unit = float(np.abs(numbers[kept]).max()) or 1.0
    values, weights = numbers[kept] / unit, np.array([float(rows[place]) for place in kept])
    size = -(-len(kept) // MOST)
    firsts = np.arange(0, len(kept), size)
    if size > 1:
        sums, weights = np.add.reduceat(values * weights, firsts), np.add.reduceat(weights, firsts)
        values = sums / weights
    return Series(tuple(int(starts[kept[place]]) for place in firsts), values, weights, unit)
