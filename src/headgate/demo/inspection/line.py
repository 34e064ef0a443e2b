"""The line: one piece after the other, each photographed under the lamps of its moment."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headgate.demo.inspection.light import Shift, photographed, shift_at
from headgate.demo.inspection.photos import as_png
from headgate.demo.inspection.surfaces import Surface
from headgate.vocabulary import HOUR, Micros


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One phone before the camera."""

    at: Micros
    shift: Shift
    surface: Surface
    picture: bytes
    """The photograph, as PNG."""


class Line:
    """Pieces at even distances, for ever; the same ones for the same seed."""

    def __init__(self, surfaces: Iterator[Surface], *, per_hour: int, start: Micros, seed: int) -> None:
        self._surfaces = surfaces
        self._apart = HOUR // per_hour
        self._next = start
        self._chance = np.random.default_rng(seed)

    def until(self, moment: Micros) -> list[Piece]:
        """The pieces from where it stood to before `moment`.

        >>> from headgate.demo.inspection.surfaces import drawn
        >>> line = Line(drawn(1), per_hour=60, start=Micros(0), seed=1)
        >>> len(line.until(Micros(HOUR))), len(line.until(Micros(HOUR))), len(line.until(Micros(2 * HOUR)))
        (60, 0, 60)
        """
        found = []
        while self._next < moment:
            found.append(self._piece(self._next))
            self._next = Micros(self._next + self._apart)
        return found

    def _piece(self, at: Micros) -> Piece:
        surface, shift = next(self._surfaces), shift_at(at)
        return Piece(at, shift, surface, as_png(photographed(surface.reflects, shift, self._chance)))
