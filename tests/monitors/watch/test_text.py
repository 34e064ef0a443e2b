"""How an endpoint stands, as a stranger reads it on a terminal and a program as JSON."""

import json

import msgspec
from tests.monitors.watch.rows import OUTPUT, SOURCE, VERSION

from headgate.alerts.finding import Figure
from headgate.evaluation.estimate import Estimate
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.standing import Standing
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.monitor import Says
from headgate.monitors.watch.report import Line, Monitored, monitored
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import WatchState, begun
from headgate.monitors.watch.text import as_text
from headgate.monitors.watch.times import Times
from headgate.vocabulary import DAY, HOUR, Micros

MONDAY = Micros(1_362_355_200_000_000)
ALARM = Says(
    standing=Standing.ALARM,
    what="more than 1 % of inputs end in an error",
    since=Micros(MONDAY + 14 * HOUR),
    figures=(Figure("errors, last 24 hours", "212 of 4,180 (5.07 %)", "1 %"),),
    advice="roll back",
    certainty="false alarms of all 6 monitors of the endpoint: at most 1 per 90 days",
)
STEADY = Says(standing=Standing.STEADY, what="nothing says otherwise", certainty="quite")
NOTES = ("labels are missing",)
DAYS = (
    Day(version="", start=MONDAY, volume=212, errors=200, refused={"range": 12}),
    Day(
        version=VERSION,
        start=MONDAY,
        volume=4000,
        answered=4000,
        latency=Times((350,), (4000,)),
        calls=4000,
        model_us=8_000_000,
        due=4000,
        labelled=3000,
        figures={"accuracy": Estimate("accuracy", 0.8, 0.78, 0.82, 3000)},
    ),
)


def found(**more: object) -> Monitored:
    state = begun("default", "flights", Micros(MONDAY + 8 * DAY))
    whole = Monitored(
        project="default",
        endpoint="flights",
        version=VERSION,
        began=state.began,
        until=Micros(MONDAY + DAY),
        matured=MONDAY,
        false_alarms="at most 1 per 90 days",
        monitors=(Line("errors", ALARM), Line("refusals", STEADY)),
        days=DAYS,
    )
    return msgspec.structs.replace(whole, **more)


def test_a_terminal_shows_what_is_wrong_since_when_how_sure_and_what_to_do() -> None:
    text = as_text(found())
    assert "flights  (flight:1, project default)" in text
    assert "hours until 2013-03-05 00:00, labels until 2013-03-04 00:00 (UTC)" in text
    assert "ALARM      errors       since 2013-03-04 14:00: more than 1 % of inputs end in an error" in text
    for detail in ("errors, last 24 hours: 212 of 4,180 (5.07 %)  [1 %]", "what to do: roll back", "how sure: false"):
        assert detail in text
    assert "steady     refusals     nothing says otherwise" in text
    assert "quite" not in text, "how sure nobody is of an alarm that is not there"
    [day] = [line for line in text.splitlines() if line.startswith("2013-03-04") and VERSION in line]
    assert "4,000" in day
    assert "3,000 of 4,000" in day
    assert "0.8000 (0.7800 to 0.8200)" in day
    assert "refused by rule: range 12" in text


def test_money_is_told_where_the_file_says_what_an_hour_costs() -> None:
    assert "cost/1000" not in as_text(found())
    [head, *_] = [line for line in as_text(found(price_per_cpu_hour=0.9)).splitlines() if line.startswith("day (UTC)")]
    assert "cost/1000" in head
    # 2 s next to the model per thousand answers at 0.9 an hour.
    assert "0.0005" in as_text(found(price_per_cpu_hour=0.9))


def test_json_has_the_same_content() -> None:
    told = json.loads(msgspec.json.encode(found()))
    assert [each["says"]["standing"] for each in told["monitors"]] == ["alarm", "steady"]
    assert told["days"][1]["figures"]["accuracy"]["value"] == 0.8
    assert [each.monitor for each in found().alarms] == ["errors"]


def test_before_the_first_look_it_says_that_nobody_has_looked() -> None:
    scene = Scene(SOURCE, VERSION, OUTPUT)
    told = monitored(scene, None, [], false_alarms="at most 1 per 90 days")
    assert "nobody has looked yet" in as_text(told)
    assert told.monitors == ()


def test_notes_say_what_was_late_and_who_was_in_charge() -> None:
    state = WatchState(
        project="default", endpoint="flights", began=MONDAY, until=MONDAY, matured=MONDAY, version="flight:0", late=3
    )
    text = as_text(monitored(Scene(SOURCE, VERSION, OUTPUT), state, [], false_alarms=""))
    assert "3 inputs came after their hour was looked at" in text
    assert "flight:0 was in charge at the last look" in text


def test_why_it_alarms_is_said_below_the_monitors_and_as_labels_came() -> None:
    tuesday = Micros(MONDAY + DAY)
    why = Diagnosis(
        version=VERSION, start=MONDAY, end=tuesday, matured=MONDAY, known=tuesday, inputs=40, labelled=0, notes=NOTES
    )
    kept = Diagnosed(project="default", endpoint="flights", began=MONDAY).after(why)
    text = as_text(found(diagnosis=kept))
    assert "why it alarms\ndiagnosis of flight:1 from 2013-03-04 to 2013-03-05" in text
    assert "but         labels are missing" in text
    assert "2013-03-05   2013-03-04 to 2013-03-05  0 of 40  undecided" in text
    over = as_text(found(diagnosis=kept, monitors=()))
    assert "why it alarmed last; that is over" in over
    assert json.loads(msgspec.json.encode(found(diagnosis=kept)))["diagnosis"]["last"]["notes"] == [*NOTES]
