"""``headgate monitor --diagnose`` as an operator asks it, and with mistakes."""

from pathlib import Path

import pytest
from tests.cli.in_process import Run

from headgate.app.facade import open_home
from headgate.registry.packages import open_package
from headgate.registry.ports import Version
from headgate.testing.scripted import linear_package
from headgate.vocabulary import Micros


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_HOME", "h")
    return Run(capsys, monkeypatch)


@pytest.fixture
def served(run: Run) -> Run:
    """An endpoint that nobody has asked yet."""
    with open_home("h") as hg:
        found = open_package(linear_package(hg.home.packages, 2))
        version = Version("default", "m", 0, found.digest, Micros(0), found.manifest.engine, "binary")
        hg.registry.records.add_version(version)
        hg.apply("endpoint: late\nmodel: m\n", force=True)
    return run


def test_a_window_that_nobody_asked_anything_in_is_undecided(served: Run) -> None:
    said = served("monitor", "late", "--diagnose").out
    assert "diagnosis of m:1 from 20" in said
    assert "drift       undecided: " in said
    assert "0 inputs, 0 of them with a label that is due" in said
    told = served("monitor", "late", "--diagnose", "--from", "2020-02-01", "--to", "2020-02-03T12:00:00", "--json").told
    assert (told["start"], told["end"]) == (1_580_515_200_000_000, 1_580_731_200_000_000)


def test_mistakes_have_their_exit_codes(served: Run) -> None:
    assert served("monitor", "late", "--from", "2020-02-01").code == 2
    assert served("monitor", "late", "--diagnose", "--from", "yesterday").code == 2
    assert served("monitor", "late", "--diagnose", "--from", "2020-02-03", "--to", "2020-02-01").code == 3
    assert served("monitor", "nobody", "--diagnose").code == 4
