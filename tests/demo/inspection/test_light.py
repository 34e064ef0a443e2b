"""The light changes with the shift, and the photographs with the light."""

import numpy as np

from headgate.demo.inspection.eye import SIDE, opened
from headgate.demo.inspection.light import LAMPS, Photo, Shift, photographed, shift_at
from headgate.demo.inspection.photos import as_png
from headgate.vocabulary import DAY, HOUR, Micros

EVEN = np.full((SIDE, SIDE), 0.5)


def photos(shift: Shift, count: int = 50) -> list[Photo]:
    chance = np.random.default_rng(8)
    return [photographed(EVEN, shift, chance) for _ in range(count)]


def test_shifts_change_at_six_and_at_eighteen() -> None:
    hours = [shift_at(Micros(3 * DAY + hour * HOUR)) for hour in range(24)]
    assert hours == [Shift.NIGHT] * 6 + [Shift.DAY] * 12 + [Shift.NIGHT] * 6
    assert shift_at(Micros(18 * HOUR - 1)) is Shift.DAY


def test_the_night_is_darker_whatever_flickers() -> None:
    day, night = ([each.mean() for each in photos(shift)] for shift in Shift)
    assert max(night) < 0.7 * min(day)
    assert np.std(day) > 1, "no two photographs are lit alike"


def test_at_night_one_side_is_brighter() -> None:
    for shift in Shift:
        sides = np.mean(photos(shift), axis=0).mean(axis=0)
        slope = (sides[-8:].mean() - sides[:8].mean()) / sides.mean()
        assert abs(slope - LAMPS[shift].slope * 56 / 63) < 0.02


def test_a_photograph_is_sent_without_loss() -> None:
    (photo,) = photos(Shift.NIGHT, 1)
    assert np.array_equal(np.rint(opened(as_png(photo)) * 255).astype(np.uint8), photo)


def test_a_surface_that_reflects_more_than_there_is_stays_white() -> None:
    white = photographed(np.ones((SIDE, SIDE)), Shift.DAY, np.random.default_rng(1))
    assert white.dtype == np.uint8
    assert white.max() == 255
    assert white.min() > 200
