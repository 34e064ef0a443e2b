"""Shapes of a change over periods, fitted by weighted least squares: a step, a ramp, and spells of another level.

`changepoint` is the only caller. Steps and ramps are templates, rows of a matrix; what a template explains of the sum
of squares is one product, so all of them are tried on all bootstrapped series at once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats

EDGE: Final = 2
"""Periods that every level, and every spell, lasts at least."""
RAMP: Final = 5
"""Periods that a ramp takes at least; a shorter one is a step."""
SHUFFLES: Final = 399
RESAMPLES: Final = 300
MOMENT: Final = 3
"""Parameters that the moment of a jump counts for, as so many could be it (Hall, Osborn & Sakkas 2013)."""
_ROUNDS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One course fitted to a series."""

    course: str
    criterion: float
    """Schwarz's criterion (1978), n ln(RSS / n) + parameters x ln n; lower is better."""
    begin: int
    """First period that is different."""
    end: int
    """First period after which the beginning cannot lie: where a spell ends, or the number of periods."""
    levels: Floats
    """What it says of every period."""
    before: float
    after: float


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Shapes from 0 to 1, centred and scaled so that a product with the weighted values is what they explain."""

    begins: NDArray[np.intp]
    shapes: Floats
    """(templates, periods), from 0 before the change to 1 after it."""
    scaled: Floats

    def explained(self, values: Floats, weights: Floats) -> Floats:
        """Sum of squares that each template explains, of one series or, row by row, of several."""
        squares: Floats = ((values * weights) @ self.scaled.T) ** 2
        return squares


def templates(begins: NDArray[np.intp], lengths: NDArray[np.intp], weights: Floats) -> Templates:
    """Ramps that begin before period `begins` and take so many periods; of one period they are steps."""
    periods = np.arange(len(weights))
    shapes = np.clip((periods - begins[:, None] + 1) / lengths[:, None], 0.0, 1.0)
    centred = shapes - ((shapes @ weights) / weights.sum())[:, None]
    norms = np.sqrt((centred**2) @ weights)
    return Templates(begins, shapes, centred / norms[:, None])


def steps(weights: Floats) -> Templates:
    """Every step that leaves `EDGE` periods on either side."""
    begins = np.arange(EDGE, len(weights) - EDGE + 1)
    return templates(begins, np.ones(len(begins), np.intp), weights)


def ramps(weights: Floats) -> Templates:
    """Every ramp of `RAMP` periods or more that begins after `EDGE` periods and ends before the last."""
    count = len(weights)
    pairs = [(begin, length) for begin in range(EDGE, count - RAMP) for length in range(RAMP, count - begin)]
    begins, lengths = np.array(pairs, np.intp).T
    return templates(begins, lengths, weights)


def chance_of_none(residuals: Floats, weights: Floats, random: np.random.Generator) -> float:
    """Chance of as much order as there is, if periods are exchangeable; `residuals` are of one variance.

    Two things are looked at, in the series and in `SHUFFLES` shuffled ones: the stretch that differs most from the rest
    (Olshen, Venkatraman, Lucito & Wigler 2004), which sees a change that stays, and how alike neighbours are (von
    Neumann 1941), which sees what comes and goes. The chance is twice the smaller of the two (Bonferroni).
    """
    shuffled = random.permuted(np.tile(residuals, (SHUFFLES + 1, 1)), axis=1)
    shuffled[0] = residuals
    alike = (shuffled[:, 1:] * shuffled[:, :-1]).sum(axis=1)
    return min(1.0, 2 * min(_rank(_most_different(shuffled, weights)), _rank(alike)))


def _rank(measures: Floats) -> float:
    """Share of series that measure no less than the first; equal up to rounding is no less."""
    slack = 1e-9 * abs(float(measures[0]))
    return float((measures >= measures[0] - slack).mean())


def _most_different(residuals: Floats, weights: Floats) -> Floats:
    """The largest sum of squares between any stretch and the rest, series by row."""
    weighted = residuals * np.sqrt(weights)
    weighted -= weights * (weighted.sum(axis=1, keepdims=True) / weights.sum())
    sums = np.pad(np.cumsum(weighted, axis=1), ((0, 0), (1, 0)))
    masses = np.pad(np.cumsum(weights), (1, 0))
    firsts, lasts = _stretches(len(weights))
    inside = masses[lasts] - masses[firsts]
    largest: Floats = ((sums[:, lasts] - sums[:, firsts]) ** 2 / (inside * (1 - inside / masses[-1]))).max(axis=1)
    return largest


def _stretches(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First period of every stretch and the first one behind it, `EDGE` periods or more inside and outside."""
    firsts, lasts = np.triu_indices(count + 1, EDGE)
    wanted = lasts - firsts <= count - EDGE
    return firsts[wanted], lasts[wanted]


def fits(values: Floats, weights: Floats) -> list[Fit]:
    """A step, a ramp, and spells where there are any, each at its best."""
    found = [
        _best("sudden", steps(weights), values, weights, parameters=2 + MOMENT),
        _best("gradual", ramps(weights), values, weights, parameters=3 + MOMENT),
    ]
    spells = _spells(values, weights)
    return found if spells is None else [*found, spells]


