"""People err as often as they say: more where a defect hardly stands out, more at night, and now and then on dust."""

from itertools import islice

import numpy as np
import pytest

from headgate.demo.inspection.light import Shift
from headgate.demo.inspection.people import (
    COLLEAGUE,
    INSPECTOR,
    LONGEST_SECONDS,
    TYPICAL_SECONDS,
    Inspector,
    thinks_for,
)
from headgate.demo.inspection.surfaces import CLASSES, DENT, OK, SCRATCH, Surface, drawn
from headgate.vocabulary import SECOND

NOTHING = np.zeros((1, 1))
TRIES = 4000


def said(who: Inspector, surface: Surface, shift: Shift, seed: int = 1) -> list[str]:
    chance = np.random.default_rng(seed)
    return [who.decide(surface, shift, CLASSES, OK, chance) for _ in range(TRIES)]


@pytest.mark.parametrize("who", [INSPECTOR, COLLEAGUE], ids=lambda who: who.name)
@pytest.mark.parametrize("shift", list(Shift))
@pytest.mark.parametrize(
    "surface",
    [Surface(NOTHING, OK, 0.0, dust=6), Surface(NOTHING, DENT, 0.1), Surface(NOTHING, SCRATCH, 0.15)],
    ids=["dust", "faint", "plainer"],
)
def test_errors_are_as_frequent_as_stated(who: Inspector, shift: Shift, surface: Surface) -> None:
    rate = who.error_rate(surface, shift)
    wrong = sum(each != surface.truth for each in said(who, surface, shift)) / TRIES
    assert wrong == pytest.approx(rate, abs=4 * (rate * (1 - rate) / TRIES) ** 0.5)


def test_what_stands_out_more_is_overlooked_less_and_the_night_is_harder() -> None:
    rates = {
        shift: [INSPECTOR.error_rate(Surface(NOTHING, DENT, contrast), shift) for contrast in (0.08, 0.12, 0.2, 0.4)]
        for shift in Shift
    }
    for each in rates.values():
        assert each == sorted(each, reverse=True)
    assert all(day < night for day, night in zip(rates[Shift.DAY], rates[Shift.NIGHT], strict=True))
    assert rates[Shift.NIGHT][-1] == pytest.approx(INSPECTOR.slips, abs=1e-3), "nobody overlooks what is plain"


def test_dust_is_taken_for_damage_now_and_then() -> None:
    clean, dusty = (INSPECTOR.error_rate(Surface(NOTHING, OK, 0.0, dust), Shift.DAY) for dust in (0, 6))
    assert clean == INSPECTOR.slips
    assert dusty > clean + 0.01
    wrong = {each for each in said(INSPECTOR, Surface(NOTHING, OK, 0.0, dust=6), Shift.DAY) if each != OK}
    assert wrong == set(CLASSES) - {OK}


def test_what_is_overlooked_is_said_to_be_fine() -> None:
    assert set(said(INSPECTOR, Surface(NOTHING, DENT, 0.09), Shift.NIGHT)) == {DENT, OK}


def test_over_the_line_a_person_errs_on_some_seven_of_a_hundred() -> None:
    surfaces = list(islice(drawn(11), 1500))
    rate = np.mean([INSPECTOR.error_rate(each, shift) for each in surfaces for shift in Shift])
    assert 0.05 < rate < 0.09


def test_a_decision_takes_a_while() -> None:
    chance = np.random.default_rng(2)
    seconds = np.array([thinks_for(chance) for _ in range(TRIES)]) / SECOND
    assert np.median(seconds) == pytest.approx(TYPICAL_SECONDS, rel=0.05)
    assert 1 < seconds.min() < seconds.max() <= LONGEST_SECONDS
