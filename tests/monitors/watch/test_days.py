"""Days: what hours add up to, whose answers they were, and what they cost."""

from dataclasses import replace

import msgspec
import pytest
from tests.monitors.joined import NOTHING, Row, moment, refused
from tests.monitors.watch.rows import VERSION, day_of, hour_of

from headgate.monitors.watch.days import Day, days_of, joined, measured
from headgate.vocabulary import DAY, HOUR, Micros

MIDNIGHT = moment("2013-03-10")
NOON = Row.at


def test_inputs_are_of_whoever_answered_them_and_of_nobody() -> None:
    other = Row(assigned="flight:2", answered="flight:1", fallback="timeout", role="canary")
    rows = [Row(), other, Row(answered="flight:2", assigned="flight:2"), refused("range"), refused("runtime"), NOTHING]
    days = {each.version: each for each in days_of(hour_of(rows, NOON), replayed=False)}
    assert days.keys() == {"", "flight:1", "flight:2"}
    nobody, first = days[""], days["flight:1"]
    assert (nobody.volume, nobody.answered, nobody.errors, nobody.refused) == (3, 0, 2, {"range": 1})
    assert (first.volume, first.answered, first.fallbacks, first.errors) == (2, 2, 1, 0)
    assert all(each.start == MIDNIGHT for each in days.values())
    assert first.latency.quantile(0.5) == pytest.approx(1.0, rel=0.01)


def test_rows_of_one_call_cost_it_once() -> None:
    """Given three rows of one moment and one call of 400 us, and two of another, then two calls took 700 us."""
    rows = [Row(compute_us=400)] * 3 + [Row(at=NOON + 5, compute_us=300)] * 2
    [day] = days_of(hour_of(rows, NOON), replayed=False)
    assert (day.calls, day.model_us, day.answered) == (2, 700, 5)
    assert day.model_s_per_thousand == pytest.approx(0.14)


def test_in_a_replay_rows_of_one_request_are_of_one_call() -> None:
    rows = [Row(at=NOON + place, compute_us=400) for place in range(4)]
    [day] = days_of(hour_of(rows, NOON, requests=["a", "a", "a", "b"]), replayed=True)
    assert (day.calls, day.model_us) == (2, 800)


def test_hours_add_up_to_days_of_each_version() -> None:
    rows = [Row(), Row(at=NOON + HOUR), refused("range", NOON + HOUR)]
    hours = [hour_of(rows[:1], NOON), hour_of(rows[1:], NOON + HOUR)]
    days = joined(day for hour in hours for day in days_of(hour, replayed=False))
    assert [(each.version, each.volume) for each in days] == [("", 1), (VERSION, 2)]
    assert days[1].latency.count == 2


def test_labels_bring_their_figures_and_hours_leave_them() -> None:
    [labelled] = measured(day_of([Row(label="no")] * 3 + [Row()], MIDNIGHT), VERSION)
    assert (labelled.due, labelled.labelled, labelled.volume) == (4, 3, 0)
    assert labelled.figures["accuracy"].value == 1.0
    [hour] = days_of(hour_of([Row()], NOON), replayed=False)
    assert labelled.merged(hour).figures == hour.merged(labelled).figures == labelled.figures
    assert measured(day_of([replace(Row(), assigned="flight:2")], MIDNIGHT), VERSION) == []


def test_a_day_is_read_back_as_it_was() -> None:
    [day] = days_of(hour_of([Row(), Row(latency_us=None)], NOON), replayed=False)
    assert msgspec.json.decode(msgspec.json.encode(day), type=Day) == day
    assert Day(version="", start=Micros(DAY)).model_s_per_thousand is None
