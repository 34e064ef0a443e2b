"""The sentence that says when a model learns again, and the schedule in it."""

from datetime import UTC, datetime

import pytest

from headgate.errors import BadConfiguration, BadInput
from headgate.traffic.cron import read_cron
from headgate.traffic.endpoint import dump_endpoint, load_endpoint
from headgate.traffic.when import Alarm, And, Data, Ground, Labels, Message, Or, Schedule, read_when
from headgate.vocabulary import Micros


def micros(*moment: int) -> Micros:
    year, month, day, *clock = moment
    hour, minute = (*clock, 0, 0)[:2]
    return Micros(int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1_000_000)


def test_and_binds_before_or_and_parentheses_before_both() -> None:
    assert read_when("alarm or data and message") == Or((Alarm(), And((Data(), Message()))))
    assert read_when("(alarm or data) and message") == And((Or((Alarm(), Data())), Message()))
    assert read_when("alarm(data) or labels>=5") == Or((Alarm(Ground.DATA), Labels(5)))
    assert read_when('schedule("0 3 * * 1")') == Schedule(read_cron("0 3 * * 1"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ends too early"),
        ("alarm or", "ends too early"),
        ("alarm(weather)", "knows concept"),
        ("labels >= many", "whole number"),
        ("labels >= 0", "at least 1"),
        ("(alarm", "lacks a )"),
        ("alarm data", "'data' means nothing there"),
        ("alarm & data", "'& data' means nothing there"),
        ('schedule("0 3 * *")', "five fields"),
        ('schedule("0 25 * * 1")', "hour must lie between 0 and 23"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_when(text)
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("cron", "until", "last"),
    [
        ("0 3 * * 1", (2013, 3, 8, 12), (2013, 3, 4, 3)),  # a Friday, and the Monday before it
        ("*/20 * * * *", (2013, 3, 8, 12, 59), (2013, 3, 8, 12, 40)),
        ("30 2 1 * *", (2013, 3, 8), (2013, 3, 1, 2, 30)),
        ("0 0 13 * 5", (2013, 3, 9), (2013, 3, 8)),  # the 13th or a Friday, whichever comes
        ("0 3 * * 7", (2013, 3, 4, 2), (2013, 3, 3, 3)),
    ],
)
def test_a_schedule_was_due_last(cron: str, until: tuple[int, ...], last: tuple[int, ...]) -> None:
    found = read_cron(cron).last(micros(2013, 1, 1), micros(*until))
    assert found == micros(*last)
    assert read_cron(cron).last(micros(*last), micros(*until)) is None  # it counts once


def test_a_schedule_goes_by_the_clock_of_its_zone() -> None:
    assert read_cron("0 3 * * *").last(micros(2013, 3, 1), micros(2013, 3, 4, 12), "America/New_York") == micros(
        2013, 3, 4, 8
    )


def test_a_schedule_that_never_comes_is_given_up() -> None:
    assert read_cron("0 0 30 2 *").last(Micros(0), micros(2013, 3, 4)) is None


FILE = "endpoint: late\nmodel: late:1\nretraining:\n"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("  when: sometimes", "when"),
        ("  cooldown: soon", "cooldown"),
        ("  runs_per_month: -1", "runs_per_month"),
        ('  quiet: "22-6"', "quiet"),
        ("  zone: Mars/Base", "zone"),
        ("  window: lately", "window"),
        ("  gates: [it is good]", "gates[0]"),
        ("  rollout: {candidate: late:2}", "rollout.candidate"),
        ("  recipe: {python: learn.txt}", "recipe.python"),
        ("  recipe: {python: learn.py:train, command: make}", "recipe.command"),
        ("  recipe: {limits: {threads: 0}}", "recipe.limits.threads"),
        ("  recipe: {automl: {budget: 0s}}", "recipe.automl.budget"),
        ('  original: ""', "original"),
    ],
)
def test_a_wrong_word_of_the_file_is_named(line: str, key: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        load_endpoint(f"{FILE}{line}\n", "endpoint.yaml")
    assert refused.value.where == f"endpoint.yaml: retraining.{key}"


def test_words_are_read_back_as_they_were_written() -> None:
    text = f'{FILE}  when: alarm(concept) or labels >= 500\n  quiet: "22:00-06:00"\n  window: recent 90d\n'
    spec = load_endpoint(text, "endpoint.yaml")
    assert load_endpoint(dump_endpoint(spec), "again") == spec
    assert spec.retraining is not None
    assert (spec.retraining.recent_days, spec.retraining.quiet_minutes) == (90, (22 * 60, 6 * 60))
    assert load_endpoint("endpoint: late\nmodel: late:1\n", "bare").retraining is None
