"""Courses over days, drawn in SVG that a page holds within itself. `page` is the only caller.

A plot is as wide as a phone, so that its letters keep their size there; a page puts several side by side where there is
room. Courses differ by dashes as well as by colour, and every number stands in a table too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from headgate.pages.markup import Markup, tag
from headgate.pages.parts import Line, Plot
from headgate.pages.scales import Scale, scale_of, short

WIDE: Final = 380
HIGH: Final = 190
_TOP: Final = 10
_FOOT: Final = 26
_RIGHT: Final = 14
_LETTER: Final = 7
"""Pixels a letter of a scale may take."""
_GAP: Final = 8
_LOOKS: Final = 5
"""Courses whose colours and dashes differ."""
_DENSE: Final = 62
"""Places up to which each has a dot of its own."""
_APART: Final = 3
"""Pixels between the intervals of two courses at one place."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where on the drawing which place and which number are."""

    left: float
    places: int
    scale: Scale

    def x(self, place: float) -> float:
        """The middle of a place, in pixels from the left."""
        share = place / (self.places - 1) if self.places > 1 else 0.5
        return self.left + (WIDE - _RIGHT - self.left) * share

    def y(self, value: float) -> float:
        """A number, in pixels from the top."""
        return _TOP + (HIGH - _TOP - _FOOT) * (1.0 - self.scale.along(value))


def plot(part: Plot) -> Markup:
    """The courses of a plot over their places, with what they are and what is to be seen."""
    scale = scale_of(part)
    labels = [short(each, scale) for each in scale.ticks]
    frame = Frame(_GAP + _LETTER * max(map(len, labels)), len(part.places), scale)
    drawn = [*_grid(frame, labels), *_bands(part, frame), *_marks(part, frame), *_names(part, frame)]
    for number, line in enumerate(part.lines):
        drawn += [*_ends(line, number, len(part.lines), frame), *_course(line, number, frame)]
    svg = tag(
        "svg",
        tag("title", part.caption),
        *drawn,
        role="img",
        aria_label=part.caption,
        viewBox=f"0 0 {WIDE} {HIGH}",
        width=WIDE,
        height=HIGH,
    )
    return tag("figure", tag("figcaption", part.caption), svg, *_legend(part), tag("p", part.says, class_="says"))


def _grid(frame: Frame, labels: list[str]) -> Iterator[Markup]:
    for value, label in zip(frame.scale.ticks, labels, strict=True):
        y = f"{frame.y(value):.1f}"
        yield tag("line", class_="rule", x1=f"{frame.left:.1f}", x2=WIDE - _RIGHT, y1=y, y2=y)
        yield tag("text", label, x=f"{frame.left - _GAP / 2:.1f}", y=f"{frame.y(value) + 4:.1f}", text_anchor="end")


def _names(part: Plot, frame: Frame) -> Iterator[Markup]:
    """The first place, the last and the one between them."""
    last = len(part.places) - 1
    anchors = {0: "start", last // 2: "middle", last: "end"} if last > 1 else {0: "start", last: "end"}
    for place, anchor in ({0: "middle"} if not last else anchors).items():
        yield tag("text", part.places[place], x=f"{frame.x(place):.1f}", y=HIGH - 8, text_anchor=anchor)


def _bands(part: Plot, frame: Frame) -> Iterator[Markup]:
    for each in part.bands:
        top, bottom = frame.y(each.high), frame.y(each.low)
        size = {"width": f"{WIDE - _RIGHT - frame.left:.1f}", "height": f"{max(bottom - top, 1.0):.1f}"}
        yield tag("rect", class_="band", x=f"{frame.left:.1f}", y=f"{top:.1f}", **size)


def _marks(part: Plot, frame: Frame) -> Iterator[Markup]:
    for place, _ in part.marks:
        x = f"{frame.x(place):.1f}"
        yield tag("line", class_="event", x1=x, x2=x, y1=_TOP, y2=HIGH - _FOOT)


def _ends(line: Line, number: int, lines: int, frame: Frame) -> Iterator[Markup]:
    aside = _APART * (number - (lines - 1) / 2)
    for place, each in enumerate(line.ends):
        if each is not None and line.values[place] is not None:
            x, (low, high) = f"{frame.x(place) + aside:.1f}", (f"{frame.y(end):.1f}" for end in each)
            yield tag("line", class_=f"range {_look(number)}", x1=x, x2=x, y1=low, y2=high)


def _course(line: Line, number: int, frame: Frame) -> Iterator[Markup]:
    aside = _APART * (number - 0.5) if line.ends and number else 0.0
    for run in _runs(line):
        points = [(frame.x(place) + aside, frame.y(value)) for place, value in run]
        if len(points) > 1:
            way = " ".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(points))
            yield tag("path", class_=f"course {_look(number)}", d=way)
        if frame.places <= _DENSE or len(points) == 1:
            yield from (
                tag("circle", class_=f"dot {_look(number)}", cx=f"{x:.1f}", cy=f"{y:.1f}", r=2) for x, y in points
            )


def _runs(line: Line) -> Iterator[list[tuple[int, float]]]:
    """The places with a value, those without a gap between them together."""
    known = [(place, value) for place, value in enumerate(line.values) if value is not None]
    for _, run in groupby(enumerate(known), key=lambda pair: pair[1][0] - pair[0]):
        yield [each for _, each in run]


def _legend(part: Plot) -> Iterator[Markup]:
    """What is what, where that is a question."""
    items = [(_swatch(_look(number)), line.name) for number, line in enumerate(part.lines)]
    items += [(_patch(), each.name) for each in part.bands]
    items += [(_swatch("event"), f"{says}: {part.places[place]}") for place, says in part.marks]
    if len(items) > 1:
        yield tag("ul", *(tag("li", drawn, Markup(" "), name) for drawn, name in items), class_="legend")


def _swatch(look: str) -> Markup:
    line = tag("line", class_=f"course {look}", x1=0, x2=26, y1=5, y2=5)
    return tag("svg", line, aria_hidden="true", viewBox="0 0 26 10", width=26, height=10)


def _patch() -> Markup:
    patch = tag("rect", class_="band", x=0, y=0, width=26, height=10)
    return tag("svg", patch, aria_hidden="true", viewBox="0 0 26 10", width=26, height=10)


def _look(number: int) -> str:
    return f"s{number % _LOOKS}"
