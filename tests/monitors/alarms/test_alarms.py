"""What monitors have in common: a clock that never goes back, moments that are none, and who has changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Clock, Measurement, changed, faulty, steps, unwatched
from headgate.monitors.standing import Standing, broken, undecided
from headgate.vocabulary import DAY, Micros

MOMENTS = st.lists(st.integers(0, 9 * DAY), max_size=30)


@given(MOMENTS, st.integers(0, 30))
def test_a_clock_is_where_the_latest_observation_was(moments: list[int], cut: int) -> None:
    at = np.array(moments, np.int64)
    whole = Clock.at(Micros(DAY)).moved(at)
    assert whole == Clock.at(Micros(DAY)).moved(at[:cut]).moved(at[cut:])
    assert (whole.began, whole.latest, whole.seen) == (DAY, max([DAY, *moments]), len(moments))


@given(MOMENTS, st.sampled_from(["at most one per 3 days", "at most 5 % per 3 days", "at most 5 % ever"]))
def test_every_observation_is_in_one_step(moments: list[int], words: str) -> None:
    at = np.array(moments, np.int64)
    found = list(steps(FalseAlarms.read(words), Clock.at(Micros(0)), at))
    assert [each for rows, _, _ in found for each in range(rows.start, rows.stop)] == list(range(len(at)))
    assert all(len(joins) == rows.stop - rows.start for rows, joins, _ in found)


def test_what_joins_becomes_less_with_all_that_was_seen_where_it_is_for_ever() -> None:
    clock = Clock(Micros(0), Micros(0), seen=3)
    [(_, joins, is_new)] = steps(FalseAlarms.read("at most 5 % ever"), clock, np.array([5, 6]))
    assert joins.tolist() == pytest.approx([1 / 20, 1 / 30])
    assert not is_new


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (np.array([1]), "1 moments of 2 observations"),
        (np.array([1.0, 2.0]), "not whole microseconds"),
        (np.array([1, 2**62]), "1 of 2 moments are thousands of years away"),
        (np.array([-(2**63), 2**62]), "2 of 2 moments"),
    ],
)
def test_moments_that_are_none_are_told_in_words(at: Ints, reason: str) -> None:
    assert reason in faulty(at, 2)
    assert faulty(np.array([2, -1]), 2) == ""


def test_what_is_not_watched_says_why_and_holds_nothing() -> None:
    found = unwatched("input", "km", broken("is gone"))
    assert (found.standing, found.reason, found.level, found.limit) == (Standing.BROKEN, "is gone", 0.0, 0.0)
    assert unwatched("input", "km", undecided("few")).standing is Standing.UNDECIDED


def measured(levels: list[float], joined: float = 10.0) -> list[Measurement]:
    return [
        Measurement(monitor="input", member=str(place), standing=Standing.STEADY, level=level, joined=joined)
        for place, level in enumerate(levels)
    ]


def test_those_that_changed_are_named_and_those_that_hold_nothing_are_not() -> None:
    found = measured([5000.0, 0.0, 900.0, 3.0])
    assert [each.member for each in changed(found, 0.1)] == ["0", "2"]
    assert changed([], 0.1) == []
    assert changed(measured([5000.0], joined=0.0), 0.1) == []


def test_the_more_are_looked_at_the_more_it_takes_to_be_named() -> None:
    # 40 times what joined is enough for one of four at 10 %, and not for one of five.
    assert changed(measured([401.0, 0.0, 0.0, 0.0]), 0.1)
    assert not changed(measured([401.0, 0.0, 0.0, 0.0, 0.0]), 0.1)


def test_of_members_that_have_not_changed_a_share_is_named_at_most() -> None:
    # Levels as they are without a change: of mean 10, which is what joined, and mostly nearly nothing.
    random, wrong = np.random.default_rng(0), 0
    for _ in range(400):
        levels = np.where(random.random(20) < 10 / 510, 510.0, 0.0)
        wrong += bool(changed(measured(levels.tolist()), 0.2))
    # All that is named is wrong here, so that the share is 1 as soon as any is.
    assert 0 < wrong / 400 <= 0.2 + 3 * np.sqrt(0.2 * 0.8 / 400)
