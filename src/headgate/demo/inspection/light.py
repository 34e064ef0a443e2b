"""The lamps over the line, which are not the same by day and by night, and the photographs taken under them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.demo.inspection.eye import SIDE
from headgate.evaluation.estimate import Floats
from headgate.vocabulary import DAY, HOUR, Micros

Photo = NDArray[np.uint8]
"""Shades of grey of shape (SIDE, SIDE)."""


class Shift(StrEnum):
    """Who works, and under which lamps."""

    DAY = "day"
    """From 6 to 18 o'clock UTC, under all lamps."""
    NIGHT = "night"
    """From 18 to 6, under half of them, which stand to one side."""


@dataclass(frozen=True, slots=True)
class Lamps:
    """The light of a shift, and what the camera adds to it."""

    brightness: float
    """1 is all the light there is by day."""
    flicker: float
    """Standard deviation of `brightness` from one photograph to the next."""
    slope: float
    """How much brighter one side is than the other, as a share."""
    noise: float
    """Standard deviation of what the camera adds to each point; white is 1."""


LAMPS: Final[Mapping[Shift, Lamps]] = {
    Shift.DAY: Lamps(brightness=1.0, flicker=0.03, slope=0.05, noise=0.008),
    Shift.NIGHT: Lamps(brightness=0.45, flicker=0.03, slope=0.3, noise=0.008),
}


def shift_at(moment: Micros) -> Shift:
    """The shift at work.

    >>> shift_at(Micros(6 * HOUR)).value, shift_at(Micros(18 * HOUR)).value
    ('day', 'night')
    """
    return Shift.DAY if 6 * HOUR <= moment % DAY < 18 * HOUR else Shift.NIGHT


def photographed(reflects: Floats, shift: Shift, chance: np.random.Generator) -> Photo:
    """A photograph of a surface under the lamps of `shift`.

    >>> even = np.full((SIDE, SIDE), 0.5)
    >>> by_day, by_night = (photographed(even, each, np.random.default_rng(1)).mean() for each in Shift)
    >>> bool(by_day > 2 * by_night)
    True
    """
    lamps = LAMPS[shift]
    side = np.linspace(-0.5, 0.5, SIDE)
    light = chance.normal(lamps.brightness, lamps.flicker) * (1.0 + lamps.slope * side)
    seen = reflects * light + chance.normal(0.0, lamps.noise, reflects.shape)
    photo: Photo = np.rint(255.0 * seen.clip(0.0, 1.0)).astype(np.uint8)
    return photo