def _best(course: str, shapes: Templates, values: Floats, weights: Floats, parameters: int) -> Fit:
    place = int(np.argmax(shapes.explained(values, weights)))
    shape = shapes.shapes[place]
    design = np.column_stack((1 - shape, shape)) * np.sqrt(weights)[:, None]
    (before, after), *_ = np.linalg.lstsq(design, values * np.sqrt(weights), rcond=None)
    levels = before + (after - before) * shape
    criterion = _criterion(values, levels, weights, parameters)
    return Fit(course, criterion, int(shapes.begins[place]), len(values), levels, float(before), float(after))


def _criterion(values: Floats, levels: Floats, weights: Floats, parameters: int) -> float:
    count = len(values)
    squares = float((weights * (values - levels) ** 2).sum())
    # A fit without any error is no better than one that is off by a rounding error.
    smallest = 1e-12 * float((weights * (values - np.average(values, weights=weights)) ** 2).sum())
    return count * math.log(max(squares, smallest) / count) + parameters * math.log(count)


def _spells(values: Floats, weights: Floats) -> Fit | None:
    """Two levels between which the series goes back and forth, if it does: alternately the path and the levels.

    The path is the cheapest for squared errors and a price per change (Viterbi), the price being what Schwarz's
    criterion asks for one more parameter. None unless the first level comes back, and every spell lasts.
    """
    best = None
    for quantile in (0.1, 0.25, 0.4):
        path = _path(values, weights, np.quantile(values, (quantile, 1 - quantile)))
        changes = np.flatnonzero(np.diff(path)) + 1
        lengths = np.diff(np.concatenate(([0], changes, [len(values)])))
        if len(changes) < 2 or int(lengths.min()) < EDGE:
            continue
        means = [float(np.average(values[path == state], weights=weights[path == state])) for state in (0, 1)]
        levels = np.array(means)[path]
        criterion = _criterion(values, levels, weights, 2 + MOMENT * len(changes))
        if best is None or criterion < best.criterion:
            first = int(path[0])
            begin, end = int(changes[0]), int(changes[1])
            best = Fit("recurring", criterion, begin, end, levels, means[first], means[1 - first])
    return best


def _path(values: Floats, weights: Floats, levels: Floats) -> NDArray[np.intp]:
    path = np.zeros(len(values), np.intp)
    for _ in range(_ROUNDS):
        costs = weights[:, None] * (values[:, None] - levels) ** 2
        noise = float(np.minimum(costs[:, 0], costs[:, 1]).mean())
        before, path = path, cheapest(costs, price=noise * math.log(len(values)) * 2)
        if len(np.unique(path)) < 2 or bool((path == before).all()):
            break
        levels = np.array([np.average(values[path == state], weights=weights[path == state]) for state in (0, 1)])
    return path


def cheapest(costs: Floats, price: float) -> NDArray[np.intp]:
    """The state of each period, 0 or 1, on the path that costs least, at a price per change of state.

    >>> cheapest(np.array([[0.0, 9.0], [1.0, 0.0], [0.0, 9.0]]), price=2.0).tolist()
    [0, 0, 0]
    """
    low, high = costs[0].tolist()
    came = []
    # Plain floats: in a loop over periods they are ten times as fast as arrays of two.
    for to_low, to_high in costs[1:].tolist():
        came.append((low > high + price, high <= low + price))
        low, high = min(low, high + price) + to_low, min(high, low + price) + to_high
    path = [int(high < low)]
    for from_high in reversed(came):
        path.append(int(from_high[path[-1]]))
    return np.array(path[::-1], np.intp)


def beginnings(
    values: Floats, weights: Floats, fit: Fit, confidence: float, random: np.random.Generator
) -> tuple[int, int]:
    """The first and the last period at which the change may have begun.

    A beginning is kept while the best template that begins there explains less than the best of all by no more than
    the true one does in `confidence` of the series resampled from the fit's residuals. Of spells only the first is
    looked at, as a step.
    """
    shown = slice(0, fit.end)
    values, weights, levels = values[shown], weights[shown], fit.levels[shown]
    shapes = ramps(weights) if fit.course == "gradual" else steps(weights)
    errors = (values - levels) * np.sqrt(weights)
    errors = (errors - errors.mean()) * math.sqrt(len(values) / max(1, len(values) - 3))
    drawn = random.choice(errors, size=(RESAMPLES, len(values))) / np.sqrt(weights)
    profile = _profile(shapes, len(values))
    lacking = [float(each.max() - each[fit.begin]) for each in profile(shapes.explained(levels + drawn, weights))]
    found = profile(shapes.explained(values[None, :], weights))[0]
    kept = np.flatnonzero(found >= found.max() - float(np.quantile(lacking, confidence)))
    return int(min(kept[0], fit.begin)), int(max(kept[-1], fit.begin))


def _profile(shapes: Templates, count: int) -> Callable[[Floats], Floats]:
    """From what every template explains to the most that any beginning at each period does; series by row."""

    def most(explained: Floats) -> Floats:
        found = np.full((len(explained), count + 1), -np.inf)
        starts = np.flatnonzero(np.diff(shapes.begins, prepend=-1))
        found[:, shapes.begins[starts]] = np.maximum.reduceat(explained, starts, axis=1)
        return found

    return most


def leaning(errors: Floats, weights: Floats) -> float:
    """Correlation of neighbouring errors, -1 to 1; 0 where there are none.

    >>> leaning(np.array([1.0, -1.0, 1.0, -1.0]), np.ones(4))
    -0.75
    """
    scaled = errors * np.sqrt(weights)
    squares = float((scaled**2).sum())
    return float((scaled[1:] * scaled[:-1]).sum()) / squares if squares > 0 else 0.0
