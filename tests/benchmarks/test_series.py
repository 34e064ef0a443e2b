"""The short form of the benchmark of change points: courses are named, beginnings held, and both judged."""

from benchmarks.monitors import series

from headgate.monitors.attribution.courses import Course


def test_courses_are_judged_by_their_rows() -> None:
    rows = list(series.lines(3, seed=3))
    assert [each["course"] for each in rows[:2]] == [Course.NONE, Course.SUDDEN]
    assert [each["says"] for each in series.gates(rows) if not each["ok"]] == []
    wrong = [{**each, "said none": 0.5, f"said {each['course']}": 0.2, "held": 0.5} for each in rows]
    assert [each["ok"] for each in series.gates(wrong)] == [False, False, False]


def test_the_first_different_day_is_the_one_that_was_planted() -> None:
    for world in series.CELLS:
        levels = world.levels()
        assert (levels[: world.begin] == series.SHARE).all()
        assert (levels[world.begin] > series.SHARE) == (world.course is not Course.NONE)
