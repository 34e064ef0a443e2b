"""A plot keeps within its frame and leaves gaps where nothing is known."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pages.opened import Page

from headgate.pages.parts import Band, Line, Plot
from headgate.pages.plots import HIGH, WIDE, plot

FIGURE = st.floats(-1e100, 1e100)


def drawn(*lines: Line, places: int, **more: object) -> Page:
    dates = tuple(f"2013-03-{each + 1:02}" for each in range(places))
    return Page(plot(Plot("metric", "it is", dates, lines, **more)))  # type: ignore[arg-type]  # the plot's own words


@given(st.lists(st.none() | FIGURE, min_size=1, max_size=90), st.booleans())
def test_whatever_the_numbers_everything_is_within_the_frame(values: list[float | None], from_zero: bool) -> None:
    ends = tuple(None if each is None else (each - 1.0, each + 1.0) for each in values)
    found = drawn(Line("m:1", tuple(values), ends), places=len(values), from_zero=from_zero)
    for name, attributes in found.found:
        for key in ("x", "x1", "x2", "cx"):
            if key in attributes and name != "text":
                assert 0 <= float(attributes[key] or "nan") <= WIDE
        for key in ("y", "y1", "y2", "cy"):
            if key in attributes:
                assert 0 <= float(attributes[key] or "nan") <= HIGH


def test_a_course_is_broken_where_nothing_is_known() -> None:
    found = drawn(Line("m:1", (1.0, 2.0, None, 3.0, None, 4.0, 5.0)), places=7)
    courses = [each for each in found.all("path") if each["class"] == "course s0"]
    assert [str(each["d"]).count("L") for each in courses] == [1, 1], "a single value is a dot and no course"
    assert len(found.all("circle")) == 5


def test_many_places_have_dots_only_where_nothing_else_would_be_seen() -> None:
    values: list[float | None] = [float(each) for each in range(100)]
    values[40] = values[42] = None
    assert len(drawn(Line("m:1", tuple(values)), places=100).all("circle")) == 1


def test_intervals_and_bands_are_on_the_scale() -> None:
    found = drawn(
        Line("m:1", (0.80, 0.82), ((0.70, 0.90), None)),
        places=2,
        bands=(Band("when evaluated", 0.5, 0.6),),
        from_zero=False,
    )
    [band] = [each for each in found.all("rect") if each["class"] == "band" and each["x"] != "0"]
    assert float(band["y"] or "nan") + float(band["height"] or "nan") <= HIGH
    [end] = [each for each in found.all("line") if "range" in str(each["class"])]
    assert float(end["y1"] or "nan") > float(end["y2"] or "nan"), "low lies below high"
    assert "when evaluated" in found.said


def test_what_happened_is_marked_and_dated() -> None:
    found = drawn(Line("m:1", (1.0, 2.0, 3.0)), places=3, marks=((1, "risk alarms since"),))
    assert "risk alarms since: 2013-03-02" in found.said
    assert len([each for each in found.all("line") if each["class"] == "event"]) == 1


@pytest.mark.parametrize(("places", "named"), [(1, 1), (2, 2), (3, 3), (30, 3)])
def test_as_many_days_are_named_as_there_is_room_for(places: int, named: int) -> None:
    found = drawn(Line("m:1", (1.0,) * places), places=places)
    assert len(re.findall(r"2013-03-\d\d", found.said)) == named


def test_two_courses_are_told_apart_without_colour() -> None:
    found = drawn(Line("m:1", (1.0, 2.0)), Line("m:2", (2.0, 1.0)), places=2)
    assert {each["class"] for each in found.all("path")} == {"course s0", "course s1"}
    assert [name for name in ("m:1", "m:2") if name in found.said] == ["m:1", "m:2"]
    assert drawn(Line("m:1", (1.0, 2.0)), places=2).all("ul") == [], "one course needs no legend"
