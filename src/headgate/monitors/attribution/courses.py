"""Which course a change took, and when it may have begun: a step, a ramp, and spells, each fitted at its best.

`changepoint` asks once it is sure that there is a change.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.attribution.shapes import Templates, ramps, steps
from headgate.monitors.attribution.spells import paths

RESAMPLES: Final = 300
"""Series drawn anew from a fit; of so many the share beyond the quantile at 95 % has a standard error of 1.3 points."""
MOMENT: Final = 3
"""Parameters that the moment of a jump counts for, as so many could be it (Hall, Osborn & Sakkas 2013)."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One course fitted to a series."""

    course: Course
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


def fits(values: Floats, weights: Floats) -> list[Fit]:
    """A step, a ramp, and spells where there are any, each at its best; the best of them first."""
    found = [
        _shaped(Course.SUDDEN, steps(weights), values, weights, parameters=2 + MOMENT),
        _shaped(Course.GRADUAL, ramps(weights), values, weights, parameters=3 + MOMENT),
        *(_recurring(path, values, weights) for path in paths(values, weights, MOMENT)),
    ]
    found.sort(key=lambda each: each.criterion)
    return [each for place, each in enumerate(found) if each.course not in {one.course for one in found[:place]}]


def _shaped(course: Course, shapes: Templates, values: Floats, weights: Floats, parameters: int) -> Fit:
    place = int(np.argmax(shapes.explained(values, weights)))
    shape = shapes.shapes[place]
    design = np.column_stack((1 - shape, shape)) * np.sqrt(weights)[:, None]
    (before, after), *_ = np.linalg.lstsq(design, values * np.sqrt(weights), rcond=None)
    levels = before + (after - before) * shape
    criterion = _criterion(values, levels, weights, parameters)
    return Fit(course, criterion, int(shapes.begins[place]), len(values), levels, float(before), float(after))


def _recurring(path: NDArray[np.intp], values: Floats, weights: Floats) -> Fit:
    """Spells along a path: one level per state, and a moment per change."""
    changes = np.flatnonzero(np.diff(path)) + 1
    means = np.array([np.average(values[path == state], weights=weights[path == state]) for state in (0, 1)])
    criterion = _criterion(values, means[path], weights, 2 + MOMENT * len(changes))
    first = int(path[0])
    before, after = float(means[first]), float(means[1 - first])
    return Fit(Course.RECURRING, criterion, int(changes[0]), int(changes[1]), means[path], before, after)


def _criterion(values: Floats, levels: Floats, weights: Floats, parameters: int) -> float:
    count = len(values)
    squares = float((weights * (values - levels) ** 2).sum())
    # A fit without any error is no better than one that is off by a rounding error.
    smallest = 1e-12 * float((weights * (values - np.average(values, weights=weights)) ** 2).sum())
    return count * math.log(max(squares, smallest) / count) + parameters * math.log(count)


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
    shapes = ramps(weights) if fit.course is Course.GRADUAL else steps(weights)
    errors = (values - levels) * np.sqrt(weights)
    errors = (errors - errors.mean()) * math.sqrt(len(values) / max(1, len(values) - 3))
    drawn = random.choice(errors, size=(RESAMPLES, len(values))) / np.sqrt(weights)
    lacking = [float(each.max() - each[fit.begin]) for each in shapes.most(levels + drawn, weights)]
    found = shapes.most(values[None, :], weights)[0]
    kept = np.flatnonzero(found >= found.max() - float(np.quantile(lacking, confidence)))
    return int(min(kept[0], fit.begin)), int(max(kept[-1], fit.begin))
