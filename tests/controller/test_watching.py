"""Endpoints that are watched: whoever looks however often, and whoever is killed meanwhile, all say the same."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.watch.worlds import DAYS, END, MATURITY_S, MONDAY, OUTPUT, SOURCE, VERSION, World, story

from headgate.alerts.alert import raised
from headgate.alerts.finding import Finding, Severity, key_of
from headgate.clock import HeldClock
from headgate.contracts.contract import Contract, Field, Kind
from headgate.controller.alerting import Alerting
from headgate.controller.unwatched import WATCH
from headgate.controller.watching import Reports, Watching
from headgate.errors import BadInput, Conflict, NotFound
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import Report
from headgate.evaluation.rows import Rows
from headgate.monitors.standing import Standing
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.monitor import Portion, Reads, Says, Told
from headgate.monitors.watch.report import monitored
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import WatchState
from headgate.testing.memory import MemoryStore
from headgate.traffic.endpoint import EndpointSpec, Slo
from headgate.traffic.watched import MonitorWords
from headgate.vocabulary import DAY, HOUR, SECOND, Micros, Task

WORDS = MonitorWords(errors_percent=5, refusals_percent=20)
SPEC = EndpointSpec("late", "late", slo=Slo(latency_p99_ms=5.0), monitors=WORDS)
REFERENCE = Report(
    rows=2000,
    estimates={
        "accuracy": Estimate("accuracy", 0.5, 0.48, 0.52, 2000),
        "auc": Estimate("auc", 0.5, 0.45, 0.55, 2000),
    },
    task=Task.BINARY,
    confidence=0.95,
    verdict=Outcome.PASSED,
)
SCENE = Scene(
    source=SOURCE,
    version=VERSION,
    output=OUTPUT,
    monitors=roster(SPEC, VERSION, OUTPUT, REFERENCE),
    reference=REFERENCE,
    maturity_s=MATURITY_S,
)
CONTRACT = Contract((Field("amount", Kind.NUMBER),), OUTPUT)
KNOWN = Known(
    Rows(OUTPUT.task, np.arange(400) % 2, np.ones(400, np.int64), np.tile([0.25, 0.75], (400, 1)), OUTPUT.classes),
    pa.table({"amount": (np.arange(400) % 7).astype(np.float64)}),
    "a",
)
GROUPED = msgspec.structs.replace(SPEC, monitors=msgspec.structs.replace(WORDS, groups=["amount"]))
WHOLE = replace(
    SCENE,
    source=replace(SOURCE, features=True, groups=("amount",)),
    monitors=roster(GROUPED, VERSION, OUTPUT, REFERENCE, contract=CONTRACT, known=KNOWN),
)
"""With every monitor that needs no reference of inputs."""
LAST = Micros(END + 2 * DAY)
"""By then every day's labels are due."""

STANDING = raised(Finding(endpoint="late", monitor="any", what="something is wrong", at=Micros(0)))

UNWATCHED = key_of("default", "late", WATCH)


@dataclass
class Heard:
    """Whoever is told of findings and of their end, in order."""

    said: list[tuple[int, str, str]] = field(default_factory=list)

    def report(self, findings: Sequence[Finding]) -> object:
        self.said += [(each.at, each.key, each.what) for each in findings]
        return None

    def clear(self, project: str, key: str) -> object:
        if key != UNWATCHED:  # whoever begins says that it is watched
            self.said.append((0, key, "over"))
        return None


