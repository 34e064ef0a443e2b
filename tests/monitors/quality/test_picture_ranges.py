"""Pictures of a window beside those of a reference: seldom called unusual when they are not, surely when they are."""

import msgspec
import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.monitors.quality.picture_ranges import (
    PictureRanges,
    PicturesSeen,
    Side,
    Trait,
    picture_ranges,
    pictures_seen,
)
from headgate.monitors.quality.pictures import Picture
from headgate.monitors.standing import Shortfall, broken, undecided

Draw = np.random.Generator


def taken(count: int, draw: Draw, light: float = 1.0, side: int = 64, blur: float = 1.0) -> list[Picture | Shortfall]:
    brightness, sharpness = draw.beta(20, 20, count) * light, draw.lognormal(5, 0.3, count) * blur
    return [
        Picture(height=side, width=side, brightness=one, sharpness=other, fingerprint=0)
        for one, other in zip(brightness.tolist(), sharpness.tolist(), strict=True)
    ]


def known(pictures: list[Picture | Shortfall]) -> PictureRanges:
    made = picture_ranges(pictures)
    assert isinstance(made, PictureRanges)
    return made


def seen(reference: PictureRanges, window: list[Picture | Shortfall]) -> PicturesSeen:
    found = pictures_seen(reference, window)
    assert isinstance(found, PicturesSeen)
    return found


def unusual(found: PicturesSeen) -> set[tuple[Trait, Side]]:
    return {(each.trait, each.side) for each in found.beyond if each.unusual}


def test_ordinary_windows_are_seldom_called_unusual() -> None:
    draw = np.random.default_rng(131)
    runs, called = 100, 0
    for _ in range(runs):
        called += bool(unusual(seen(known(taken(400, draw)), taken(500, draw))))
    # 5 % plus three standard errors of 100 runs; half of it, since fewer beyond an end are not unusual.
    assert called / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_a_range_leaves_out_the_share_it_says() -> None:
    draw = np.random.default_rng(132)
    outside, runs = 0.0, 60
    for _ in range(runs):
        found = seen(known(taken(399, draw)), taken(1000, draw))
        outside += sum(each.share.value or 0.0 for each in found.beyond if each.trait is Trait.BRIGHTNESS)
    # Two of 400 at either end: 1 %, which a reference of 399 and a window scatter around by 0.6 points.
    assert outside / runs == pytest.approx(0.01, abs=3 * 0.006 / np.sqrt(runs))


def test_lamps_that_go_out_a_lens_that_slips_and_another_camera_are_seen() -> None:
    draw = np.random.default_rng(133)
    reference = known(taken(500, draw))
    assert (Trait.BRIGHTNESS, Side.BELOW) in unusual(seen(reference, taken(200, draw, light=0.5)))
    assert unusual(seen(reference, taken(200, draw, blur=0.2))) == {(Trait.SHARPNESS, Side.BELOW)}
    larger = seen(reference, taken(200, draw, side=128))
    assert unusual(larger) == {(Trait.HEIGHT, Side.ABOVE), (Trait.WIDTH, Side.ABOVE)}
    assert larger.beyond[0].share.value == 1.0
    assert larger.beyond[0].limit == 64.0


def test_what_is_no_picture_is_counted_with_its_reason() -> None:
    draw = np.random.default_rng(134)
    lost = broken("it is no picture: it has no points")
    found = seen(known(taken(300, draw)), [*taken(30, draw), lost, lost, broken("it cannot be decoded")])
    assert found.rows == 33
    assert found.unreadable.value == pytest.approx(3 / 33)
    assert found.reasons == (("it is no picture: it has no points", 2), ("it cannot be decoded", 1))
    nothing = seen(known(taken(300, draw)), [lost])
    assert {each.share.reason for each in nothing.beyond} == {"there are no rows"}
    assert {each.unusual for each in nothing.beyond} == {None}


def test_pictures_too_small_for_sharpness_are_left_out_of_it_alone() -> None:
    small: list[Picture | Shortfall] = [
        Picture(height=1, width=1, brightness=0.5, sharpness=None, fingerprint=0) for _ in range(200)
    ]
    made = known(small)
    assert [each.trait for each in made.ranges] == [Trait.BRIGHTNESS, Trait.HEIGHT, Trait.WIDTH]


def test_too_few_pictures_are_undecided_and_a_reference_survives_being_kept() -> None:
    draw = np.random.default_rng(135)
    assert picture_ranges(taken(100, draw)) == undecided("the reference has 100 pictures; 199 are needed")
    made = known(taken(199, draw))
    assert msgspec.json.decode(msgspec.json.encode(made), type=PictureRanges) == made
    assert pictures_seen(made, []) == undecided("the window has no pictures")
    with pytest.raises(BadInput, match="between 0 and 1"):
        pictures_seen(made, taken(3, draw), confidence=0.0)
