"""Nights and weekends are no silence; hours in which something always came are."""

from headgate.monitors.watch.silence import DAYS, Silence

ALWAYS = 2**24 - 1
BY_DAY = sum(1 << hour for hour in range(8, 20))


def after(*masks: int) -> Silence:
    known = Silence()
    for each in masks:
        known = known.after(each)
    return known


def test_an_evening_in_which_nothing_comes_is_too_long_where_something_always_came() -> None:
    evening = ALWAYS >> 6
    assert after(*[ALWAYS] * 30, evening).too_long(1e-4)
    assert not after(*[ALWAYS] * (DAYS - 1), evening).too_long(1e-4), "so soon nobody knows"
    assert not after(*[ALWAYS] * 30, ALWAYS >> 1).too_long(1e-4), "an hour may be silent"


def test_nights_and_weekends_are_usual() -> None:
    week = [BY_DAY] * 5 + [0] * 2
    known = after(*week * 4)
    assert not known.too_long(1e-4)
    assert known.longest == 2 * 24 + 12
    assert after(*week * 4, *[0] * 4).too_long(1e-4), "more than twice a weekend"


def test_a_silence_that_has_ended_is_over() -> None:
    assert not after(*[ALWAYS] * 30, 0, ALWAYS).too_long(1e-4)
