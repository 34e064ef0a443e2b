"""What of all that happened begins a run, and what holds it up."""

from typing import Any

import msgspec
import pytest

from headgate.alerts.alert import Alert, raised
from headgate.alerts.finding import Finding
from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.attribute import Attribution
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.watch.days import Day
from headgate.retraining import trigger
from headgate.retraining.decide import begins
from headgate.retraining.run import Call, Cutting, Firing, Outcome, Run, Source
from headgate.retraining.trigger import Facts
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import DAY, HOUR, Digest, Micros

NOW = Micros(100 * DAY)
NOTHING = Estimate("auc", None, None, None, 0)


def an_alert(monitor: str, at: int = 99 * DAY) -> Alert:
    return raised(Finding(endpoint="late", monitor=monitor, what="it is worse", at=Micros(at)))


def a_run(at: int, *, source: Source = Source.ALARM, key: str = "", **more: Any) -> Run:
    firing = Firing(at=Micros(at), source=source, why="before", key=key)
    run = Run(endpoint="late", number=1, fired=Micros(at), firings=(firing,), champion="late:1")
    return msgspec.structs.replace(run, **more)


def a_call(source: Source, key: str = "k") -> Call:
    return Call(endpoint="late", source=source, at=NOW, why="ci says so", who="key ci", key=key)


def diagnosed(alert: Alert, drift: Drift, remedy: Remedy) -> Diagnosed:
    """A diagnosis that says so."""
    parts = ("reference", "current", "drop", "data", "concept", "unshared")
    figures: dict[str, Any] = dict.fromkeys(parts, NOTHING)
    main = Attribution(metric="auc", drift=drift, remedy=remedy, **figures)
    span: dict[str, Any] = {"start": NOW, "end": NOW, "matured": NOW, "known": NOW}
    last = Diagnosis(version="late:1", inputs=9, labelled=9, attributions=(main,), **span)
    return Diagnosed(project="default", endpoint="late", began=Micros(98 * DAY), alerts=(alert.id,), last=last)


def sources(when: str, **facts: Any) -> list[str]:
    told: dict[str, Any] = {"now": NOW, "live": "late:1"}
    found = begins(RetrainingWords(when=when), Facts(**(told | facts)))
    return [each.source.value for each in found.firings]


@pytest.mark.parametrize(
    ("when", "monitor", "fires"),
    [
        ("alarm", "risk", True),
        ("alarm(concept)", "risk", True),
        ("alarm(performance)", "performance", True),
        ("alarm(performance)", "risk", False),
        ("alarm(estimate)", "estimate", True),
        ("alarm(data)", "input", True),
        ("alarm(data)", "performance", False),
        ("alarm", "latency", False),
        ("alarm and message", "risk", False),
        ("alarm or message", "risk", True),
    ],
)
def test_an_alarm_fires_by_its_ground(when: str, monitor: str, fires: bool) -> None:
    assert bool(sources(when, alerts=[an_alert(monitor)])) is fires


def test_an_alarm_waits_for_its_diagnosis_for_an_hour() -> None:
    assert sources("alarm", alerts=[an_alert("risk", NOW - HOUR + 1)]) == []
    assert sources("alarm", alerts=[an_alert("risk", NOW - HOUR)]) == ["alarm"]


@pytest.mark.parametrize(
    ("drift", "remedy", "when", "fires"),
    [
        (Drift.CONCEPT, Remedy.RELEARN, "alarm(concept)", True),
        (Drift.DATA, Remedy.FIX_FIELD, "alarm", False),
        (Drift.DATA, Remedy.REWEIGHT, "alarm(data)", True),
        (Drift.NONE, Remedy.NOTHING, "alarm", True),  # labels say it is worse, whatever the reason
    ],
)
def test_a_diagnosis_gives_an_alarm_its_ground_and_says_whether_learning_helps(
    drift: Drift, remedy: Remedy, when: str, fires: bool
) -> None:
    alert = an_alert("performance")
    known = diagnosed(alert, drift, remedy)
    assert bool(sources(when, alerts=[alert], diagnoses=[known])) is fires


def test_inputs_that_moved_and_cost_nothing_are_no_reason() -> None:
    alert = an_alert("input")
    known = diagnosed(alert, Drift.DATA, Remedy.NOTHING)
    assert sources("alarm", alerts=[alert], diagnoses=[known]) == []


