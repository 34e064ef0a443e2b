"""Seasons are those of a calendar on somebody's clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headgate.monitors.alarms.seasons import Season
from headgate.vocabulary import SECOND


@given(st.integers(0, 2_000_000_000), st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
def test_seasons_are_those_of_the_calendar(moment: int, zone: str) -> None:
    clock, at = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone)), np.array([moment * SECOND])
    assert Season.HOUR_OF_DAY.of(at, zone)[0] == clock.hour
    assert Season.DAY_OF_WEEK.of(at, zone)[0] == clock.weekday()
    assert Season.HOUR_OF_WEEK.of(at, zone)[0] == clock.weekday() * 24 + clock.hour
    assert Season.NONE.of(at, zone)[0] == 0


def test_there_are_as_many_as_their_numbers_reach() -> None:
    at = np.arange(0, 8 * 24) * 3600 * SECOND
    assert [each.of(at).max() + 1 for each in Season] == [each.size for each in Season] == [1, 24, 7, 168]


def test_they_are_called_as_a_person_would() -> None:
    assert Season("hour of week") is Season.HOUR_OF_WEEK
