"""Round numbers beside a plot, and how far along them a number is. Pure; whatever a figure may be."""

import math
from dataclasses import dataclass
from itertools import chain
from typing import Final

from headgate.pages.parts import Plot

_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
_SIZES: Final = ((1e9, "G"), (1e6, "M"), (1e4, "k"))
"""From which number on a scale counts in which unit."""
_UNITS: Final = {"G": 1e9, "M": 1e6, "k": 1e3, "": 1.0}
_LARGEST: Final = 1e12
_SMALLEST: Final = 1e-4
_NOTHING: Final = 1e-300
_ALIKE: Final = 1e-9
"""Numbers that differ by less, relatively, stand at one height."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Round numbers, one step apart."""

    ticks: tuple[float, ...]

    @property
    def step(self) -> float:
        """From one to the next."""
        return self.ticks[1] - self.ticks[0]

    def along(self, value: float) -> float:
        """How far up a number is, from 0 to 1 between the first tick and the last.

        >>> Scale((0.0, 50.0, 100.0)).along(25)
        0.25
        """
        return (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


def scale_of(part: Plot) -> Scale:
    """One that holds every value, interval and band of a plot.

    >>> from headgate.pages.parts import Line
    >>> scale_of(Plot("requests", "", ("1", "2"), (Line("m:1", (70.0, 87.0)),))).ticks
    (0.0, 50.0, 100.0)
    """
    values = [value for line in part.lines for value in line.values if value is not None]
    ends = chain.from_iterable(each for line in part.lines for each in line.ends if each is not None)
    bands = chain.from_iterable((each.low, each.high) for each in part.bands)
    known = [*values, *ends, *bands, *([0.0] if part.from_zero or not values else [])]
    return Scale(ticks(min(known), max(known)))


def ticks(low: float, high: float) -> tuple[float, ...]:
    """Two to seven round numbers, from at most `low` to at least `high`.

    >>> [round(each, 2) for each in ticks(0.71, 0.83)]
    [0.7, 0.75, 0.8, 0.85]
    >>> ticks(0.0, 0.0)
    (0.0, 0.5, 1.0)
    """
    if high - low <= max(_ALIKE * max(abs(low), abs(high)), _NOTHING):
        around = max(abs(low) / 20, _ALIKE)
        low, high = (0.0, 1.0) if not low else (low - around, high + around)
    rough = high / 4 - low / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(each * size for each in _STEPS if each * size >= rough * (1 - _ALIKE))
    first, last = math.floor(low / step + _ALIKE), math.ceil(high / step - _ALIKE)
    return tuple(number * step for number in range(first, max(last, first + 1) + 1))


def short(value: float, scale: Scale) -> str:
    """A tick in few letters, with as many places as its neighbours differ in.

    >>> short(0.2, Scale((0.1, 0.15, 0.2))), short(40_000, Scale((0.0, 20_000.0, 40_000.0)))
    ('0.20', '40k')
    """
    most = max(abs(scale.ticks[0]), abs(scale.ticks[-1]))
    if most >= _LARGEST or scale.step < _SMALLEST:
        return f"{value:.2g}"
    letter = next((letter for size, letter in _SIZES if most >= size), "")
    unit = _UNITS[letter]
    places = max(0, -math.floor(math.log10(scale.step / unit) + _ALIKE))
    return f"{value / unit:.{places}f}{letter if value else ''}"
