"""What an operator sets on `up` reaches the gateways; everything else stays at its default."""

import inspect
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from headgate.app import up as running
from headgate.cli import gateway, up
from headgate.journal.committer import Committer
from headgate.settings import Home, Settings

SET = {"commit_interval": 0.5, "segment_bytes": 1 << 20, "body_limit": 2048, "queue_rows": 7, "seal_interval": 3.0}


def words_of(numbers: dict[str, float]) -> list[str]:
    return [word for name, value in numbers.items() for word in (f"--{name.replace('_', '-')}", str(value))]


@pytest.mark.parametrize("numbers", [SET, {}])
def test_numbers_go_from_up_to_a_gateway(
    tmp_path: Path, numbers: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr(up, "up", lambda settings, **_: seen.append(settings))
    monkeypatch.setattr(gateway, "run_gateway", lambda settings, _index: seen.append(settings))
    monkeypatch.setattr(gateway, "die_with_parent", lambda _parent: None)
    where = ["--home", str(tmp_path), "--workers", "1"]
    assert CliRunner().invoke(up.command, [*where, *words_of(numbers)]).exit_code == 0
    *_, child = running._fixed_children(seen[0], None)
    verb = child.argv.index("gateway")
    assert CliRunner().invoke(gateway.command, list(child.argv[verb + 1 :])).exit_code == 0
    expected = {each.name: each.default for each in fields(Settings) if each.name in SET} | numbers
    for settings in seen:
        assert {name: getattr(settings, name) for name in SET} == expected


@pytest.mark.parametrize("wrong", [("commit_interval", -1), ("segment_bytes", 1), ("body_limit", 0), ("queue_rows", 0)])
def test_numbers_nobody_can_run_with_are_refused_by_name(tmp_path: Path, wrong: tuple[str, int]) -> None:
    done = CliRunner().invoke(up.command, ["--home", str(tmp_path), *words_of(dict([wrong]))])
    assert done.exit_code == 2
    assert f"--{wrong[0].replace('_', '-')}" in done.output


def test_the_store_is_told_by_environment_to_the_controller_alone(tmp_path: Path) -> None:
    children = running._fixed_children(Settings(Home(tmp_path), workers=2), "postgresql://u:secret@h/d")
    assert [each.name for each in children if "secret" in str(each.environment)] == ["controller"]
    assert not any("secret" in str(each.argv) for each in children)


def test_a_journal_left_to_itself_gathers_as_long_as_a_gateways_does() -> None:
    """Benchmarks make one that is left to itself, and what they measure should be what operators get."""
    own = inspect.signature(Committer).parameters["commit_interval"].default
    assert own == next(each.default for each in fields(Settings) if each.name == "commit_interval")
