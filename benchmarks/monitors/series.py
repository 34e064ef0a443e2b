"""A share measured every day that changes in a way that is known, and what is said of when and how it did.

Sixty days of 500 rows around a share of one in ten. It stays, or moves by some points: in one step, over thirty days,
or every ten days up and down again.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from headgate.monitors.attribution.changepoint import ChangePoint, change_point
from headgate.monitors.attribution.courses import Course

DAYS, ROWS, SHARE = 60, 500, 0.1
BEGIN, LENGTH, SPELL = 20, 30, 10
MOVING: Final = (Course.SUDDEN, Course.GRADUAL, Course.RECURRING)
PLAIN: Final = 8.0
"""Points from which the course must be named."""
NAMED: Final = 0.9
"""Share of the runs in which the right name must be given."""
COVERED: Final = 0.9
"""Share of the runs in which an interval of 95 % must hold the truth."""


@dataclass(frozen=True)
class Changing:
    """One cell: the course, and by how many points the share moves."""

    course: Course
    points: float

    @property
    def begin(self) -> int:
        """The first day that is different."""
        return SPELL if self.course is Course.RECURRING else BEGIN

    def levels(self) -> NDArray[np.float64]:
        """The true share of every day."""
        days = np.arange(DAYS)
        shape = {
            Course.NONE: np.zeros(DAYS),
            Course.SUDDEN: (days >= BEGIN) * 1.0,
            Course.GRADUAL: np.clip((days - BEGIN + 1) / LENGTH, 0, 1),
            Course.RECURRING: (days // SPELL % 2) * 1.0,
        }[self.course]
        return np.asarray(SHARE + self.points / 100 * shape, np.float64)


CELLS: Final = (
    Changing(Course.NONE, 0.0),
    *(Changing(course, points) for course, points in itertools.product(MOVING, (4.0, 8.0, 16.0))),
)


def said(world: Changing, count: int, seed: int) -> list[ChangePoint]:
    """What is said of so many series."""
    found = []
    for turn in range(count):
        values = np.random.default_rng([seed, 1, CELLS.index(world), turn]).binomial(ROWS, world.levels()) / ROWS
        found.append(change_point(range(DAYS), values.tolist(), [ROWS] * DAYS, seed=turn))
    return found


def lines(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """A row per cell: how often each course is named, and how often and how narrowly the beginning is held."""
    for world in CELLS:
        found = said(world, count, seed)
        shares = {
            each.value: round(sum(one.course is each for one in found) / count, 3)
            for each in (Course.NONE, Course.SUDDEN, Course.GRADUAL, Course.RECURRING, Course.UNDECIDED)
        }
        dated = [
            (each.earliest, each.latest) for each in found if each.earliest is not None and each.latest is not None
        ]
        held = [low <= world.begin <= high for low, high in dated]
        yield {
            "course": world.course.value,
            "points": world.points,
            **{f"said {name}": share for name, share in shares.items()},
            "held": round(float(np.mean(held)), 3) if dated and world.course is not Course.NONE else "-",
            "days": round(float(np.median([high - low for low, high in dated])), 1) if dated else "-",
            "runs": count,
        }


def gates(rows: report.Rows) -> Iterator[report.Gate]:
    """What is promised: courses that are plain, beginnings within their intervals, few false changes."""
    still, *moving = rows
    slack = round(0.01 + 3 * math.sqrt(0.01 * 0.99 / still["runs"]), 3)
    seen = 1 - still["said none"]
    yield report.at_most("share of series without a change in which one is seen, at most", seen, slack)
    plain = [each for each in moving if each["points"] >= PLAIN]
    right = min(each[f"said {each['course']}"] for each in plain)
    yield report.at_least(
        "course named where it moves by 8 points, worst cell less three standard errors, at least",
        right,
        most_lacking(NAMED, still["runs"]),
    )
    held = float(np.mean([each["held"] for each in plain]))
    yield report.at_least("intervals of 95 % that hold the day it began, of the same, at least", held, COVERED)


def most_lacking(rate: float, count: int) -> float:
    """The least share that is seen of something that happens at `rate`, three standard errors included.

    >>> most_lacking(0.9, 100)
    0.81
    """
    return round(rate - 3 * math.sqrt(rate * (1 - rate) / count), 3)
