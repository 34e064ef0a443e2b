"""Alerts kept by the controller: decided once whoever reports, with their events and what is to be told."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from tests.alerts.samples import T0, finding

from headgate.alerts.alert import Alert, Notice, Silence, acknowledged
from headgate.alerts.delivery import Delivery
from headgate.alerts.finding import Severity, key_of
from headgate.alerts.rule import Rule
from headgate.clock import HeldClock
from headgate.controller.alerting import Alerting, Standing
from headgate.errors import BadInput, Conflict
from headgate.events import Event, EventKind
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import HOUR, Micros

WALL: Final = Micros(1_700_000_000_000_000)
SILENCED: Final = Event(T0, EventKind.SILENCED, "default", "late", "ann")


class Watch:
    """A store, both clocks, two channels, and the alerting over them."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.clock, self.wall = HeldClock(T0), HeldClock(WALL)
        self.rules: dict[tuple[str, str], Rule] = {}
        self.channels = {"ops": Severity.INFO, "pager": Severity.CRITICAL}
        self.counted: list[Standing] = []
        self.alerting = Alerting(
            alerts=self.store,
            rules=lambda: self.rules,
            channels=lambda: self.channels,
            secret=lambda: b"s" * 32,
            clock=self.clock,
            wall=self.wall,
            counted=self.counted.append,
        )

    def later(self, hours: float) -> list[Alert]:
        for each in (self.clock, self.wall):
            each.move_to(Micros(each.now() + round(hours * HOUR)))
        return self.alerting.turn()

    def find(self, severity: Severity = Severity.WARNING, **words: str) -> Alert:
        [alert] = self.alerting.report([finding(severity, self.clock.now(), **words)])
        return alert

    def told(self) -> list[tuple[str, str]]:
        return [(each.notice.value, each.channel) for each in self.store.waiting()]

    def changes(self) -> list[tuple[str, str]]:
        return [(each.before, each.after) for each in reversed(self.store.events("default", "late"))]


def test_a_finding_becomes_one_alert_with_its_event_and_what_is_to_be_told() -> None:
    here = Watch()
    for _ in range(5):
        alert = here.find()
    assert here.store.alerts() == [alert]
    assert alert.times == 5
    assert here.told() == [("raised", "log"), ("raised", "ops")]
    assert {each.planned for each in here.store.waiting()} == {WALL}, "deliveries live by the wall clock"
    [event] = here.store.events("default", "late")
    assert (event.kind, event.at, event.before, event.after) == (EventKind.ALERTED, T0, "", "warning")
    assert event.details == {"alert": alert.id, "monitor": "score_drift", "subject": ""}


def test_what_an_endpoints_file_says_holds_for_its_alerts() -> None:
    here = Watch()
    here.rules["default", "late"] = Rule(("pager",), Severity.CRITICAL, Micros(HOUR), Micros(2 * HOUR))
    here.find()
    assert here.told() == []
    here.find(Severity.CRITICAL)
    assert here.told() == [("raised", "log"), ("raised", "pager")]
    here.later(2)
    assert here.store.alerts(standing=True) == []


def test_time_reminds_and_ends() -> None:
    here = Watch()
    here.find()
    here.later(1)
    here.find()
    assert here.later(2.9) == []
    [alert] = here.later(0.1)
    assert here.told() == [("raised", "log"), ("raised", "ops")], "who has not heard yet needs no reminder"
    assert (alert.said, alert.notices) == (Notice.AGAIN, 2)
    [ended] = here.later(24)
    assert ended.ended == here.clock.now()
    assert here.told()[2:] == [("over", "log"), ("over", "ops")]
    assert here.changes() == [("", "warning"), ("warning", "over")]


def test_a_monitor_says_that_it_is_over() -> None:
    here = Watch()
    alert = here.find()
    key = key_of("default", "late", "score_drift")
    ended = here.alerting.clear("default", key)
    assert ended is not None
    assert (ended.id, ended.stands) == (alert.id, False)
    assert here.alerting.clear("default", key) is None
    assert here.alerting.clear("default", "another") is None
    assert here.changes() == [("", "warning"), ("warning", "over")]


