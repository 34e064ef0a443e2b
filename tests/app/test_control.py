"""What the control API may do of alerts and reports: each endpoint its own, and on whose word."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.alerts.samples import T0, finding

from headgate.app.control import HomeControl
from headgate.app.facade import Headgate
from headgate.clock import HeldClock
from headgate.errors import BadInput, Conflict, NotFound
from headgate.events import EventKind
from headgate.store.home import create_home

WHERE = ("default", "late")


@pytest.fixture
def hg(tmp_path: Path) -> Iterator[Headgate]:
    with Headgate(create_home(tmp_path / "h"), clock=HeldClock(T0)) as opened:
        for name in ("late", "other"):
            opened._store.put_endpoint("default", name, f"endpoint: {name}\nmodel: m\n")
        yield opened


def test_an_endpoint_has_its_own_alerts_and_no_others(hg: Headgate) -> None:
    control = HomeControl(hg, None)
    mine, theirs = hg.alerts.report([finding(), finding(endpoint="other")])
    told = msgspec.json.decode(control.alerts(*WHERE, over=False))
    assert ([each["finding"]["endpoint"] for each in told["alerts"]], told["silences"]) == (["late"], [])
    assert msgspec.json.decode(control.alert(*WHERE, mine.id))["alert"]["episode"] == 1
    for id_ in (theirs.id, mine.id[:6], ""):
        with pytest.raises(NotFound):
            control.alert(*WHERE, id_)
        with pytest.raises(NotFound):
            control.acknowledge(*WHERE, id_, "", "ann")
    with pytest.raises(NotFound):
        control.alerts("default", "nobody", over=True)


def test_it_is_taken_on_and_silenced_on_the_callers_word(hg: Headgate) -> None:
    control = HomeControl(hg, None)
    [alert] = hg.alerts.report([finding()])
    taken = msgspec.json.decode(control.acknowledge(*WHERE, alert.id, "on it", "ann"))
    assert taken["acknowledged"]["by"] == "ann"
    silence = msgspec.json.decode(control.silence(*WHERE, "2h", "a migration", "ann"))
    assert (silence["by"], silence["because"]) == ("ann", "a migration")
    assert len(msgspec.json.decode(control.alerts(*WHERE, over=False))["silences"]) == 1
    with pytest.raises(BadInput):
        control.silence(*WHERE, "2h", " ", "ann")
    acted = {each.kind: each.actor for each in hg.events("late")}
    assert (acted[EventKind.ACKNOWLEDGED], acted[EventKind.SILENCED]) == ("ann", "ann")
    hg.alerts.clear("late", alert.finding.monitor, alert.finding.subject)
    with pytest.raises(Conflict):
        control.acknowledge(*WHERE, alert.id, "", "ann")
