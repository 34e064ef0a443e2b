"""What a figure did on reference rows, chunk by chunk: the band that it keeps to while nothing changes."""

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

WIDTH: Final = 3.0
"""Standard deviations to either side."""
LEAST: Final = 3
"""Chunks below which there is no spread to speak of."""


class Band(msgspec.Struct, frozen=True):
    """Where a figure of a chunk of reference rows lies.

    >>> Band(0.7, 0.9, 10).holds(0.65)
    False
    """

    low: float
    high: float
    chunks: int
    """Chunks of the reference it comes from."""

    def holds(self, value: float) -> bool:
        """Whether the value is within."""
        return self.low <= value <= self.high


def band(values: Sequence[float], floor: float = 0.0, ceiling: float = math.inf) -> Band | None:
    """Mean plus and minus three standard deviations of these values, cut to what the figure can be.

    The deviation divides by the number of values, as in NannyML's thresholds. None for fewer than three values, and for
    values too large to be squared.

    >>> found = band([0.8, 0.9, 0.7], ceiling=1.0)
    >>> round(found.low, 3), found.high
    (0.555, 1.0)
    """
    if len(values) < LEAST:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        centre, spread = float(np.mean(values)), float(np.std(values))
    if not math.isfinite(spread):
        return None
    return Band(max(floor, centre - WIDTH * spread), min(ceiling, centre + WIDTH * spread), len(values))
