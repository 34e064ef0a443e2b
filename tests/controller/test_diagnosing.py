"""Alarms are followed by what changed: planted changes through the whole watch, and whoever is killed meanwhile."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from tests.monitors.watch.drifting import CHANGED, DRIFTING, ROWS, SPEC, Change, drifting, registered, scene
from tests.monitors.watch.worlds import MATURITY_S, MONDAY, World

from headgate.alerts.alert import Alert
from headgate.alerts.finding import Finding
from headgate.clock import HeldClock
from headgate.controller.alerting import Alerting
from headgate.controller.diagnosing import Diagnosing, Sources, Worded
from headgate.controller.watching import Watching
from headgate.errors import BadInput, NotFound
from headgate.monitors.attribution.courses import Course
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.diagnosis.words import FIGURES
from headgate.monitors.standing import Standing
from headgate.monitors.watch.lookback import Registered
from headgate.testing.memory import MemoryStore
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, SECOND, Micros

BROKE = Micros(MONDAY + CHANGED * DAY)
DUE = round(MATURITY_S * SECOND)


class Installation:
    """An endpoint that is watched and diagnosed; its controller may end at any moment."""

    def __init__(self, folder: Path, change: Change, *, seed: int = 1, days: int = CHANGED + 3) -> None:
        self.world = World(folder, drifting(seed, change, days), schema=DRIFTING)
        self.store, self.clock = MemoryStore(), HeldClock(MONDAY)
        self.scene, self.registered = scene(), registered()
        self.asked = 0
        self.begin()

    def begin(self) -> None:
        """A controller begins."""
        store = self.store
        self.alerting = Alerting(
            alerts=store, rules=lambda: {}, channels=lambda: {}, secret=lambda: b"\x11" * 32, clock=self.clock,
            wall=HeldClock(Micros(7)),
        )  # fmt: skip
        self.watching = Watching(
            endpoints=lambda: [SPEC], scene=lambda spec: self.scene, watches=store,
            reports=Worded(self.alerting, store, store.last_alert), last_alert=store.last_alert,
            reader=self.world.reader, clock=self.clock,
        )  # fmt: skip
        self.diagnosing = self.diagnoses([SPEC])

    def diagnoses(self, specs: Sequence[EndpointSpec]) -> Diagnosing:
        sources = Sources(lambda: specs, lambda spec: self.scene, self._registered, self.world.reader)
        standing = lambda: self.store.alerts(standing=True)  # noqa: E731 - a port of one line
        return Diagnosing(sources, self.store, standing=standing, reword=self.alerting.reword)

    def _registered(self, spec: EndpointSpec) -> Registered:
        self.asked += 1
        if spec.endpoint == "early":
            raise NotFound("version", "early:1")
        return self.registered

    def at(self, moment: int) -> None:
        self.clock.move_to(Micros(moment))
        self.world.until(Micros(moment))
        self.watching.turn(at_once=True)

    def turn(self, moment: int) -> list[tuple[str, str]]:
        self.at(moment)
        return self.diagnosing.turn(at_once=True)

    @property
    def kept(self) -> list[Diagnosed]:
        return self.store.diagnoses("default", "late")

    @property
    def alerts(self) -> list[Alert]:
        return self.store.alerts("default", standing=True)


@pytest.mark.parametrize(
    ("change", "drift", "remedy"),
    [
        (Change(shift=1.1), Drift.DATA, Remedy.REWEIGHT),
        pytest.param(Change(swapped=0.25), Drift.CONCEPT, Remedy.RELEARN, marks=pytest.mark.slow),
        pytest.param(Change(shift=1.1, swapped=0.25), Drift.BOTH, Remedy.RELEARN, marks=pytest.mark.slow),
    ],
)
def test_what_was_planted_is_named_with_what_to_do_since_when_and_at_what_cost(
    tmp_path: Path, change: Change, drift: Drift, remedy: Remedy
) -> None:
    here = Installation(tmp_path, change)
    assert here.turn(BROKE + DUE) == []
    assert here.kept == []
    assert here.turn(BROKE + DAY + DUE) == [("default", "late")]
    assert here.turn(BROKE + 2 * DAY + DUE) == [("default", "late")]
    [kept] = here.kept
    assert kept.began == BROKE
    assert [(each.start, each.labelled) for each in kept.said] == [(BROKE, ROWS), (BROKE, 2 * ROWS)]
    found = kept.last
    assert found is not None
    assert found.main is not None
    assert (found.drift, found.remedy) == (drift, remedy)
    assert found.main.drop.low is not None
    assert found.main.drop.low > 0
    assert "first 7 days" in found.reference, "a watch that begins looks a week back"
    assert "registered with" in found.compared_with
    moved = {each.name for each in found.columns if each.standing is Standing.ALARM}
    assert moved == ({"size"} if change.shift else set())
    assert found.course.p_value is not None, "the figures of the days were read; two bad ones of nine may be chance"
    for alert in here.alerts:
        names = [each.name for each in alert.finding.evidence]
        assert set(FIGURES[:5]) <= set(names)
        assert names.count("drift") == 1
        assert alert.finding.key == alert.key
        assert alert.id in kept.alerts


def test_without_a_change_nothing_is_diagnosed(tmp_path: Path) -> None:
    here = Installation(tmp_path, Change())
    assert here.turn(BROKE + 3 * DAY + DUE) == []
    assert (here.kept, here.alerts, here.asked) == ([], [], 0)


def test_whoever_looks_however_often_and_is_killed_in_between_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an alarm, when the controller ends before, within and after a diagnosis, then it is one, said once."""
    once = Installation(tmp_path / "once", Change(swapped=0.3), days=CHANGED + 2)
    once.turn(BROKE + DAY + DUE)
    once.turn(BROKE + 2 * DAY + DUE)
    often = Installation(tmp_path / "often", Change(swapped=0.3), days=CHANGED + 2)
    often.at(BROKE + DAY + DUE)
    often.begin()

    class Killed(BaseException):
        """The end of a process."""

    def dies(alert: Alert, finding: Finding) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(often.diagnosing, "_reword", dies)
        with pytest.raises(Killed):
            often.diagnosing.turn()
    assert all("drift" not in [figure.name for figure in each.finding.evidence] for each in often.alerts)
    often.begin()
    assert often.diagnosing.turn() == [], "it was kept; only the words were missing"
    assert all("drift" in [figure.name for figure in each.finding.evidence] for each in often.alerts)
    for hours in range(1, 25):
        often.turn(BROKE + DAY + DUE + hours * 3600 * SECOND)
    assert often.kept == once.kept
    assert [each.finding for each in often.alerts] == [each.finding for each in once.alerts]


