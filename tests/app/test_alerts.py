"""The alerts of an installation as an operator and a program use them; each order is remembered."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.alerts.receiver import Receiver, Reply
from tests.alerts.samples import SECRET, T0, finding

from headgate.alerts.alert import Silence
from headgate.alerts.finding import Severity
from headgate.alerts.signature import verify
from headgate.app.doctor import Health, examine
from headgate.app.facade import Headgate
from headgate.clock import HeldClock, SystemClock
from headgate.errors import BadConfiguration, BadInput, Conflict, NotFound
from headgate.events import Event, EventKind, first_broken
from headgate.gateway.metrics import Slab
from headgate.gateway.metrics.counting import AlertCount
from headgate.settings import Home
from headgate.store.home import create_home
from headgate.vocabulary import DAY, HOUR, Micros


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "h")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(T0)


def declare(hg: Headgate, name: str, text: str) -> None:
    """An endpoint's file, without a model that would have to be there for callers."""
    hg._store.put_endpoint("default", name, text)


@pytest.fixture
def hg(home: Home, clock: HeldClock) -> Iterator[Headgate]:
    with Headgate(home, clock=clock) as opened:
        for name in ("late", "other"):
            declare(opened, name, f"endpoint: {name}\nmodel: m\n")
        yield opened


def kinds(hg: Headgate) -> list[EventKind]:
    return [each.kind for each in reversed(hg.events("late"))]


def test_a_program_reports_lists_and_says_that_it_is_over(hg: Headgate) -> None:
    [alert] = hg.alerts.report([finding()])
    [again] = hg.alerts.report([finding(Severity.CRITICAL)])
    assert again.id == alert.id
    assert hg.alerts.every() == hg.alerts.every("late") == [again]
    assert hg.alerts.every("other") == []
    account = hg.alerts.show(alert.id)
    assert [(each.notice.value, each.channel) for each in account.deliveries] == [("raised", "log"), ("worse", "log")]
    ended = hg.alerts.clear("late", "score_drift")
    assert ended is not None
    assert hg.alerts.every() == []
    assert hg.alerts.every(over=True) == [ended]
    assert kinds(hg) == [EventKind.ALERTED] * 3
    assert first_broken(hg.audit()) is None


def test_what_is_not_this_projects_or_nobodys_is_refused(hg: Headgate) -> None:
    with pytest.raises(BadInput, match="project"):
        hg.alerts.report([finding(project="shop")])
    with pytest.raises(NotFound, match="nobody"):
        hg.alerts.report([finding(), finding(endpoint="nobody")])
    with pytest.raises(NotFound, match="nobody"):
        hg.alerts.every("nobody")
    assert hg.alerts.every() == []


def test_an_alert_is_taken_on_by_its_id_or_enough_of_it(hg: Headgate, clock: HeldClock) -> None:
    [alert] = hg.alerts.report([finding()])
    taken = hg.alerts.acknowledge(alert.id[:5], "the feed is being mended")
    assert taken.acknowledged is not None
    assert (taken.acknowledged.why, taken.acknowledged.at) == ("the feed is being mended", T0)
    event = hg.events("late")[0]
    assert (event.kind, event.why, event.before) == (EventKind.ACKNOWLEDGED, "the feed is being mended", "")
    assert event.actor == event.after == taken.acknowledged.by
    clock.move_to(Micros(T0 + DAY))
    hg.alerts.alerting().turn()
    with pytest.raises(Conflict, match="is over already"):
        hg.alerts.acknowledge(alert.id)


def test_an_id_that_is_none_or_several(hg: Headgate, clock: HeldClock) -> None:
    for episode in range(2):
        hg.alerts.report([finding(at=clock.now()), finding(at=clock.now(), subject="distance")])
        if not episode:
            clock.move_to(Micros(T0 + DAY))
            hg.alerts.alerting().turn()
    key = finding().key
    assert hg.alerts.show(key).alert.id == f"{key}-2", "of a key's alerts the one that stands"
    assert hg.alerts.show(f"{key}-1").alert.episode == 1
    for id_ in ("", "zz"):
        with pytest.raises(NotFound, match="headgate alerts --all"):
            hg.alerts.show(id_)
    hg.alerts.clear("late", "score_drift")
    with pytest.raises(BadInput, match="write more of it"):
        hg.alerts.show(key)


def test_a_silence_has_an_end_and_a_reason_and_is_remembered(hg: Headgate, clock: HeldClock) -> None:
    made = hg.alerts.silence("late", "2h", "a migration")
    assert (made.begun, made.until) == (T0, T0 + 2 * HOUR)
    assert hg.alerts.silences() == [made]
    shorter = hg.alerts.silence("late", "1h", "it goes well")
    assert hg.alerts.silences() == [shorter]
    events = hg.events("late")
    assert [(each.before, each.after) for each in events] == [
        ("2013-07-01T02:00:00Z", "2013-07-01T01:00:00Z"),
        ("", "2013-07-01T02:00:00Z"),
    ]
    assert {each.kind for each in events} == {EventKind.SILENCED}
    hg.alerts.silence("late", "0s", "it is done")
    assert hg.alerts.silences() == []
    hg.alerts.silence("other", "1h", "x")
    clock.move_to(Micros(T0 + HOUR))
    assert hg.alerts.silences() == []


