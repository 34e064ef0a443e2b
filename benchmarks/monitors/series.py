"""A share measured every day that changes in a way that is known, and what is said of when and how it did.

Sixty days of 500 rows around a share of one in ten. It stays, or moves by some points: in one step, over thirty days,
or every ten days up and down again.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.monitors.changepoint import ChangePoint, Course, change_point

DAYS, ROWS, SHARE = 60, 500, 0.1
BEGIN, LENGTH, SPELL = 20, 30, 10
MOVING: Final = (Course.SUDDEN, Course.GRADUAL, Course.RECURRING)
PLAIN: Final = 8.0
"""Points from which the course must be named."""


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