def test_a_monitor_that_finds_it_again_leaves_the_words_of_the_diagnosis(tmp_path: Path) -> None:
    here = Installation(tmp_path, Change(swapped=0.3), days=CHANGED + 2)
    here.turn(BROKE + DAY + DUE)
    before = {each.finding.monitor: each for each in here.alerts}
    here.at(BROKE + 2 * DAY + DUE)
    after = {each.finding.monitor: each for each in here.alerts}
    assert after["performance"].times > before["performance"].times
    assert after["performance"].finding.cause == before["performance"].finding.cause


def test_an_alert_that_is_over_meanwhile_stays_over(tmp_path: Path) -> None:
    here = Installation(tmp_path, Change(swapped=0.3), days=CHANGED + 1)
    here.at(BROKE + DAY + DUE)
    for each in here.alerts:
        here.alerting.clear("default", each.key)
        here.alerting.reword(each, msgspec.structs.replace(each.finding, cause="other words"))
    assert here.alerts == []
    assert here.diagnosing.turn() == []


def test_other_words_are_for_the_same_alert_alone(tmp_path: Path) -> None:
    here = Installation(tmp_path, Change(swapped=0.3), days=CHANGED + 1)
    here.at(BROKE + DAY + DUE)
    [first, *_] = here.alerts
    with pytest.raises(BadInput):
        here.alerting.reword(first, msgspec.structs.replace(first.finding, monitor="another"))


def test_without_rows_to_compare_with_it_says_what_is_missing(tmp_path: Path) -> None:
    """Given a version that was wrong from its first day, and whose rows were taken away, then nothing is invented."""
    here = Installation(tmp_path, Change(swapped=0.3), days=CHANGED + 1)
    here.registered = registered(fields=False)
    here.at(BROKE + DAY + DUE)
    here.store._days.clear()  # what the watch would know of a version that answered nothing before
    here.diagnosing.turn()
    [kept] = here.kept
    assert kept.last is not None
    assert kept.last.drift is Drift.UNDECIDED
    assert kept.last.remedy is Remedy.WAIT
    assert any("no rows with labels to compare with" in each for each in kept.last.notes)
    assert any("no rows to compare fields with" in each for each in kept.last.notes)
    assert kept.last.course.course is Course.UNDECIDED


def test_one_endpoint_that_cannot_be_looked_at_rests_and_holds_up_no_other(tmp_path: Path) -> None:
    here = Installation(tmp_path, Change(swapped=0.3), days=CHANGED + 1)
    here.at(BROKE + DAY + DUE)
    [first, *_] = here.alerts
    early = msgspec.structs.replace(first.finding, endpoint="early")
    here.alerting.report([early])
    state = here.store.watch("default", "late")
    assert state is not None
    here.store.keep_watch(msgspec.structs.replace(state, endpoint="early", revision=0), [])
    here.diagnosing = here.diagnoses([EndpointSpec("early", "early"), SPEC])
    assert here.diagnosing.turn() == [("default", "late")]
    asked = here.asked
    assert (here.diagnosing.turn(), here.asked) == ([], asked), "both rest"
    here.diagnosing.turn(at_once=True)
    assert here.asked == asked + 1, "what is said already is not looked at again"


def test_with_few_labels_nothing_is_said_again_until_there_are_enough(tmp_path: Path) -> None:
    """Given an alarm of which few labels came, when days pass, then it is looked at once, and anew with enough."""
    here = Installation(tmp_path, Change(swapped=0.3), days=CHANGED + 3)
    here.at(BROKE + DAY + DUE)
    whole = dict(here.store._days)
    few = {key: msgspec.structs.replace(each, labelled=min(each.labelled, 40)) for key, each in whole.items()}
    here.store._days = few  # what the watch would know if nobody had told more
    assert here.diagnosing.turn(at_once=True) == [("default", "late")]
    here.at(BROKE + 2 * DAY + DUE)
    here.store._days = {key: msgspec.structs.replace(each, labelled=40) for key, each in here.store._days.items()}
    assert here.diagnosing.turn(at_once=True) == []
    here.at(BROKE + 3 * DAY + DUE)
    assert here.diagnosing.turn(at_once=True) == [("default", "late")]
    assert [each.labelled for each in here.kept[0].said] == [ROWS, 3 * ROWS]
