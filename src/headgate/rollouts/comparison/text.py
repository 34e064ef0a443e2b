"""A comparison as people read it in a terminal of 110 columns. Called by the command line."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Final, assert_never

from headgate.evaluation.table import table
from headgate.pages.parts import Bars, Figures, Note, Part, Reading, Readings, Table
from headgate.rollouts.comparison.sections import sections, subtitle, title
from headgate.rollouts.comparison.values import Comparison
from headgate.rollouts.comparison.words import cut

WIDTH: Final = 110
ROWS: Final = 10
"""Rows of a table that are shown; the others are counted."""
BAR: Final = 60
"""Characters of the longest bar."""


def as_text(found: Comparison) -> str:
    """All of it, as far as it fits: of long tables the beginning, of wide ones the name.

    >>> from headgate.rollouts.comparison.values import Side
    >>> live, shadow = (Side(name=name, role=role, versions=(name,), asked=0, answered=0)
    ...                 for name, role in (("m:1", "live"), ("m:2", "shadow")))
    >>> print(as_text(Comparison(task="binary", live=live, candidate=shadow, alpha=0.05, inputs=0)))
    m:2 (shadow) beside m:1 (live)
    binary; neither was asked anything in this time
    <BLANKLINE>
    In short
    both answered  0  of 0 inputs
    <BLANKLINE>
    Who was asked
    Inputs each was asked about
         asked  answered  failed  share failed
    m:1      0         0       0             -
    m:2      0         0       0             -
    Of 0 inputs both answered 0, only m:1 0, only m:2 0, neither 0. Of those both answered, 0 have a label.
    """
    lines = [title(found), subtitle(found)]
    for section in sections(found):
        lines += ["", section.title]
        for place, part in enumerate(section.parts):
            block = list(_laid_out(part))
            # Sentences follow what they speak of; tables and charts stand apart.
            lines += ["", *block] if place and not isinstance(part, str | Note) else block
    return "\n".join(cut(line, WIDTH).rstrip() for line in lines)


def _laid_out(part: Part) -> Iterator[str]:
    match part:
        case str():
            yield from wrap(part, WIDTH)
        case Note(says):
            yield from wrap(f"note: {says}", WIDTH)
        case Figures(items):
            rows = [[each.name, each.value, each.remark] for each in items]
            yield from table(["", "", ""], rows, left=3).split("\n")[1:]
        case Table():
            yield from _table(part)
        case Bars():
            yield from _bars(part)
        case Readings(items):
            for each in items:
                yield from _reading(each)
        case _:
            assert_never(part)


def _table(part: Table) -> Iterator[str]:
    yield from wrap(part.caption, WIDTH)
    lines = table(part.head, part.rows[:ROWS], left=part.left).split("\n")
    if max(map(len, lines)) > WIDTH:
        yield f"({len(part.head)} columns are too wide for a terminal; the page has them)"
        return
    yield from lines
    if len(part.rows) > ROWS:
        yield f"and {len(part.rows) - ROWS:,} more"


def _bars(part: Bars) -> Iterator[str]:
    yield part.caption
    most = max(count for _, count in part.items)
    labels, counts = max(len(label) for label, _ in part.items), len(f"{most:,}")
    for label, count in part.items:
        bar = "█" * max(round(BAR * count / most), 1 if count else 0)
        yield f"{label:>{labels}}  {count:>{counts},}  {bar}"
    yield from wrap(part.says, WIDTH)


def _reading(part: Reading) -> Iterator[str]:
    yield part.title
    details = "; ".join(f"{name} {value}" for name, value in part.details)
    yield from wrap(details, WIDTH, initial_indent="    ", subsequent_indent="    ")
    if part.without:
        yield f"    {part.without}"
