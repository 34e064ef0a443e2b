"""The command line: the table is the verbs, the help is quick and light, errors have their exit codes."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from headgate import errors
from headgate.cli.exits import EXIT_CODES, exit_code
from headgate.cli.main import VERBS


def headgate(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "headgate.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_says_what_the_verb_itself_says(verb: str) -> None:
    command = importlib.import_module(f"headgate.cli.{verb}").command
    assert command.name == verb
    said = " ".join((command.help or "").split("\n\n")[0].split())
    assert said.removesuffix(".").split(";")[0] in VERBS[verb] or VERBS[verb].removesuffix(".").split(";")[0] in said


def test_help_imports_no_heavy_library() -> None:
    probe = (
        "import sys; from headgate.cli import main; "
        "heavy = {'numpy', 'pyarrow', 'pandas', 'sklearn', 'sqlalchemy', 'onnxruntime', 'rich', 'duckdb'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_gateway_verb_needs_nothing_of_the_platform() -> None:
    probe = (
        "import sys; import headgate.cli.gateway; "
        "heavy = {'pyarrow', 'pandas', 'sklearn', 'sqlalchemy', 'rich', 'duckdb', 'deltalake', 'starlette', 'scipy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_help_lists_every_verb_and_every_exit_code() -> None:
    done = headgate("--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in VERBS)
    assert all(f"{code}  {says}" in done.stdout for code, says in EXIT_CODES.items())


@pytest.mark.parametrize(
    "error",
    [
        errors.BadInput("f", "r", "m"),
        errors.NotFound("endpoint", "x"),
        errors.Conflict("m"),
        errors.GateFailed("m"),
        errors.MissingExtra("m", "e"),
        errors.TrustRequired("m"),
        errors.BadConfiguration("w", "m"),
        errors.IntegrityError("m"),
        errors.NewerSchema("m"),
        errors.Overloaded("m"),
    ],
)
def test_every_class_of_error_has_a_code_of_its_own_in_the_list(error: errors.HeadgateError) -> None:
    assert exit_code(error) in EXIT_CODES
    assert exit_code(error) > 2


def test_an_unknown_verb_and_a_missing_argument_are_usage_errors() -> None:
    assert headgate("fly").returncode == 2
    assert headgate("apply", "--nonsense").returncode == 2


def test_a_verb_that_is_nearly_one_is_named() -> None:
    done = headgate("stauts")
    assert done.returncode == 2
    assert "No such command 'stauts'. Did you mean 'status'?" in done.stderr
    assert "Did you mean" not in headgate("xyz").stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = headgate("apply", "nowhere.yaml", "--home", str(tmp_path / "h"))
    assert done.returncode == 4
    assert "nowhere.yaml" in done.stderr


def test_nothing_serves_a_home_nobody_started(tmp_path: Path) -> None:
    done = headgate("predict", "late", "{}", "--home", str(tmp_path / "h"))
    assert done.returncode == 12
    assert "headgate up" in done.stderr


def test_doctor_finds_a_fresh_home_healthy_and_a_newer_one_not(tmp_path: Path) -> None:
    home = tmp_path / "h"
    assert headgate("status", "--home", str(home)).stdout.startswith("no endpoint yet")
    done = headgate("doctor", "--home", str(home), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["healthy"]
    mark = json.loads((home / "home.json").read_text())
    (home / "home.json").write_text(json.dumps({**mark, "format": mark["format"] + 1}))
    assert headgate("doctor", "--home", str(home)).returncode == 6
    done = headgate("status", "--home", str(home))
    assert done.returncode == 11
    assert "newer" in done.stderr


def test_the_version_is_the_packages_own() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert headgate("--version").stdout.strip() == f"headgate {project['version']}"
