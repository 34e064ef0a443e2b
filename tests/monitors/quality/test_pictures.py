"""One picture measured: light, sharpness, size and fingerprint, however its shades are stored."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from headgate.monitors.quality.likeness import NEAR
from headgate.monitors.quality.pictures import Picture, picture
from headgate.monitors.standing import Shortfall, Standing


def scene(seed: int, height: int = 120, width: int = 160) -> NDArray[np.float64]:
    """Soft shapes and some grain, shades from 0 to 1."""
    draw = np.random.default_rng(seed)
    soft = ndimage.gaussian_filter(draw.normal(size=(height, width)), 8)
    shades = 0.5 + 0.2 * soft / soft.std() + 0.02 * draw.normal(size=soft.shape)
    return np.asarray(np.clip(shades, 0.0, 1.0))


def measured(pixels: NDArray[Any]) -> Picture:
    found = picture(pixels)
    assert isinstance(found, Picture)
    return found


def bits_apart(one: Picture, other: Picture) -> int:
    return (one.fingerprint ^ other.fingerprint).bit_count()


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    shades = scene(1)
    own = ndimage.laplace(shades * 255)[1:-1, 1:-1].var()
    assert measured(shades).sharpness == pytest.approx(own)
    blurred = measured(ndimage.gaussian_filter(shades, 2)).sharpness
    assert blurred is not None
    assert blurred < own / 10


def test_brightness_is_the_mean_shade_by_the_eye() -> None:
    colours = np.zeros((10, 20, 3), np.uint8)
    colours[:, :, 1] = 255
    assert measured(colours).brightness == pytest.approx(0.587)
    assert measured(np.full((10, 20, 3), 255, np.uint8)).brightness == pytest.approx(1.0)
    assert measured(0.5 * scene(2)).brightness == pytest.approx(0.5 * measured(scene(2)).brightness)


def test_a_picture_is_the_same_however_its_shades_are_stored() -> None:
    eight = (scene(3) * 255).round().astype(np.uint8)
    stored: list[NDArray[Any]] = [
        eight,
        eight.astype(np.int64),
        eight.astype(np.uint16) * 257,
        eight / 255,
        eight[:, :, np.newaxis],
        np.dstack([eight] * 3),
        np.dstack([*[eight] * 3, np.zeros_like(eight)]),
    ]
    first = measured(eight)
    for each in (measured(pixels) for pixels in stored):
        assert (each.height, each.width, each.fingerprint) == (120, 160, first.fingerprint)
        assert each.brightness == pytest.approx(first.brightness)
        assert each.sharpness == pytest.approx(first.sharpness, rel=1e-6)


def test_a_fingerprint_stays_when_a_picture_is_stored_anew() -> None:
    shades = scene(4)
    draw = np.random.default_rng(5)
    again = {
        "darker": 0.6 * shades,
        "grainy": np.clip(shades + 0.02 * draw.normal(size=shades.shape), 0, 1),
        "smaller": shades[::2, ::2],
        "in few shades": (shades * 32).round() / 32,
    }
    apart = {name: bits_apart(measured(shades), measured(each)) for name, each in again.items()}
    assert max(apart.values()) <= NEAR, apart


def test_other_pictures_have_other_fingerprints() -> None:
    found = [measured(scene(each)) for each in range(10, 30)]
    apart = [bits_apart(one, other) for place, one in enumerate(found) for other in found[:place]]
    assert min(apart) > 2 * NEAR
    assert np.mean(apart) == pytest.approx(32, abs=3)


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (3, 3), (7, 300), (9, 8)])
def test_pictures_of_almost_nothing(shape: tuple[int, int]) -> None:
    found = measured(np.full(shape, 0.3))
    assert (found.height, found.width, found.fingerprint) == (*shape, 0)
    assert (found.sharpness is None) == (min(shape) < 3)
    assert found.sharpness is None or found.sharpness == pytest.approx(0.0, abs=1e-20)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros(9), "it must be (height, width) or (height, width, channels), with 1, 3 or 4 channels"),
        (np.zeros((4, 4, 2)), "it must be (height, width) or (height, width, channels), with 1, 3 or 4 channels"),
        (np.array([["a"]]), "its shades are no numbers"),
        (np.zeros((0, 4)), "it has no points"),
        (np.full((4, 4), np.nan), "it has shades outside 0 to 1"),
        (np.full((4, 4), 200.0), "it has shades outside 0 to 1"),
        (np.full((4, 4), -1), "it has shades outside 0 to 255"),
    ],
)
def test_what_is_no_picture_says_why(pixels: NDArray[Any], reason: str) -> None:
    assert picture(pixels) == Shortfall(Standing.BROKEN, f"it is no picture: {reason}")