def test_an_alarm_of_the_version_before_is_none() -> None:
    run = a_run(90 * DAY, outcome=Outcome.PROMOTED, promoted=Micros(99 * DAY))
    assert sources("alarm", alerts=[an_alert("risk", 98 * DAY)], runs=[run]) == []
    assert sources("alarm", alerts=[an_alert("risk", 99 * DAY + 1)], runs=[run], live="late:2") == ["alarm"]


def test_a_schedule_fires_once_a_time() -> None:
    assert sources('schedule("0 3 * * *")', began=Micros(98 * DAY)) == ["schedule"]
    assert sources('schedule("0 3 * * *")', runs=[a_run(NOW - 1)]) == []


def test_labels_count_from_where_the_last_run_stopped() -> None:
    days = [Day(version="late:1", start=Micros(each * DAY), due=60, labelled=50) for each in range(90, 100)]
    assert sources("labels >= 500", days=days) == ["labels"]
    assert sources("labels >= 501", days=days) == []
    cut = Cutting(digest=Digest("sha256:0"), choice="everything", why="", as_of=NOW, end=Micros(95 * DAY), rows=9)
    assert sources("labels >= 250", days=days, runs=[a_run(0, cut=cut)]) == ["labels"]
    assert sources("labels >= 251", days=days, runs=[a_run(0, cut=cut)]) == []


def test_calls_count_once_and_as_the_file_says() -> None:
    assert sources("message", calls=[a_call(Source.MESSAGE)]) == ["message"]
    assert sources("data", calls=[a_call(Source.MESSAGE)]) == []
    assert sources("data", calls=[a_call(Source.DATA)]) == ["data"]
    assert sources("message", calls=[a_call(Source.MESSAGE)], runs=[a_run(0, source=Source.MESSAGE, key="k")]) == []


def test_a_person_is_held_up_by_nothing() -> None:
    words = RetrainingWords(when="alarm", runs_per_month=0, quiet="00:00-23:59")
    found = begins(words, Facts(now=NOW, live="late:1", calls=[a_call(Source.PERSON)]))
    assert (found.held, [each.source for each in found.firings]) == ("", [Source.PERSON])


@pytest.mark.parametrize(
    ("words", "runs", "says"),
    [
        (RetrainingWords(), [a_run(91 * DAY)], "a run began less than 10d ago"),
        (RetrainingWords(), [a_run(90 * DAY)], ""),
        (RetrainingWords(runs_per_month=1), [a_run(80 * DAY)], "1 of 1 runs of these 30 days have begun"),
        (RetrainingWords(runs_per_month=1), [a_run(80 * DAY, source=Source.PERSON)], ""),
        (RetrainingWords(quiet="22:00-06:00"), [], "it is quiet from 22:00-06:00 (UTC)"),
        (RetrainingWords(quiet="06:00-22:00"), [], ""),
        (RetrainingWords(runs_per_month=0), [], "0 of 0 runs of these 30 days have begun"),
    ],
)
def test_an_alarm_is_held_up(words: RetrainingWords, runs: list[Run], says: str) -> None:
    found = begins(words, Facts(now=NOW, live="late:1", alerts=[an_alert("risk")], runs=runs))
    assert found.firings
    assert found.held == says


def test_what_was_learned_from_little_is_learned_again_once_there_is_three_times_as_much() -> None:
    cut = Cutting(
        digest=Digest("sha256:0"), choice="since_change", why="", as_of=NOW, end=Micros(96 * DAY), rows=400,
        change=Micros(95 * DAY),
    )  # fmt: skip
    run = a_run(97 * DAY, cut=cut, outcome=Outcome.PROMOTED, promoted=Micros(98 * DAY), challenger="late:2")
    days = [Day(version="late:1", start=Micros(each * DAY), due=300, labelled=300) for each in range(95, 99)]
    assert sources("data", days=days, runs=[run], live="late:2") == ["again"]  # within the cooldown, too
    assert sources("data", days=days[:3], runs=[run], live="late:2") == []
    assert sources("data", days=days, runs=[run], live="late:3") == []
    large = msgspec.structs.replace(run, cut=msgspec.structs.replace(cut, rows=trigger.FEW))
    assert sources("data", days=days * 20, runs=[large], live="late:2") == []
