"""When a change began and what course it took, against series whose truth is known."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.monitors.attribution.changepoint import MOST, ChangePoint, change_point
from headgate.monitors.attribution.courses import Course
from headgate.monitors.attribution.shapes import ramps, steps
from headgate.monitors.attribution.spells import cheapest

Floats = NDArray[np.float64]
DAYS = 60


def noisy(levels: Floats, seed: int, rows: int = 500) -> ChangePoint:
    """What is said of a share measured on so many rows a day."""
    random = np.random.default_rng(seed)
    values = random.binomial(rows, levels) / rows
    return change_point(range(len(levels)), values.tolist(), [rows] * len(levels))


def step(begin: int, height: float, days: int = DAYS) -> Floats:
    return np.where(np.arange(days) >= begin, 0.1 + height, 0.1)


def ramp(begin: int, length: int, height: float) -> Floats:
    return 0.1 + height * np.clip((np.arange(DAYS) - begin + 1) / length, 0, 1)


def spells(height: float) -> Floats:
    return np.where(np.arange(DAYS) // 10 % 2 == 1, 0.1 + height, 0.1)


def share(levels: Floats, course: Course, runs: int = 12) -> float:
    return sum(noisy(levels, seed).course is course for seed in range(runs)) / runs


@pytest.mark.parametrize(
    ("levels", "course"),
    [
        (step(35, 0.08), Course.SUDDEN),
        (step(8, -0.05), Course.SUDDEN),
        (ramp(15, 30, 0.15), Course.GRADUAL),
        (spells(0.08), Course.RECURRING),
    ],
)
def test_a_course_that_is_plain_is_named(levels: Floats, course: Course) -> None:
    assert share(levels, course) >= 0.9


@pytest.mark.parametrize("runs", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_where_nothing_changes_nothing_is_seen(runs: int) -> None:
    seen = sum(noisy(np.full(30, 0.1), seed).course is not Course.NONE for seed in range(runs))
    assert seen / runs <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / runs)


@pytest.mark.parametrize(
    ("begin", "height", "runs"),
    [
        (20, 0.06, 20),
        pytest.param(20, 0.06, 200, marks=pytest.mark.slow),
        pytest.param(30, 0.03, 200, marks=pytest.mark.slow),
    ],
)
def test_the_interval_holds_the_moment_as_often_as_it_says(begin: int, height: float, runs: int) -> None:
    found = [each for seed in range(runs) if (each := noisy(step(begin, height), seed)).began is not None]
    held = [each.earliest <= begin <= each.latest for each in found if each.earliest is not None and each.latest]
    assert len(found) >= 0.9 * runs
    assert sum(held) / len(found) >= 0.9


def test_the_moment_and_both_levels_of_a_step() -> None:
    found = noisy(step(35, 0.2), 1, rows=5000)
    assert (found.began, found.earliest, found.latest) == (35, 34, 35)
    assert found.before == pytest.approx(0.1, abs=0.01)
    assert found.after == pytest.approx(0.3, abs=0.01)
    assert found.p_value is not None
    assert found.p_value <= 0.01


def test_the_first_spell_is_when_it_began() -> None:
    found = noisy(spells(0.1), 2)
    assert found.course is Course.RECURRING
    assert found.began == 10
    assert found.before == pytest.approx(0.1, abs=0.01)
    assert found.after == pytest.approx(0.2, abs=0.01)


def test_more_periods_than_are_told_apart_are_merged() -> None:
    found = noisy(step(300, 0.1, days=500), 3, rows=50)
    assert found.course is Course.SUDDEN
    assert found.began is not None
    assert abs(found.began - 300) <= -(-500 // MOST)


def test_days_with_few_rows_weigh_little() -> None:
    rows = np.where(np.arange(DAYS) == 20, 4, 2000)
    values = np.where(np.arange(DAYS) == 20, 0.9, 0.1 + 0.002 * (np.arange(DAYS) % 3))
    assert change_point(range(DAYS), values.tolist(), rows.tolist()).course is Course.NONE


def test_empty_days_are_left_out() -> None:
    values: list[float | None] = [0.1, 0.12] * 10 + [None, math.nan] + [0.4, 0.42] * 5
    found = change_point(range(32), values, [100] * 31 + [0])
    assert (found.course, found.began) == (Course.SUDDEN, 22)
    assert found.reasons[-1] == "3 of 32 periods have no rows or no number and are left out"
    still = change_point(range(9), [*[0.5] * 8, 10**400], [10] * 9)
    assert still.course is Course.NONE
    assert still.reasons == ("1 of 9 periods have no rows or no number and are left out",)


def test_values_of_any_size_change_alike() -> None:
    values = np.random.default_rng(5).normal(size=40) + 3 * (np.arange(40) >= 25)
    one, huge = (change_point(range(40), (values * unit).tolist(), [7] * 40) for unit in (1.0, 1e307))
    assert one.course is Course.SUDDEN
    assert (huge.course, huge.began, huge.earliest, huge.latest) == (one.course, one.began, one.earliest, one.latest)
    assert one.after is not None
    assert huge.after == pytest.approx(one.after * 1e307)


def test_a_confidence_is_a_share() -> None:
    with pytest.raises(BadInput, match="confidence"):
        change_point(range(9), [0.1] * 9, [1] * 9, confidence=1.0)


def test_neighbours_that_lean_on_each_other_are_pointed_out() -> None:
    random, values = np.random.default_rng(4), [0.0]
    for _ in range(99):
        values.append(0.95 * values[-1] + random.normal())
    found = change_point(range(100), values, [1] * 100)
    assert found.course is not Course.NONE
    assert any("lean on each other" in each for each in found.reasons)


@pytest.mark.parametrize(
    ("starts", "values", "rows", "course", "reason"),
    [
        ([3, 2, 4], [0.1] * 3, [1] * 3, Course.BROKEN, "time goes backwards"),
        ([1, 1], [0.1] * 2, [1] * 2, Course.BROKEN, "time goes backwards"),
        ([1, 2], [0.1], [1], Course.BROKEN, "2 starts, 1 values and 1 counts"),
        ([1, 2], [0.1] * 2, [1, -1], Course.BROKEN, "fewer than no rows"),
        ([], [], [], Course.UNDECIDED, "periods with rows and a number: 0; 8 are needed"),
        ([1], [0.1], [1], Course.UNDECIDED, "periods with rows and a number: 1;"),
        (range(9), [None] * 9, [1] * 9, Course.UNDECIDED, "periods with rows and a number: 0;"),
    ],
)
def test_what_cannot_be_read_says_why(
    starts: list[int], values: list[float | None], rows: list[int], course: Course, reason: str
) -> None:
    found = change_point(starts, values, rows)
    assert found.course is course
    assert reason in found.reasons[0]
    assert (found.began, found.before, found.p_value) == (None, None, None)


def test_a_figure_that_never_moves_has_not_changed() -> None:
    assert change_point(range(20), [0.5] * 20, [10] * 20).course is Course.NONE
    merged = change_point(range(500), [0.1] * 500, list(range(1, 501)))  # means that differ by rounding alone
    assert (merged.course, merged.p_value) == (Course.NONE, 1.0)


def test_the_cheapest_path_is_the_cheapest_of_all() -> None:
    random = np.random.default_rng(6)
    values, levels = random.normal(size=9), np.array([0.0, 1.0])

    def cost(path: tuple[int, ...]) -> float:
        changes = sum(one != other for one, other in pairwise(path))
        return float(((values - levels[list(path)]) ** 2).sum()) + 0.7 * changes

    best = min((tuple(int(bit) for bit in f"{code:09b}") for code in range(512)), key=cost)
    found = cheapest((values[:, None] - levels) ** 2, 0.7)
    assert tuple(found.tolist()) == best


def test_a_template_explains_what_least_squares_does() -> None:
    random = np.random.default_rng(7)
    values, weights = random.normal(size=12), random.uniform(1, 3, 12)
    shapes = steps(weights)
    explained = shapes.explained(values, weights)
    total = float((weights * (values - np.average(values, weights=weights)) ** 2).sum())
    for place, begin in enumerate(shapes.begins):
        means = [np.average(values[part], weights=weights[part]) for part in (slice(begin), slice(begin, None))]
        levels = np.where(np.arange(12) < begin, *means)
        assert total - explained[place] == pytest.approx(float((weights * (values - levels) ** 2).sum()))


def test_a_ramp_begins_and_ends_inside() -> None:
    shapes = ramps(np.ones(20)).shapes
    assert len(shapes) == len(np.unique(shapes, axis=0))
    assert bool((shapes[:, :2] == 0).all())
    assert bool((shapes[:, -2:] == 1).all())
    assert int(((shapes > 0) & (shapes < 1)).sum(axis=1).min()) == 4  # and the fifth is the last of it
