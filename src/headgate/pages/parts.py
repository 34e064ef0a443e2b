"""The few shapes things are told in. Rooms above fill them; `page` lays them out, and terminals what they can."""

from dataclasses import dataclass
from typing import Generic, TypeVar


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
    most: int = 50
    """Rows that a page shows; the others are counted."""
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


@dataclass(frozen=True, slots=True)
class Line:
    """The course of one number."""

    name: str
    values: tuple[float | None, ...]
    """One a place of its plot; the line is broken where there is None."""
    ends: tuple[tuple[float, float] | None, ...] = ()
    """The low and the high end of each value's interval; empty where no value has one."""


@dataclass(frozen=True, slots=True)
class Band:
    """Where numbers lie while nothing changes."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Plot:
    """Courses over the same places, such as days."""

    caption: str
    says: str
    """What is to be seen, in a sentence, for who does not see it."""
    places: tuple[str, ...]
    """Their names, in order."""
    lines: tuple[Line, ...]
    bands: tuple[Band, ...] = ()
    marks: tuple[tuple[int, str], ...] = ()
    """Places at which something happened, and what."""
    from_zero: bool = True
    """Whether the scale begins at zero; otherwise it holds what there is to be seen."""


@dataclass(frozen=True, slots=True)
class Plots:
    """Several of them, side by side where there is room."""

    items: tuple[Plot, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """How one thing stands."""

    title: str
    mark: str
    """In one word."""
    says: str
    """In one sentence."""
    loud: bool = False
    """Whether somebody has to do something."""
    figures: tuple[tuple[str, str, str], ...] = ()
    """Names, values, and what each is held against, if anything."""
    details: tuple[tuple[str, str], ...] = ()
    """Names and sentences."""


@dataclass(frozen=True, slots=True)
class Cards:
    """Several of them."""

    items: tuple[Card, ...]


Part = str | Note | Figures | Table | Bars | Readings
"""What a terminal shows as well. A text is a sentence or several."""
Drawn = Part | Plots | Cards
"""What a page shows."""
Shown_co = TypeVar("Shown_co", bound=Drawn, covariant=True)


@dataclass(frozen=True, slots=True)
class Section(Generic[Shown_co]):
    """Parts under a title."""

    title: str
    parts: tuple[Shown_co, ...]
