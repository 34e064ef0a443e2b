"""How often alarms may be false: read as it is written, refused where it says nothing, kept whatever the traffic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms, Kind
from headgate.vocabulary import DAY, HOUR, Micros

SENTENCES = ["at most one per 90 days", "at most 5 % per 3 days", "at most 5 % ever"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at most one per 90 days", FalseAlarms(Kind.MEAN, 1.0, 90.0)),
        ("at most 1 per 90 days", FalseAlarms(Kind.MEAN, 1.0, 90.0)),
        ("at most two per year", FalseAlarms(Kind.MEAN, 2.0, 365.0)),
        ("  at most 12   per 2 weeks ", FalseAlarms(Kind.MEAN, 12.0, 14.0)),
        ("at most one per 36 hours", FalseAlarms(Kind.MEAN, 1.0, 1.5)),
        ("at most 5 % per year", FalseAlarms(Kind.PERIOD, 0.05, 365.0)),
        ("at most 0.5% per 30 days", FalseAlarms(Kind.PERIOD, 0.005, 30.0)),
        ("at most 5 % ever", FalseAlarms(Kind.EVER, 0.05)),
    ],
)
def test_sentences_are_read(text: str, expected: FalseAlarms) -> None:
    assert FalseAlarms.read(text) == expected
    assert FalseAlarms.read(expected.words) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "rarely", "one per 90 days", "at most one per month", "at most one", "at most one ever",
        "at most 0 per day",
        "at most one per 0 days", "at most -1 per day", "at most 5 per cent per year", "at most 100 % per year",
        "at most eleven per year", "at most 1.5 per year", "at most one per 90 days!",
        "At most one per 90 days",
    ],
)  # fmt: skip
def test_what_says_nothing_is_refused_with_what_may_be_said(text: str) -> None:
    with pytest.raises(BadInput, match="at most one per 90 days") as caught:
        FalseAlarms.read(text, "monitors.false_alarms")
    assert (caught.value.field, caught.value.rule) == ("monitors.false_alarms", "syntax")


def test_no_alarm_is_never_false() -> None:
    with pytest.raises(BadInput, match="above 0"):
        FalseAlarms.read("at most 0 % per year")


def test_limits_are_times_or_plain_numbers() -> None:
    assert FalseAlarms.read("at most two per 90 days").limit() == 45.0
    assert FalseAlarms.read("at most 5 % per year").limit(2) == pytest.approx(365 / 0.05 * 2)
    assert FalseAlarms.read("at most 5 % ever").limit(10) == pytest.approx(200.0)


@pytest.mark.parametrize("sharers", [0, -1])
def test_a_budget_that_nobody_shares_is_refused(sharers: int) -> None:
    with pytest.raises(BadInput, match="sharers"):
        FalseAlarms().limit(sharers)


@given(st.lists(st.integers(0, 10 * DAY), max_size=30), st.integers(0, 3 * DAY))
def test_what_joins_by_time_is_the_time_that_passed(moments: list[int], latest: int) -> None:
    at = np.array(moments, np.int64)
    # So few are allowed that no silence here is long beside the limit.
    joins = FalseAlarms.read("at most one per 5 years").joins(Micros(latest), at, 7)
    assert (joins >= 0).all()
    assert joins.sum() == pytest.approx(max([latest, *moments]) / DAY - latest / DAY)


@pytest.mark.parametrize("words", ["at most one per 90 days", "at most 5 % per year"])
def test_however_long_the_silence_no_row_raises_an_alarm_by_itself(words: str) -> None:
    policy = FalseAlarms.read(words)
    joins = policy.joins(Micros(0), np.array([10_000 * DAY, 20_000 * DAY]), 0)
    assert joins.tolist() == pytest.approx([policy.limit() / 100] * 2)


@settings(max_examples=50)
@given(st.lists(st.integers(1, 10 * DAY), min_size=1, max_size=30), st.sampled_from(SENTENCES))
def test_no_more_joins_than_is_said_to_have_joined(moments: list[int], words: str) -> None:
    policy, at = FalseAlarms.read(words), np.array(sorted(moments), np.int64)
    [*_, (origin, rows, _)] = policy.stretches(Micros(0), Micros(0), at)
    joins = policy.joins(origin, at[rows], rows.start)
    assert joins.sum() <= policy.joined(Micros(0), Micros(int(at[-1])), len(at)) + 1e-9


def test_what_has_joined_is_counted_from_the_period_where_each_stands_for_itself() -> None:
    assert FalseAlarms.read("at most one per 90 days").joined(Micros(DAY), Micros(11 * DAY), 5) == 10.0
    assert FalseAlarms.read("at most 5 % per 4 days").joined(Micros(DAY), Micros(11 * DAY), 5) == 2.0
    assert FalseAlarms.read("at most 5 % ever").joined(Micros(DAY), Micros(11 * DAY), 4) == 0.8


@given(st.lists(st.integers(0, 10 * DAY), max_size=30), st.integers(0, 30))
def test_periods_that_stand_for_themselves_join_no_more_than_they_last(moments: list[int], cut: int) -> None:
    policy, began = FalseAlarms.read("at most 5 % per 2 days"), Micros(HOUR)
    at = began + np.array(sorted(moments), np.int64)
    joined: dict[int, float] = {}
    latest, seen = began, 0
    for piece in np.split(at, [min(cut, len(at))]):
        for origin, rows, _ in policy.stretches(began, latest, piece):
            joins = policy.joins(origin, piece[rows], seen + rows.start)
            for moment, each in zip(piece[rows].tolist(), joins.tolist(), strict=True):
                period = (moment - began) // (2 * DAY)
                joined[period] = joined.get(period, 0.0) + each
        latest, seen = Micros(max(latest, *piece.tolist(), 0)), seen + len(piece)
    assert all(each <= 2.0 + 1e-9 for each in joined.values())


def test_a_period_begins_anew_once_however_its_observations_come() -> None:
    policy = FalseAlarms.read("at most 5 % per 1 days")
    found = policy.stretches(Micros(0), Micros(0), np.array([HOUR, 3 * DAY, 3 * DAY + 5, 2 * DAY]))
    assert found == [(0, slice(0, 1), False), (3 * DAY, slice(1, 4), True)]
    assert policy.stretches(Micros(0), Micros(3 * DAY), np.array([3 * DAY + 9])) == [(3 * DAY, slice(0, 1), False)]