def test_a_silence_holds_back_and_its_end_tells() -> None:
    here = Watch()
    here.store.put_silence(Silence("default", "late", T0, Micros(T0 + 2 * HOUR), "ann", "a migration"), SILENCED)
    here.find(Severity.CRITICAL)
    here.find(endpoint="other")
    assert here.told() == [("raised", "log"), ("raised", "ops")], "the other endpoint's alone"
    assert here.later(1.9) == []
    [alert] = here.later(0.1)
    assert alert.finding.endpoint == "late"
    assert here.told()[2:] == [("raised", "log"), ("raised", "ops"), ("raised", "pager")]


def test_how_many_stand_is_counted() -> None:
    here = Watch()
    here.alerting.turn()
    here.find()
    here.find(subject="distance")
    here.find(Severity.CRITICAL, endpoint="other")
    here.alerting.turn()
    here.later(24)
    warning = {("default", "late", Severity.WARNING): 2, ("default", "other", Severity.CRITICAL): 1}
    assert here.counted == [{}, warning, {}]


def test_a_finding_that_cannot_be_told_is_refused_before_any_is_kept() -> None:
    here = Watch()
    with pytest.raises(BadInput, match="monitor"):
        here.alerting.report([finding(), finding(monitor="")])
    assert here.store.alerts() == []


def test_many_reporters_make_one_alert_and_lose_no_finding() -> None:
    here = Watch()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: here.find(), range(24)))
    [alert] = here.store.alerts()
    assert alert.times == 24
    assert here.told() == [("raised", "log"), ("raised", "ops")]


class Contended(MemoryStore):
    """Somebody acknowledges whatever is about to be changed, so many times."""

    left = 0

    def change_alert(self, alert: Alert, *, events: Sequence[Event] = (), deliveries: Sequence[Delivery] = ()) -> None:
        last = self.last_alert(alert.finding.project, alert.key)
        if self.left and last is not None:
            self.left -= 1
            super().change_alert(acknowledged(last, "ann", T0))
        super().change_alert(alert, events=events, deliveries=deliveries)


def test_what_was_changed_meanwhile_is_decided_anew() -> None:
    store = Contended()
    here = Watch(store)
    here.find()
    store.left = 3
    alert = here.find()
    assert (alert.times, alert.acknowledged is not None, alert.revision) == (2, True, 5)
    store.left = 1
    assert here.later(24) == [], "the next turn looks again"
    [ended] = here.later(0)
    assert not ended.stands


def test_who_is_never_let_in_is_told_so() -> None:
    store = Contended()
    here = Watch(store)
    here.find()
    store.left = 1000
    with pytest.raises(Conflict, match="report it again"):
        here.find()
    with pytest.raises(Conflict, match="report it again"):
        here.alerting.clear("default", key_of("default", "late", "score_drift"))


def test_the_same_story_at_any_speed() -> None:
    """Turns beside the ones that move the clock change nothing: what is decided depends on event time alone."""

    def told(turns: int) -> list[tuple[str, int]]:
        here = Watch()
        for hour in range(60):
            if hour % 7 < 3 and hour < 30:
                here.find(Severity.CRITICAL if hour > 14 else Severity.WARNING)
            here.later(1)
            for _ in range(turns):
                here.alerting.turn()
        return [(each.notice.value, each.alert.seen) for each in here.store.waiting()]

    assert told(0) == told(3)
    assert {notice for notice, _ in told(0)} >= {"raised", "worse", "over"}


def test_nothing_is_over_only_because_nobody_looks() -> None:
    """Given a controller that was down, when it starts, then alerts wait for whoever finds things to have looked."""
    here = Watch()
    here.find()
    here.find(endpoint="other")
    here.clock.move_to(Micros(T0 + 48 * HOUR))
    [ended] = here.alerting.turn(lambda project, endpoint: endpoint == "late")
    assert ended.finding.endpoint == "other"
    [ended] = here.alerting.turn()
    assert ended.finding.endpoint == "late"
