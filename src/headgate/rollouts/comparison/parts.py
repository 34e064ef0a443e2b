"""The few shapes a comparison is told in. `sections` fills them; `text` and `page` each lay them out in their way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that says most of it."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A few of them, side by side."""

    items: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that must not be overlooked."""

    says: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under their heads."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    """Columns that are words; the others are numbers."""
    shades: tuple[tuple[float, ...], ...] = ()
    """How dark each number is where there is colour, 0 to 1; none is where this is empty."""
    ranges: tuple[tuple[float, float, float], ...] = ()
    """Low, value and high of a share per row, drawn where there is room; nothing is where this is empty."""


@dataclass(frozen=True, slots=True)
class Bars:
    """How often what happened, in order."""

    caption: str
    says: str
    """What is to be seen, in a sentence, for who does not see it."""
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing to read with its details."""

    title: str
    details: tuple[tuple[str, str], ...]
    """Names and values."""
    without: str = ""
    """Why there are no details."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Several of them."""

    items: tuple[Reading, ...]


Part = str | Note | Figures | Table | Bars | Readings
"""A text is a sentence or several."""


@dataclass(frozen=True, slots=True)
class Section:
    """Parts under a title."""

    title: str
    parts: tuple[Part, ...]
