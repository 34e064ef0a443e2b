"""Small drawings in SVG that a page holds within itself. `page` is the only caller."""

from typing import Final

from headgate.pages.markup import Markup, tag
from headgate.pages.parts import Bars

WIDE: Final = 640
LETTER: Final = 8
"""Pixels a letter may take."""
GAP: Final = 8
ROW: Final = 22
SHORT: Final = 160
"""Pixels of a range within a table."""


def bars(part: Bars) -> Markup:
    """A bar per item, as long as it is frequent, with its label and its count."""
    most = max(1, *(count for _, count in part.items))
    labels = GAP + LETTER * max(len(label) for label, _ in part.items)
    room = WIDE - labels - GAP - LETTER * len(f"{most:,}")
    drawn = []
    for place, (label, count) in enumerate(part.items):
        top = place * ROW
        length = max(room * count / most, 1.0 if count else 0.0)
        drawn += [
            tag("text", label, x=labels - GAP, y=top + 15, text_anchor="end"),
            tag("rect", class_="bar", x=labels, y=top + 3, width=f"{length:.1f}", height=ROW - 6),
            tag("text", f"{count:,}", x=f"{labels + length + GAP:.1f}", y=top + 15),
        ]
    height = ROW * len(part.items)
    return tag(
        "svg", *drawn, role="img", aria_label=part.says, viewBox=f"0 0 {WIDE} {height}", width=WIDE, height=height
    )


def interval(found: tuple[float, float, float], scale: tuple[float, float]) -> Markup:
    """A dot for a share and a line from its low to its high end, on a scale from one share to another.

    Its figures stand beside it in the table, so who does not see it is not told of it twice.
    """
    low, value, high = (_along(each, *scale) for each in found)
    return tag(
        "svg",
        tag("line", class_="rule", x1=4, y1=8, x2=SHORT - 4, y2=8),
        tag("line", class_="range", x1=f"{low:.1f}", y1=8, x2=f"{high:.1f}", y2=8),
        tag("circle", class_="dot", cx=f"{value:.1f}", cy=8, r=4),
        aria_hidden="true",
        viewBox=f"0 0 {SHORT} 16",
        width=SHORT,
        height=16,
    )


def _along(share: float, least: float, most: float) -> float:
    return 4 + (SHORT - 8) * ((share - least) / (most - least) if least < most else 1.0)
