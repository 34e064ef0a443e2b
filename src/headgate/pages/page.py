"""Sections as one HTML page that needs nothing beside itself: no script, no font, no network, light and dark.

Such a page is kept, sent around and opened anywhere, on a phone and on paper too.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from headgate.pages.cards import card
from headgate.pages.drawing import bars, interval
from headgate.pages.markup import Markup, tag
from headgate.pages.parts import Bars, Cards, Drawn, Figures, Note, Plots, Reading, Readings, Section, Table
from headgate.pages.plots import plot
from headgate.pages.style import STYLE

ALONE: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a page allows itself, so that even a hole in the escaping would fetch and run nothing."""


def laid_out(title: str, subtitle: str, sections: Sequence[Section[Drawn]]) -> str:
    """All of it as a page; whatever comes from data is escaped.

    >>> page = laid_out("late <1>", "since Monday", [Section("In short", ("Nothing is wrong.",))])
    >>> page.startswith("<!doctype html>"), "<h1>late &lt;1&gt;</h1>" in page
    (True, True)
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=ALONE),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    header = tag("header", tag("h1", title), tag("p", subtitle, class_="subtitle"))
    body = tag("body", tag("main", header, *map(_section, sections)))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _section(section: Section[Drawn]) -> Markup:
    return tag("section", tag("h2", section.title), *(each for part in section.parts for each in _part(part)))


def _part(part: Drawn) -> Iterator[Markup]:
    match part:
        case str():
            yield tag("p", part)
        case Note(says):
            yield tag("p", tag("strong", "Note: "), says, class_="note")
        case Figures():
            yield _figures(part)
        case Table():
            yield from _table(part)
        case Bars(caption, says):
            # Too wide for a phone at a size that can be read: it is scrolled, like a table.
            yield tag("figure", tag("figcaption", caption), bars(part), class_="wide", tabindex="0")
            yield tag("p", says)
        case Readings(items):
            yield tag("ol", *map(_reading, items), class_="readings")
        case Plots(items):
            yield tag("div", *map(plot, items), class_="plots")
        case Cards(items):
            yield tag("div", *map(card, items), class_="cards")
        case _:
            assert_never(part)


def _figures(part: Figures) -> Markup:
    return tag(
        "dl",
        *(
            tag(
                "div",
                tag("dt", each.name),
                tag("dd", each.value, class_="value"),
                tag("dd", each.remark, class_="remark"),
            )
            for each in part.items
        ),
        class_="figures",
    )


def _table(part: Table) -> Iterator[Markup]:
    scale = _scale(part)
    heads = [*(_head(part, column) for column in range(len(part.head)))]
    if part.ranges:
        heads.append(tag("th", f"{scale[0]:.0%} to {scale[1]:.0%}", scope="col"))
    rows = [tag("tr", *_cells(part, place, scale)) for place in range(min(part.most, len(part.rows)))]
    inside = tag(
        "table", tag("caption", tag("span", part.caption)), tag("thead", tag("tr", *heads)), tag("tbody", *rows)
    )
    # Who has no mouse scrolls a wide table by keys: it takes the focus and says what it is.
    yield tag("div", inside, class_="scroll", tabindex="0", role="region", aria_label=part.caption)
    if len(part.rows) > part.most:
        yield tag("p", f"and {len(part.rows) - part.most:,} more")


def _scale(part: Table) -> tuple[float, float]:
    """From where to where ranges are drawn, in whole hundredths."""
    low = min((each[0] for each in part.ranges), default=0.0)
    high = max((each[2] for each in part.ranges), default=1.0)
    return math.floor(100 * low) / 100, math.ceil(100 * high) / 100


def _head(part: Table, column: int) -> Markup:
    kind: dict[str, str] = {} if column < part.left else {"class_": "number"}
    name = part.head[column]
    return tag("th", name, scope="col", **kind) if name else tag("td", **kind)


def _cells(part: Table, place: int, scale: tuple[float, float]) -> Iterator[Markup]:
    for column, cell in enumerate(part.rows[place]):
        if column == part.left - 1:
            yield tag("th", cell, scope="row")
        elif column < part.left:
            yield tag("td", cell)
        elif part.shades:
            shade = part.shades[place][column - part.left]
            yield tag("td", cell, class_="number shaded", style=f"--shade: {shade:.3f}")
        else:
            yield tag("td", cell, class_="number")
    if part.ranges:
        yield tag("td", interval(part.ranges[place], scale))


def _reading(part: Reading) -> Markup:
    details = tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in part.details))
    without = [tag("p", part.without)] if part.without else []
    return tag("li", tag("h3", part.title), details, *without)
