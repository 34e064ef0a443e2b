"""`headgate retrain` on one home: begun, shown, told, cancelled; what is refused, and how it ends."""

from pathlib import Path

import pytest
from tests.app.loop_home import ENDPOINT, story
from tests.cli.in_process import Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)


def test_a_run_is_begun_shown_and_cancelled(run: Run, tmp_path: Path) -> None:
    words = ("--home", str(story(tmp_path / "h", rows=1).root))
    assert "no run has begun" in run("retrain", *words).out
    assert run("retrain", "late", "--status", *words).code == 4
    begun = run("retrain", "late", "--why", "the season", "--json", *words).told
    assert (begun["number"], begun["stage"], begun["firings"][0]["why"]) == (1, "fired", "the season")
    shown = run("retrain", "late", "--status", *words).out
    assert "late run 1 fired: the season" in shown
    assert "person" in shown
    cancelled = run("retrain", "late", "--cancel", "--why", "not now", "--json", *words).told
    assert (cancelled["outcome"], cancelled["why"]) == ("cancelled", "not now")
    assert run("retrain", "late", "--cancel", *words).code == 5
    assert "late run 1 cancelled: not now" in run("retrain", *words).out
    assert run("retrain", "late", "--log", *words).out == ""


def test_a_message_counts_once_a_key(run: Run, tmp_path: Path) -> None:
    words = ("--home", str(story(tmp_path / "h", rows=1).root))
    assert run("retrain", "late", "--message", "abc", "--json", *words).told == {"new": True}
    assert run("retrain", "late", "--message", "abc", "--json", *words).told == {"new": False}
    assert "heard" in run("retrain", "late", "--data", "customers-7", *words).out
    assert run("retrain", "late", "--data", "x", "--message", "y", *words).code == 2
    assert run("retrain", "--watch", *words).code == 2


@pytest.mark.full
def test_a_watched_run_goes_on_without_a_controller_and_ends_with_its_reason(run: Run, tmp_path: Path) -> None:
    found = story(tmp_path / "h", recipe="def train(data):\n    raise ValueError('no bread')\n")
    ended = run("retrain", "late", "--watch", "--home", str(found.root))
    assert ended.code == 6
    assert "no bread" in ended.err


def test_an_endpoint_that_says_nothing_of_it_is_told_what_to_add(run: Run, tmp_path: Path) -> None:
    plain = ENDPOINT.partition("retraining:")[0]
    refused = run("retrain", "late", "--home", str(story(tmp_path / "h", endpoint=plain, rows=1).root))
    assert refused.code == 9
    assert "add retraining" in refused.err
