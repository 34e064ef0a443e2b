"""What monitors have in common: a clock that never goes back, and the words by which they stand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms
from headgate.monitors.alarms.alarms import Clock, Standing, check_moments, steps
from headgate.vocabulary import DAY, Micros

MOMENTS = st.lists(st.integers(0, 9 * DAY), max_size=30)


@given(MOMENTS, st.integers(0, 30))
def test_a_clock_is_where_the_latest_observation_was(moments: list[int], cut: int) -> None:
    at = np.array(moments, np.int64)
    whole = Clock.at(Micros(DAY)).moved(at)
    assert whole == Clock.at(Micros(DAY)).moved(at[:cut]).moved(at[cut:])
    assert (whole.began, whole.latest) == (DAY, max([DAY, *moments]))


@given(MOMENTS, st.sampled_from(["at most one per 3 days", "at most 5 % per 3 days", "at most 5 % ever"]))
def test_every_observation_is_in_one_step(moments: list[int], words: str) -> None:
    at = np.array(moments, np.int64)
    found = list(steps(FalseAlarms.read(words), Clock.at(Micros(0)), at, 0))
    assert [each for rows, _, _ in found for each in range(rows.start, rows.stop)] == list(range(len(at)))
    assert all(len(joins) == rows.stop - rows.start for rows, joins, _ in found)


def test_what_joins_becomes_less_with_all_that_was_seen_where_it_is_for_ever() -> None:
    [(_, joins, is_new)] = steps(FalseAlarms.read("at most 5 % ever"), Clock.at(Micros(0)), np.array([5, 6]), 3)
    assert joins.tolist() == pytest.approx([1 / 20, 1 / 30])
    assert not is_new


def test_moments_are_one_per_observation_and_whole() -> None:
    with pytest.raises(BadInput, match="one moment per observation"):
        check_moments(np.array([1]), 2)
    with pytest.raises(BadInput, match="whole microseconds"):
        check_moments(np.array([1.0]), 1)


def test_a_monitor_stands_in_one_of_four_ways() -> None:
    assert [str(each) for each in Standing] == ["steady", "alarm", "undecided", "broken"]
