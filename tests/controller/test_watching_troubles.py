"""Watches in trouble: somebody was down for long, cannot look, has a wrong clock, or a monitor of no use."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.controller.test_watching import LAST, SCENE, SPEC, WORDS, Installation, alerting
from tests.monitors.watch.worlds import DAYS, END, MONDAY, OTHER, OUTPUT, VERSION

from headgate.alerts.finding import Finding
from headgate.clock import HeldClock
from headgate.controller.unwatched import PATIENCE, Unwatched
from headgate.errors import NotFound, Unavailable
from headgate.monitors.standing import Standing
from headgate.monitors.watch.monitor import Portion, Reads, Says, Told
from headgate.monitors.watch.report import monitored
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, HOUR, Micros

LATE = ("default", "late")


def standing(here: Installation) -> dict[str, str]:
    """What stands, by monitor."""
    return {each.finding.monitor: each.finding.what for each in here.store.alerts("default", standing=True)}


def test_who_was_down_for_long_goes_on_a_day_at_a_time_and_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    once, here = Installation(tmp_path / "a", 5), Installation(tmp_path / "b", 5)
    once.turn(LAST)
    here.at(LAST)
    seen = []
    while here.watching.turn():
        seen.append(here.state.until)
    assert seen[:3] == [MONDAY + DAY, MONDAY + 2 * DAY, MONDAY + 3 * DAY]
    assert len(seen) < DAYS + 3, "once it is near, it goes all the way"
    assert here.state == once.state
    assert here.days == once.days
    assert sorted(here.told.said) == sorted(once.told.said)


def test_an_endpoint_nobody_can_look_at_is_told_and_over_when_somebody_can(tmp_path: Path) -> None:
    here = Installation(tmp_path, 5)
    lost = [True]

    def scene(spec: EndpointSpec) -> Scene:
        if lost[0]:
            raise NotFound("version", VERSION)
        return SCENE

    here.watching = here.controller(alerting(here))
    here.watching._scene = scene
    for looks in range(1, PATIENCE + 3):
        here.turn(MONDAY + HOUR * looks)
        assert ("watch" in standing(here)) is (looks >= PATIENCE)
    [alert] = here.store.alerts("default", standing=True)
    assert VERSION in alert.finding.cause
    assert alert.times == 3, "once an hour for as long as it is so"
    assert here.watching.lags(*LATE)
    lost[0] = False
    here.turn(MONDAY + HOUR * 9)
    assert standing(here) == {}
    assert not here.watching.lags(*LATE)


def test_nobody_is_told_of_what_is_over_at_once_and_what_is_dear_is_tried_less_often() -> None:
    told: list[str] = []
    unwatched = Unwatched(lambda found: told.append(found[0].what), lambda project, key: told.append("over"))
    unwatched.looked(LATE)
    assert told == ["over"], "whatever a controller before this one told"
    told.clear()
    for _ in range(PATIENCE - 1):
        unwatched.failed(LATE, "it is being sealed", 0.0, Micros(0))
    unwatched.looked(LATE)
    assert told == []
    assert not unwatched.rests(LATE)
    unwatched.failed(LATE, "x", 1e9, Micros(0))
    assert unwatched.rests(LATE)
    unwatched.wake([LATE])
    assert not unwatched.rests(LATE)
    unwatched.wake([])
    for _ in range(PATIENCE):
        unwatched.failed(LATE, "x" * 5000, 0.0, Micros(0))
    assert len(told) == 1
    unwatched.looked(LATE)
    assert told[1:] == ["over"]


def test_who_cannot_be_told_either_is_told_at_the_next_look() -> None:
    away, told = [True], list[Sequence[Finding]]()

    def report(found: Sequence[Finding]) -> None:
        if away[0]:
            raise Unavailable("the store cannot be used now")
        told.append(found)

    unwatched = Unwatched(report, lambda project, key: None)
    for _ in range(PATIENCE):
        unwatched.failed(LATE, "the store cannot be used now", 0.0, Micros(0))
    away[0] = False
    unwatched.failed(LATE, "the store was away", 0.0, Micros(5))
    unwatched.failed(LATE, "the store was away", 0.0, Micros(HOUR))
    assert [found[0].at for found in told] == [5]


def test_what_a_monitor_found_is_over_when_it_is_made_anew_or_watches_no_more(tmp_path: Path) -> None:
    for anew in (True, False):
        folder = tmp_path / str(anew)
        folder.mkdir()
        here = Installation(folder, 5)
        here.watching = here.controller(alerting(here))
        here.turn(MONDAY + 3 * DAY + HOUR)
        assert "errors" in standing(here)
        words = msgspec.structs.replace(WORDS, errors_percent=6)
        monitors = roster(msgspec.structs.replace(SPEC, monitors=words), VERSION, OUTPUT, SCENE.reference)
        here.scene = replace(SCENE, monitors=monitors if anew else ())
        here.turn(MONDAY + 3 * DAY + 3 * HOUR)
        assert "errors" not in standing(here)


def test_a_clock_that_is_a_day_behind_is_told_and_nothing_is_looked_at_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = Installation(tmp_path, 5)
    here.turn(MONDAY + 3 * DAY)
    before, days = here.state, here.days
    here.clock = HeldClock(Micros(MONDAY + DAY))
    here.watching = here.controller()
    assert here.watching.turn() == []
    assert "put it right" in caplog.text
    assert (here.state, here.days) == (before, days)
    here.clock = HeldClock(Micros(MONDAY + 2 * DAY + HOUR))
    here.watching = here.controller()
    assert here.watching.turn() == [LATE], "some hours are waited for"
    assert (here.state, here.days) == (before, days)


class Anything(msgspec.Struct, frozen=True):
    """A state that holds whatever a test says."""

    held: Any = None


class Odd:
    """A monitor whose findings, states or words are of no use."""

    name, mark, reads, daily, kind = "odd", "1", Reads.ANSWERS, False, Anything

    def __init__(self, what: str = "", held: Any = None) -> None:
        self.what, self.held = what, held

    def start(self, began: Micros) -> Anything:
        return Anything()

    def take(self, state: Anything, portion: Portion) -> tuple[Anything, tuple[Told, ...]]:
        found = Finding(endpoint="late", monitor=self.name, what=self.what, at=portion.ripe)
        return Anything(self.held), (found,) if self.what else ()

    def says(self, state: Anything) -> Says:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Odd(what="x" * 301), "what it found cannot be told: what: must be at most 300 characters"),
        (Odd(what="\ud800"), "what it found cannot be told: what: must be UTF-8 text"),
        (Odd(held=object()), "its state cannot be kept (TypeError)"),
        (Odd(), "how it stands cannot be said: ZeroDivisionError"),
    ],
)
def test_a_monitor_of_no_use_is_broken_and_the_others_go_on(tmp_path: Path, odd: Odd, why: str) -> None:
    here = Installation(tmp_path, 5, replace(SCENE, monitors=(odd, *SCENE.monitors)))
    here.turn(MONDAY + DAY)
    found = monitored(here.scene, here.state, here.days, false_alarms="")
    says = {each.monitor: each.says for each in found.monitors}
    assert says["odd"].standing is Standing.BROKEN
    assert why in says["odd"].what
    assert says["errors"].standing is Standing.STEADY
    assert here.state.until == MONDAY + 23 * HOUR


def test_a_version_that_went_has_the_labels_of_its_last_days(tmp_path: Path) -> None:
    here = Installation(tmp_path, 1, replace(SCENE, version=OTHER))
    here.turn(LAST)
    for version in (VERSION, OTHER):
        mine = [each for each in here.days if each.version == version and each.due]
        assert mine
        assert all("accuracy" in each.figures for each in mine)


def test_a_watch_that_stopped_long_ago_says_so(tmp_path: Path) -> None:
    here = Installation(tmp_path, 1)
    here.turn(END)
    notes = [monitored(SCENE, here.state, [], false_alarms="", now=Micros(END + more)).notes for more in (DAY, 2 * DAY)]
    assert [len(each) for each in notes] == [0, 1]
    assert "nothing since" in notes[1][0]


def test_a_fault_is_logged_once_for_as_long_as_it_is_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Odd):
        def take(self, state: Anything, portion: Portion) -> tuple[Anything, tuple[Told, ...]]:
            raise ZeroDivisionError

    here = Installation(tmp_path, 5, replace(SCENE, monitors=(Failing(),)))
    with caplog.at_level(logging.ERROR):
        for hour in range(2, 9):
            here.turn(MONDAY + hour * HOUR)
    assert caplog.text.count("the monitor odd of late failed") == 1
