"""The benchmark of monitors: lives are the same again with the same seed, and what changes in them is found."""

import pytest
from benchmarks.monitors import delays, false_alarms
from benchmarks.monitors.endpoints import Change, alarms

from headgate.evidence.false_alarms import FalseAlarms

POLICY = FalseAlarms.read(false_alarms.MEAN)


def test_a_life_is_the_same_again() -> None:
    often = FalseAlarms.read("at most 500 per day")
    assert alarms(often, 5, 1) == alarms(often, 5, 1) != alarms(often, 5, 2)


def test_what_changes_is_found_and_named() -> None:
    found = alarms(POLICY, 60, 3, Change(20.0, shift=2.0, features=1))
    assert found
    assert {what for _, what in found} <= {"0 input f0", "0 input row", "0 score score"}
    assert found[0][0] > 20.0


def test_gates_are_missed_where_alarms_are_too_many() -> None:
    words = (false_alarms.MEAN, false_alarms.CERTAIN)
    row = {"lives": 200, "alarm_within_30_days": 0.5, "alarm_within_a_year": 0.2, "days_to_the_first": 60.0}
    rows = [{"false_alarms": each, **row, "standard_error": 5.0, "alarms_per_90_days": 1.5} for each in words]
    assert not any(each["ok"] for each in false_alarms.gates({"nothing": rows, "delays": []}))


@pytest.mark.slow
def test_delays_are_no_longer_than_the_reference_figures() -> None:
    found = list(delays.rows(100))
    assert [each for each in found if each["median"] > each["reference"] + 3 * each["standard_error"]] == []