@pytest.mark.parametrize(
    ("lasting", "because", "field"), [("2 hours", "x", "for"), ("91d", "x", "for"), ("2h", " ", "because")]
)
def test_a_silence_that_is_none(hg: Headgate, lasting: str, because: str, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        hg.alerts.silence("late", lasting, because)
    assert refused.value.field == field
    with pytest.raises(NotFound):
        hg.alerts.silence("nobody", "2h", "x")
    assert hg.alerts.silences() == []


def test_projects_do_not_see_each_others(hg: Headgate) -> None:
    [alert] = hg.alerts.report([finding()])
    other = hg.of("shop").alerts
    assert other.every() == []
    with pytest.raises(NotFound):
        other.show(alert.id)
    silence = Silence("shop", "late", T0, Micros(T0 + 1), "ann", "x")
    other.store.put_silence(silence, Event(T0, EventKind.SILENCED, "shop", "late", "ann"))
    assert hg.alerts.silences() == []
    assert other.silences() == [silence]


def test_a_channel_is_tried_at_once_and_nothing_is_kept(hg: Headgate, home: Home, tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="has no channel 'ops'"):
        hg.alerts.attempt("ops")
    (tmp_path / "secret").write_text(SECRET)
    with Receiver() as receiver:
        words = f"{{kind: webhook, url: '{receiver.url}', secret: {{file: {tmp_path / 'secret'}}}}}"
        home.channels.write_text(f"channels: {{ops: {words}}}\n")
        assert hg.alerts.attempt("ops").taken
        assert hg.alerts.attempt("ops").taken
        requests = receiver.until(2)
    ids = {verify(SECRET, each.headers, each.body, SystemClock().now()) for each in requests}
    assert len(ids) == 2, "a receiver that drops what it has takes each try for another"
    assert hg.alerts.every(over=True) == []
    home.channels.write_text("channels: []\n")
    with pytest.raises(BadConfiguration, match="mapping"):
        hg.alerts.attempt("ops")


def test_doctor_looks_at_channels_and_at_who_names_them(hg: Headgate, home: Home, tmp_path: Path) -> None:
    def said(health: Health) -> str:
        found = [each for each in examine(home.root) if each.health is health]
        return "\n".join(each.what for each in found)

    assert "alerts go to the log" in said(Health.GOOD)
    home.channels.write_text(f"channels: {{chat: {{kind: slack, url: {{file: {tmp_path / 'none'}}}}}}}\n")
    text = "endpoint: more\nmodel: m\nalerts: {channels: [chat, log, pager]}\n"
    declare(hg, "more", text)
    bad = said(Health.BAD)
    assert "channel chat" in bad
    assert "endpoint more tells pager of its alerts" in bad
    home.channels.write_text("channels: []\n")
    assert "alerts: " in said(Health.BAD)


def test_no_secret_is_kept_or_logged_however_a_delivery_goes(
    hg: Headgate, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A chat's address is its secret; this one answers with it, as some servers do with a path they do not know."""
    (tmp_path / "secret").write_text("hunter2 and a dozen bytes more")
    with Receiver(Reply(404, body=b"/hook/xyzzy was not found")) as receiver, caplog.at_level(logging.DEBUG):
        monkeypatch.setenv("HEADGATE_SECRET_CHAT", f"{receiver.url}/xyzzy")
        hook = f"{{kind: webhook, url: '{receiver.url}', secret: {{file: {tmp_path / 'secret'}}}}}"
        chat = "{kind: slack, url: {env: HEADGATE_SECRET_CHAT}}"
        home.channels.write_text(f"channels: {{chat: {chat}, hook: {hook}}}\n")
        [alert] = hg.alerts.report([finding()])
        with contextlib.closing(Slab(home.metrics / "controller.slab")) as slab:
            delivering = hg.alerts.delivering(AlertCount(slab))
            delivering.turn()
            tried = delivering.close()
    said = {each.channel: each.said for each in tried}
    assert said == {"chat": "HTTP 404 from 127.0.0.1", "hook": "HTTP 404 from 127.0.0.1", "log": "written"}
    assert f"alert {alert.id} to channel chat: try 1 failed: HTTP 404 from 127.0.0.1" in caplog.text
    kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file()) + caplog.text.encode()
    assert [word for word in (b"xyzzy", b"hunter2") if word in kept] == []
