"""What the demos tell people to type finds the program they just ran."""

import sys
from pathlib import Path

import pytest

from headgate.cli.called import called


def script(folder: Path) -> Path:
    """A program named headgate in a folder of its own."""
    folder.mkdir()
    made = folder / "headgate"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = script(tmp_path / "bin")
    monkeypatch.setattr(sys, "argv", [str(made), "demo"])
    return made


def test_a_program_on_the_path_is_called_by_its_name(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(mine.parent))
    assert called() == "headgate"


def test_one_the_shell_would_not_find_is_called_by_its_path(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert called() == str(mine)
    monkeypatch.setenv("PATH", str(script(tmp_path / "another").parent))
    assert called() == str(mine), "the shell would find another one"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/headgate", "demo"])
    assert called() == "bin/headgate", "as it was typed"
    monkeypatch.setattr(sys, "argv", [str(script(tmp_path / "my programs")), "demo"])
    assert called() == f"'{tmp_path}/my programs/headgate'"


def test_a_module_run_by_the_interpreter_is_called_by_the_script_beside_it(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "argv", ["src/headgate/cli/main.py", "demo"])
    monkeypatch.setattr(sys, "executable", str(mine.with_name("python")))
    assert called() == str(mine)
    mine.unlink()
    assert called() == "headgate", "there is no better word"
