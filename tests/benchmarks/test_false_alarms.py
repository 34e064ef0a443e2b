"""The benchmark of false alarms: its gates are missed where alarms are too many, or come too soon."""

from benchmarks.monitors import false_alarms


def test_gates_are_missed_where_alarms_are_too_many() -> None:
    words = (false_alarms.MEAN, false_alarms.CERTAIN)
    row = {"lives": 200, "alarm_within_30_days": 0.5, "alarm_within_a_year": 0.2, "days_to_the_first": 60.0}
    rows = [{"false_alarms": each, **row, "standard_error": 5.0, "alarms_per_90_days": 1.5} for each in words]
    late = {"detector": "x", "limit": 1e4, "change": "y", "median": 200.0, "at_most": 199.0}
    gates = list(false_alarms.gates({"nothing": rows, "delays": [late]}))
    assert len(gates) == 5
    assert not any(each["ok"] for each in gates)


def test_gates_are_kept_where_alarms_are_as_rare_as_was_said() -> None:
    words = (false_alarms.MEAN, false_alarms.CERTAIN)
    row = {"lives": 200, "alarm_within_30_days": 0.33, "alarm_within_a_year": 0.05, "days_to_the_first": 90.0}
    rows = [{"false_alarms": each, **row, "standard_error": 5.0, "alarms_per_90_days": 1.0} for each in words]
    soon = {"detector": "x", "limit": 1e4, "change": "y", "median": 199.0, "at_most": 199.0}
    assert all(each["ok"] for each in false_alarms.gates({"nothing": rows, "delays": [soon]}))
