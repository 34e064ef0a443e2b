"""What can be said of one picture before anybody asks what it shows: its size, its light, how sharp it is.

`picture_ranges` compares the pictures of a window with those of a reference; `likeness` finds those that are all but
the same. A picture comes as an array, whoever decoded it.
"""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.standing import Shortfall, broken

LUMA: Final = np.array([0.299, 0.587, 0.114])
"""How bright red, green and blue are to the eye (Recommendation ITU-R BT.601)."""
WHITE: Final = 255.0
"""White in the shades that sharpness is told in."""
CHANNELS: Final = (1, 3, 4)
"""Grey, colour, and colour with opacity, which is not looked at."""
GRID: Final = (8, 9)
"""Rows and columns that a picture is shrunk to for its fingerprint."""
_ROUNDING: Final = 1e-6
"""Shades of 0 to 1 that differ by no more are the same."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One picture measured."""

    height: int
    """Points."""
    width: int
    brightness: float
    """Mean shade, from 0 for black to 1 for white."""
    sharpness: float | None
    """Variance of the Laplacian, in shades of 255 squared; the lower, the more blurred. None below 3 points a side."""
    fingerprint: int
    """64 bits, of which alike pictures share most."""


def picture(pixels: NDArray[Any]) -> Picture | Shortfall:
    """The measures of (height, width) or (height, width, channels), or why it is no picture.

    Whole numbers are shades from 0 to 255 (16 bits: to 65,535), other numbers from 0 to 1. Sharpness is the variance of
    the Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy") over all points with four
    neighbours; it goes with size and contrast, so it tells pictures of one kind apart. The fingerprint is a difference
    hash: whether each point of 8 rows is brighter than the one before it, once the picture is shrunk by averaging.

    >>> found = picture(np.tile(np.array([0, 255], np.uint8), (4, 3)))
    >>> found.width, found.brightness, round(found.sharpness)
    (6, 0.5, 260100)
    >>> picture(np.zeros((4, 4, 2))).reason
    'it is no picture: it must be (height, width) or (height, width, channels), with 1, 3 or 4 channels'
    """
    shades = _shades(pixels)
    if isinstance(shades, Shortfall):
        return shades
    height, width = shades.shape
    return Picture(
        height=height,
        width=width,
        brightness=float(shades.mean()),
        sharpness=_sharpness(shades) if min(height, width) > 2 else None,
        fingerprint=_fingerprint(shades),
    )


def _shades(pixels: NDArray[Any]) -> Floats | Shortfall:
    """Shades of grey from 0 to 1."""
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in CHANNELS):
        return broken(
            "it is no picture: it must be (height, width) or (height, width, channels), with 1, 3 or 4 channels"
        )
    if pixels.dtype.kind not in "biuf":
        return broken("it is no picture: its shades are no numbers")
    if pixels.size == 0:
        return broken("it is no picture: it has no points")
    white = 1.0
    if pixels.dtype.kind in "iu":
        white = 65_535.0 if pixels.dtype == np.uint16 else WHITE
    # Not a number is neither at least black nor at most white.
    if not (float(pixels.min()) >= 0.0 and float(pixels.max()) <= white):
        return broken(f"it is no picture: it has shades outside 0 to {white:,.0f}")
    colours = pixels[:, :, :3] if pixels.ndim == 3 and pixels.shape[2] > 1 else None
    shades: Floats = (pixels.reshape(pixels.shape[:2]) if colours is None else colours @ LUMA) / white
    return shades.astype(np.float64)


def _sharpness(shades: Floats) -> float:
    inner = shades[1:-1, 1:-1]
    around = shades[:-2, 1:-1] + shades[2:, 1:-1] + shades[1:-1, :-2] + shades[1:-1, 2:]
    return float((around - 4 * inner).var()) * WHITE**2


def _fingerprint(shades: Floats) -> int:
    small = _shrunk(_shrunk(shades, GRID[0]).T, GRID[1]).T
    brighter = small[:, 1:] - small[:, :-1] > _ROUNDING
    return int.from_bytes(np.packbits(brighter).tobytes(), "big")


def _shrunk(shades: Floats, count: int) -> Floats:
    """The mean of so many blocks of rows, as equal as can be; fewer rows are repeated first."""
    shades = shades.repeat(-(-count // len(shades)), axis=0)
    edges = np.arange(count + 1) * len(shades) // count
    means: Floats = np.add.reduceat(shades, edges[:-1], axis=0) / np.diff(edges)[:, np.newaxis]
    return means
