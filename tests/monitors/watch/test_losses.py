"""What should be seldom: found when it is not, told once until it is over, and never where nothing is counted."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from tests.monitors.joined import NOTHING, Row, moment, refused
from tests.monitors.watch.rows import OUTPUT, VERSION, day_of, hour_of

from headgate.alerts.finding import Severity, checked
from headgate.evaluation.report import Report, evaluate
from headgate.monitors.standing import Standing, broken
from headgate.monitors.watch.losses import Losses, LossState
from headgate.monitors.watch.monitor import AnyMonitor, Over, Portion, Told
from headgate.monitors.watch.roster import roster
from headgate.traffic.endpoint import EndpointSpec, Slo
from headgate.traffic.watched import MonitorWords
from headgate.vocabulary import DAY, HOUR, Micros, Task

MONDAY = moment("2013-03-04")
SPEC = EndpointSpec("flights", "flight", slo=Slo(latency_p99_ms=50.0))
FALLEN = replace(Row(), assigned="flight:2", fallback="failed", role="canary")


def reference(accuracy: float, rows: int = 2000) -> Report:
    right = round(accuracy * rows)
    return evaluate(Task.BINARY, ["no"] * right + ["yes"] * (rows - right), ["no"] * rows, None, ("no", "yes"))


def of(name: str, spec: EndpointSpec = SPEC, report: Report | None = None) -> AnyMonitor:
    return next(each for each in roster(spec, VERSION, OUTPUT, report) if each.name == name)


def hour(bad: Row, share: float, number: int, rows: int = 100) -> Portion:
    """An hour of rows a minute apart, so many of them bad."""
    start = MONDAY + number * HOUR
    count = round(share * rows)
    made = [bad] * count + [Row()] * (rows - count)
    order = np.random.default_rng(number).permutation(rows)
    return hour_of([replace(made[each], at=start + place) for place, each in enumerate(order)], start)


def fed(monitor: AnyMonitor, portions: list[Portion]) -> tuple[LossState, list[Told]]:
    state, told = monitor.start(Micros(MONDAY)), list[Told]()
    for each in portions:
        state, said = monitor.take(state, each)
        told += said
    assert isinstance(state, LossState)
    return state, told


CASES = [
    ("errors", NOTHING, 0.1, Severity.CRITICAL),
    ("errors", refused("deadline"), 0.1, Severity.CRITICAL),
    ("refusals", refused("range"), 0.2, Severity.WARNING),
    ("fallbacks", FALLEN, 0.2, Severity.WARNING),
    ("latency", Row(latency_us=60_000), 0.1, Severity.WARNING),
]


@pytest.mark.parametrize(("name", "bad", "share", "severity"), CASES)
def test_more_than_is_borne_is_found_and_told(name: str, bad: Row, share: float, severity: Severity) -> None:
    watched = of(name)
    quiet = [hour(bad, 0.0, number) for number in range(24)]
    state, told = fed(watched, quiet)
    assert (told, watched.says(state).standing) == ([], Standing.STEADY)
    state, told = fed(watched, [*quiet, *(hour(bad, share, number) for number in range(24, 34))])
    findings = [each for each in told if not isinstance(each, Over)]
    assert findings
    assert all(checked(each) is each and each.severity is severity for each in findings)
    says = watched.says(state)
    assert (says.standing, says.since) == (Standing.ALARM, findings[0].at)
    assert MONDAY + 24 * HOUR <= findings[0].at < MONDAY + 34 * HOUR
    assert f"{round(share * 1000)} of 2,400" in says.figures[0].value
    assert says.advice
    assert "at most 1 per 90 days" in says.certainty


@pytest.mark.parametrize(("name", "bad", "share", "severity"), CASES[:1])
def test_it_is_over_after_a_day_without_an_alarm(name: str, bad: Row, share: float, severity: Severity) -> None:
    watched = of(name)
    wrong, right = (hour(bad, share, each) for each in range(4)), (hour(bad, 0, each) for each in range(4, 40))
    state, told = fed(watched, [*wrong, *right])
    assert [each for each in told if isinstance(each, Over)] == [told[-1]]
    assert told[-1].at <= MONDAY + 29 * HOUR
    assert watched.says(state).standing is Standing.STEADY


def test_what_a_caller_did_wrong_is_no_error_and_what_a_version_did_is_no_refusal() -> None:
    for name, bad in (("errors", refused("range")), ("refusals", refused("runtime")), ("fallbacks", NOTHING)):
        _, told = fed(of(name), [hour(bad, 0.5, number) for number in range(10)])
        assert told == []


def test_wrong_answers_are_compared_with_the_evaluation() -> None:
    watched = of("risk", report=reference(0.9))
    right, wrong = Row(label="no"), Row(label="yes")

    def day(number: int, share: float) -> Portion:
        start = MONDAY + number * DAY
        made = [wrong] * round(share * 300) + [right] * round((1 - share) * 300)
        order = np.random.default_rng(number).permutation(300)
        return day_of([replace(made[each], at=start + place) for place, each in enumerate(order)], start)

    state, told = fed(watched, [day(number, 0.1) for number in range(5)])
    assert (told, watched.says(state).standing) == ([], Standing.STEADY)
    state, told = fed(watched, [*(day(number, 0.1) for number in range(5)), day(5, 0.3)])
    assert told
    assert f"labelled answers of {VERSION} are wrong" in watched.says(state).what


@pytest.mark.parametrize("report", [None, reference(0.9, 200)])
def test_without_a_reference_that_says_enough_it_is_undecided_and_says_why(report: Report | None) -> None:
    watched = of("risk", report=report)
    state, told = fed(watched, [day_of([Row(label="yes")] * 50, MONDAY)])
    says = watched.says(state)
    assert (told, says.standing) == ([], Standing.UNDECIDED)
    begins = "flight:1 has no evaluation" if report is None else "the reference has 200 labelled rows"
    assert says.what.startswith(begins)


def test_a_reference_that_cannot_be_read_is_broken_before_any_row_came() -> None:
    watched = of("risk")
    assert isinstance(watched, Losses)
    machine = msgspec.structs.replace(watched.machine, shortfall=broken("in the reference losses are no numbers"))
    spoiled = replace(watched, machine=machine)
    says = spoiled.says(spoiled.start(Micros(MONDAY)))
    assert (says.standing, says.what) == (Standing.BROKEN, "in the reference losses are no numbers")


def test_nothing_is_decided_of_nothing() -> None:
    watched = of("latency")
    state, told = fed(watched, [hour(refused("range"), 1.0, 0)])
    says = watched.says(state)
    assert (told, says.standing, says.figures) == ([], Standing.UNDECIDED, ())
    assert says.what == "there were no answers yet"


def test_what_is_borne_is_in_the_file() -> None:
    bold = bearing(50.0)
    _, told = fed(of("errors", bold), [hour(NOTHING, 0.3, number) for number in range(10)])
    assert told == []
    assert of("errors", bold).mark != of("errors").mark
    assert of("refusals", bold).mark == of("refusals").mark
    assert {each.name for each in roster(EndpointSpec("f", "f"), VERSION, OUTPUT, None)} == {
        "errors", "refusals", "fallbacks", "risk", "performance", "labels",
    }  # fmt: skip


def bearing(errors_percent: float) -> EndpointSpec:
    return EndpointSpec("flights", "flight", slo=SPEC.slo, monitors=MonitorWords(errors_percent=errors_percent))


def test_errors_at_what_is_borne_raise_no_more_alarms_than_was_said() -> None:
    """Forty stretches of 20 days with any traffic; the budget is the seventh part of one false alarm in 90 days."""
    random = np.random.default_rng(3)
    watched = of("errors")
    machine = watched.machine if isinstance(watched, Losses) else None
    assert machine is not None
    alarms = 0
    for _ in range(40):
        at = MONDAY + np.sort(random.integers(0, 20 * DAY, int(random.integers(100, 3000))))
        _, (found,) = machine.observe(machine.start(Micros(MONDAY)), at, (random.random(len(at)) < 0.01) * 1.0)
        alarms += len(found.alarms)
    # 40 x 20 days of a budget of one in 630 days are 1.3 alarms, and three standard errors more.
    assert alarms <= 5
