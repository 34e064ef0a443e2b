"""What an endpoint's file says of its monitors: defaults, what is refused, and what a draft shows."""

import pytest

from headgate.errors import BadConfiguration
from headgate.evidence.false_alarms import FalseAlarms, Kind
from headgate.traffic.endpoint import dump_endpoint, load_endpoint
from headgate.traffic.watched import MonitorWords

BEGIN = "endpoint: late\nmodel: late\n"


def test_every_endpoint_is_watched_and_says_nothing_of_it() -> None:
    spec = load_endpoint(BEGIN, "file")
    assert spec.monitors == MonitorWords()
    assert spec.monitors.policy == FalseAlarms(Kind.MEAN, 1.0, 90.0)
    assert "monitors" not in dump_endpoint(spec)


def test_what_is_written_is_read_back() -> None:
    text = BEGIN + "monitors:\n  false_alarms: at most 5 % per year\n  errors_percent: 2\n  price_per_cpu_hour: 0.04\n"
    spec = load_endpoint(text, "file")
    assert spec.monitors.policy == FalseAlarms(Kind.PERIOD, 0.05, 365.0)
    assert load_endpoint(dump_endpoint(spec), "file") == spec


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("false_alarms: seldom", "monitors.false_alarms"),
        ("false_alarms: at most 0 % per year", "monitors.false_alarms"),
        ("errors_percent: 0", "monitors.errors_percent"),
        ("refusals_percent: 100", "monitors.refusals_percent"),
        ("fallbacks_percent: .nan", "monitors.fallbacks_percent"),
        ("tolerance: 1", "monitors.tolerance"),
        ("tolerance: .nan", "monitors.tolerance"),
        ("groups: [sex, sex]", "monitors.groups[1]"),
        ("groups: [a, b, c, d, e, f]", "monitors.groups"),
        ("price_per_cpu_hour: -1", "monitors.price_per_cpu_hour"),
        ("price_per_cpu_hour: .inf", "monitors.price_per_cpu_hour"),
        ("alarms: none", "monitors"),
    ],
)
def test_what_breaks_a_rule_is_named(words: str, key: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        load_endpoint(f"{BEGIN}monitors:\n  {words}\n", "file")
    assert key in refused.value.where


def test_groups_must_be_in_the_journal() -> None:
    spec = load_endpoint(BEGIN + "monitors: {groups: [sex, region]}\n", "file")
    assert spec.monitors.groups == ["sex", "region"]
    assert load_endpoint(dump_endpoint(spec), "file") == spec
    for words in ("groups: [sex]\ncapture: {redact: [sex]}", "groups: [sex]\ncapture: {fields: [region]}"):
        first, _, rest = words.partition("\n")
        with pytest.raises(BadConfiguration, match="is not kept in the journal"):
            load_endpoint(f"{BEGIN}monitors:\n  {first}\n{rest}\n", "file")