class Installation:
    """An endpoint that is watched, with its journal; the controller may end at any moment."""

    def __init__(self, folder: Path, seed: int, scene: Scene = SCENE) -> None:
        self.world = World(folder, story(seed))
        self.store, self.clock, self.told = MemoryStore(), HeldClock(MONDAY), Heard()
        self.scene = scene
        self.scenes = 0
        first = WatchState(project="default", endpoint="late", began=MONDAY, until=MONDAY, matured=MONDAY)
        self.store.keep_watch(first, [])
        self.watching = self.controller()

    def controller(self, reports: Reports | None = None) -> Watching:
        """One that begins; whoever hears in place of alerts believes that everything stands since long ago."""
        return Watching(
            endpoints=lambda: [SPEC],
            scene=self._scene,
            watches=self.store,
            reports=reports or self.told,
            last_alert=self.store.last_alert if reports else lambda project, key: STANDING,
            reader=self.world.reader,
            clock=self.clock,
        )

    def _scene(self, spec: EndpointSpec) -> Scene:
        self.scenes += 1
        return self.scene

    def at(self, moment: int) -> None:
        """Time comes to `moment`, and everything that is readable by then is."""
        self.clock.move_to(Micros(moment))
        self.world.until(Micros(moment))

    def turn(self, moment: int) -> None:
        self.at(moment)
        self.watching.turn(at_once=True)

    @property
    def state(self) -> WatchState:
        found = self.store.watch("default", "late")
        assert found is not None
        return msgspec.structs.replace(found, revision=0)

    @property
    def days(self) -> list[Day]:
        return self.store.watched_days("default", "late")


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, DAYS * 24 * 60), max_size=8), st.data())
def test_however_often_anybody_looks_it_is_as_if_one_had_looked_once(
    seed: int, minutes: set[int], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        once, often = Installation(Path(one), seed, WHOLE), Installation(Path(other), seed, WHOLE)
        once.turn(LAST)
        for minute in sorted(minutes):
            often.turn(MONDAY + minute * 60 * SECOND)
            if data.draw(st.booleans()):
                often.watching = often.controller()
            if data.draw(st.booleans()):
                often.world.seal(compact=data.draw(st.booleans()))
        often.turn(LAST)
        assert often.state == once.state
        assert often.days == once.days
        assert sorted(often.told.said) == sorted(once.told.said)
        assert (once.state.until, once.state.matured, once.state.late) == (LAST - HOUR, END + DAY, 0)
        assert {each.standing for each in _says(once).values()} != {Standing.UNDECIDED}


def _says(installation: Installation) -> dict[str, Says]:
    found = monitored(installation.scene, installation.state, installation.days, false_alarms="")
    return {each.monitor: each.says for each in found.monitors}


def test_the_day_on_which_much_fails_is_found_and_over_afterwards(tmp_path: Path) -> None:
    here = Installation(tmp_path, 5)
    here.turn(MONDAY + 2 * DAY)
    assert here.told.said == []
    here.turn(MONDAY + 3 * DAY + HOUR)
    errors = _says(here)["errors"]
    assert errors.standing is Standing.ALARM
    assert errors.since is not None
    assert MONDAY + 2 * DAY < errors.since < MONDAY + 3 * DAY
    assert errors.findings[0].severity is Severity.CRITICAL
    here.turn(LAST)
    assert _says(here)["errors"].standing is Standing.STEADY
    assert (0, errors.findings[0].key, "over") in here.told.said


def test_days_have_every_input_once_and_their_labels(tmp_path: Path) -> None:
    here = Installation(tmp_path, 1)
    here.turn(LAST)
    counts = here.world.reader.counts("default", "late")
    volume = sum(each.volume for each in here.days)
    # The reader takes a question of three days later for the same; a watch never looks back that far.
    assert counts.inputs <= volume <= counts.inputs + counts.repeated
    assert sum(each.answered + each.errors + sum(each.refused.values()) for each in here.days) == volume
    assert all(each.due >= each.labelled > 0 for each in here.days if each.version == VERSION)
    assert {each.version for each in here.days} == {"", VERSION, "late:2"}


def test_nothing_is_asked_of_anybody_while_no_hour_is_over(tmp_path: Path) -> None:
    here = Installation(tmp_path, 1)
    here.turn(MONDAY + 5 * HOUR + 30 * 60 * SECOND)
    asked = here.scenes
    for minute in range(31, 60):
        here.turn(MONDAY + 5 * HOUR + minute * 60 * SECOND)
    assert here.scenes == asked
    here.turn(MONDAY + 6 * HOUR + 60 * SECOND)
    assert here.scenes == asked + 1


def test_hours_in_which_nothing_came_wait_until_something_does(tmp_path: Path) -> None:
    here = Installation(tmp_path, 1)
    here.world.coming = []
    here.turn(MONDAY + HOUR + 60 * SECOND)
    asked = here.scenes
    here.turn(MONDAY + 9 * HOUR + 60 * SECOND)
    assert here.scenes == asked
    here.turn(MONDAY + DAY + HOUR * 8)
    assert here.scenes == asked + 1, "the labels of a day are due all the same"
    assert here.state.until == MONDAY + DAY + 7 * HOUR


def test_a_replay_that_has_not_begun_is_not_watched(tmp_path: Path) -> None:
    here = Installation(tmp_path, 1)
    here.clock = HeldClock(Micros(0))
    here.watching = here.controller()
    assert here.watching.turn() == []


def test_the_first_look_goes_a_week_back(tmp_path: Path) -> None:
    here = Installation(tmp_path, 1)
    here.store = MemoryStore()
    here.watching = here.controller()
    here.turn(END)
    assert here.state.began == END - 7 * DAY
    assert sum(each.volume for each in here.days) > 200


class Failing:
    """A monitor that cannot take rows of one day."""

    name, mark, reads, daily, kind = "failing", "1", Reads.ANSWERS, False, WatchState

    def __init__(self, error: Exception) -> None:
        self.error = error

    def start(self, began: Micros) -> WatchState:
        return WatchState(project="default", endpoint="late", began=began, until=began, matured=began)

    def take(self, state: WatchState, portion: Portion) -> tuple[WatchState, tuple[Told, ...]]:
        if MONDAY + DAY <= portion.start < MONDAY + 2 * DAY:
            raise self.error
        return msgspec.structs.replace(state, until=portion.end), ()

    def says(self, state: WatchState) -> Says:
        return Says(standing=Standing.STEADY, what="it goes on")


@pytest.mark.parametrize("error", [BadInput("rows", "range", "must be numbers"), ZeroDivisionError("by 0")])
def test_one_monitor_that_fails_is_told_as_broken_and_stops_no_other(tmp_path: Path, error: Exception) -> None:
    scene = replace(SCENE, monitors=(Failing(error), *SCENE.monitors))
    here = Installation(tmp_path, 5, scene)
    here.turn(MONDAY + 36 * HOUR)
    says = _says(here)
    assert says["failing"].standing is Standing.BROKEN
    assert ("must be numbers" if isinstance(error, BadInput) else "ZeroDivisionError") in says["failing"].what
    assert says["errors"].standing is Standing.STEADY
    said = [each[2] for each in here.told.said]
    assert set(said) == {"failing of late cannot be measured"}
    assert len(said) > 5, "it is found again hour by hour, or it would be over in a day although it is not"
    here.turn(MONDAY + 60 * HOUR)
    assert _says(here)["failing"].standing is Standing.STEADY
    assert "over" in [each[2] for each in here.told.said]


def test_a_monitor_of_other_words_begins_anew_and_the_others_go_on(tmp_path: Path) -> None:
    here = Installation(tmp_path, 5)
    here.turn(MONDAY + 2 * DAY + HOUR)
    before = here.state.kept
    words = msgspec.structs.replace(WORDS, errors_percent=4)
    spec = msgspec.structs.replace(SPEC, monitors=words)
    here.scene = replace(SCENE, monitors=roster(spec, VERSION, OUTPUT, REFERENCE))
    assert _says(here)["errors"].standing is Standing.UNDECIDED
    here.turn(MONDAY + 2 * DAY + 2 * HOUR)
    after = here.state.kept
    assert after["errors"].began == MONDAY + 2 * DAY
    assert after["refusals"].began == before["refusals"].began == MONDAY


def alerting(here: Installation) -> Alerting:
    return Alerting(
        alerts=here.store,
        rules=lambda: {},
        channels=lambda: {},
        secret=lambda: b"\x11" * 32,
        clock=here.clock,
        wall=HeldClock(Micros(7)),
    )


class Killed(BaseException):
    """The end of a process."""


def test_whoever_is_killed_after_telling_tells_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a finding that was told and not kept, when another controller looks, then it is one alert, told once."""
    here = Installation(tmp_path, 5)
    here.turn(MONDAY + 2 * DAY)
    here.watching = here.controller(alerting(here))
    here.at(MONDAY + 3 * DAY + HOUR)

    def dies(state: WatchState, days: Sequence[Day]) -> WatchState:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(here.store, "keep_watch", dies)
        with pytest.raises(Killed):
            here.watching.turn()
    told, events = here.store.alerts("default"), here.store.events("default")
    assert [each.finding.monitor for each in told if each.stands] == ["errors"]
    here.controller(alerting(here)).turn()
    assert here.store.alerts("default") == told
    assert here.store.events("default") == events
    assert here.state.until == MONDAY + 3 * DAY


def test_of_two_who_look_at_once_one_keeps_what_it_saw(tmp_path: Path) -> None:
    here = Installation(tmp_path, 5)
    first, second = here.controller(), here.controller()
    here.at(MONDAY + DAY)
    first.turn()
    assert second.turn() == [("default", "late")], "it reads what was kept, and goes on from there"
    volume = sum(each.volume for each in here.days)
    stale = msgspec.structs.replace(here.state, revision=0)
    with pytest.raises(Conflict):
        here.store.keep_watch(stale, here.days)
    assert sum(each.volume for each in here.days) == volume


def test_an_endpoint_that_cannot_be_looked_at_rests_and_holds_up_no_other(tmp_path: Path) -> None:
    here = Installation(tmp_path, 5)

    def scene(spec: EndpointSpec) -> Scene:
        here.scenes += 1
        if spec.endpoint == "early":
            raise NotFound("version", "early:1")
        return SCENE

    here.watching = Watching(
        endpoints=lambda: [EndpointSpec("early", "early"), SPEC], scene=scene, watches=here.store,
        reports=here.told, last_alert=here.store.last_alert, reader=here.world.reader, clock=here.clock,
    )  # fmt: skip
    here.at(MONDAY + DAY)
    assert here.watching.turn() == [("default", "late")]
    assert (here.watching.turn(), here.scenes) == ([], 2)
    assert (here.watching.turn(at_once=True), here.scenes) == ([], 3)
