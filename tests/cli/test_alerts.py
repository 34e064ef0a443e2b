"""``headgate alerts`` as an operator uses it: for people, for programs, and with mistakes."""

import sqlite3
from pathlib import Path

import pytest
from tests.alerts.samples import finding, full
from tests.cli.in_process import Run

from headgate.alerts.delivery import Answer, answered, begun
from headgate.alerts.finding import Figure
from headgate.app.facade import Headgate, open_home
from headgate.clock import SystemClock

LATE = "endpoint: late\nmodel: m\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_HOME", "h")
    return Run(capsys, monkeypatch)


@pytest.fixture
def found(run: Run) -> str:
    """The id of an alert that stands."""
    now = SystemClock().now()
    with open_home("h") as hg:
        _declare(hg)
        [alert] = hg.alerts.report([finding(at=now)])
    return alert.id


def _declare(hg: Headgate) -> None:
    hg._store.put_endpoint("default", "late", LATE)


def test_what_stands_is_listed_with_or_without_an_endpoint(run: Run, found: str) -> None:
    for words in ((), ("late",), ("list",), ("list", "late"), ("--project", "default"), ("--home", "h", "late")):
        listed = run("alerts", *words)
        assert (listed.code, listed.err) == (0, "")
        assert listed.out.startswith(f"{found}  warning  late: the scores of late moved\n  found by score_drift ")
        assert "\n  nobody has taken it on\n" in listed.out
        assert "`headgate alerts show ID`" in listed.out
    told = run("alerts", "late", "--json").told
    assert [each["id"] for each in told["alerts"]] == [found]
    assert told["alerts"][0]["finding"]["what"] == "the scores of late moved"
    assert told["silences"] == []


def test_nothing_stands(run: Run) -> None:
    assert run("alerts").out.startswith("no alert stands; what is watched, and up to when, says `headgate monitor")
    assert run("alerts", "--json").told == {"alerts": [], "silences": []}


def test_taking_one_on(run: Run, found: str) -> None:
    taken = run("alerts", "acknowledge", found[:4], "--why", "being mended")
    assert (taken.code, " has it since " in taken.out) == (0, True)
    assert taken.out.endswith("Z: being mended\n")
    assert run("alerts", "acknowledge", found, "--json").told["acknowledged"]["by"]
    listed = run("audit", "list", "--json").told
    assert [each["kind"] for each in listed] == ["acknowledged", "acknowledged", "alerted"]
    assert listed[1]["why"] == "being mended"
    assert run("audit", "verify").code == 0


def test_silencing(run: Run, found: str) -> None:
    made = run("alerts", "silence", "late", "--for", "2h", "--because", "a migration")
    assert made.out.startswith("late is silent until ")
    assert made.out.rstrip().rpartition(": ")[2].startswith("a migration (")
    assert "late is silent until" in run("alerts").out
    [silence] = run("alerts", "--json").told["silences"]
    assert silence["until"] - silence["begun"] == 7_200_000_000
    assert run("alerts", "silence", "late", "--for", "0s", "--because", "done").out.startswith("late: people are told")
    assert "silent" not in run("alerts").out
    assert [each["kind"] for each in run("audit", "list", "--json").told][:2] == ["silenced", "silenced"]


def test_one_is_shown_with_its_evidence_and_who_was_told(run: Run) -> None:
    with open_home("h") as hg:
        _declare(hg)
        [alert] = hg.alerts.report([full()])
        [delivery] = hg.alerts.show(alert.id).deliveries
        tried = begun(delivery, delivery.planned)
        hg.alerts.store.change_delivery(tried)
        hg.alerts.store.change_delivery(answered(tried, Answer(False, "HTTP 500 from a"), delivery.planned))
    shown = run("alerts", "show", alert.id)
    for part in (
        "found by score_drift (carrier = <AA>) once",
        "distance: 0.31 (0.27 to 0.35) (limit 0.10)",
        "likely cause: a & b changed",
        "what to do: look at <dep_delay>",
        "report: https://example.com/report?a=1&b=2",
        "raised to log, waits until ",
        " after 1 try: HTTP 500 from a",
    ):
        assert part in shown.out
    told = run("alerts", "show", alert.id, "--json").told
    assert [each["tries"] for each in told["deliveries"]] == [1]


def test_what_somebody_named_obeys_no_terminal(run: Run) -> None:
    """A field of a caller's choosing may be part of a finding: it colours nothing and forges no line."""
    evil = "\x1b[2Jcarrier\nok"
    with open_home("h") as hg:
        _declare(hg)
        [alert] = hg.alerts.report([finding(subject=evil, what=evil, cause=evil, evidence=(Figure(evil, evil),))])
    for words in ((), ("show", alert.id)):
        assert "\x1b" not in run("alerts", *words).out
        assert "\nok" not in run("alerts", *words).out


def test_a_channel_is_tried(run: Run) -> None:
    assert run("alerts", "try", "log").out == "log: written\n"
    assert run("alerts", "try", "log", "--json").told == {"channel": "log", "said": "written"}
    failed = run("alerts", "try", "ops")
    assert (failed.code, "has no channel 'ops'" in failed.err) == (9, True)
    chat = "channels: {chat: {kind: slack, url: {env: HEADGATE_SECRET_NOBODY_SET}}}\n"
    Path("h/channels.yaml").write_text(chat)
    failed = run("alerts", "try", "chat")
    assert (failed.code, "chat did not take it: HEADGATE_SECRET_NOBODY_SET: is not set" in failed.err) == (12, True)


def test_mistakes_have_their_exit_codes(run: Run, found: str) -> None:
    assert run("alerts", "nobody").code == 4
    assert run("alerts", "acknowledge", "zz").code == 4
    assert run("alerts", "show").code == 2
    assert run("alerts", "silence", "late", "--for", "2h").code == 2
    assert run("alerts", "silence", "late", "--for", "soon", "--because", "x").code == 3
    assert run("alerts", "silence", "nobody", "--for", "2h", "--because", "x").code == 4
    with open_home("h") as hg:
        hg.alerts.clear("late", "score_drift")
    assert run("alerts", "acknowledge", found).code == 5
    assert found in run("alerts", "--all").out


def test_no_alert_is_lost_to_a_store_of_an_older_headgate(run: Run, tmp_path: Path) -> None:
    """A store without the tables gets them when it is opened; what it held is there."""
    with open_home("h") as hg:
        _declare(hg)
    with sqlite3.connect(tmp_path / "h" / "store.sqlite") as connection:
        for table in ("alert", "silence", "delivery", "watch", "watch_day", "diagnosis", "run", "run_call"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
    connection.close()
    assert run("alerts", "late").out.startswith("no alert stands")
