"""`headgate size` as people and programs meet it: what it prints, what it refuses, and the codes it ends with."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.terminal import on_a_terminal

from headgate.app.facade import open_home
from headgate.registry.packages import open_package
from headgate.registry.ports import Version
from headgate.testing.scripted import linear_package, scripted_package
from headgate.vocabulary import DEFAULT_PROJECT, Micros

pytestmark = pytest.mark.full

SIZE = [sys.executable, "-m", "headgate.cli.main", "size"]
QUICK = ["--seconds", "1", "--largest", "4"]


def size(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [*SIZE, *words, "--home", "h"]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a home in which `linear:1` is registered."""
    with open_home(tmp_path / "h") as hg:
        found = open_package(linear_package(hg.home.packages, 3))
        engine, task = found.manifest.engine, found.contract.output.task
        hg.registry.records.add_version(Version(DEFAULT_PROJECT, "linear", 0, found.digest, Micros(0), engine, task))
    return tmp_path


def test_a_person_reads_tables_and_what_follows(place: Path) -> None:
    (place / "linear").mkdir()  # a folder that happens to be called like the model is not meant
    done = size("linear", *QUICK, cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("linear:1  onnx, runs inside the gateways; asked with 1,024 rows made up")
    for each in ("rows/s per core", "Callers at once", "Memory of a gateway", "Without an objective", "What would be"):
        assert each in done.stdout
    assert "note: no endpoint asks this model" in done.stdout


def test_a_program_reads_json_and_the_draft_that_lies_there_is_meant(place: Path) -> None:
    text = "endpoint: e\nmodel: linear@champion\nslo: {latency_p99_ms: 5000, requests_per_second: 20}\n"
    (place / "endpoint.yaml").write_text(text)
    done = size("linear:1", *QUICK, "--rows", "3", "--json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["package"], told["objective"]["endpoint"], told["plan"]["met"]) == ("linear:1", "e", True)
    assert [each["rows"] for each in told["model"]] == [1, 2, 3, 4]
    assert told["rows"] == told["objective"]["rows"] == 3
    assert {"change", "before", "after", "unit", "how", "says", "cost"} == set(told["savings"][0])


def test_an_objective_nothing_can_meet_ends_with_its_own_code(place: Path) -> None:
    (place / "e.yaml").write_text("endpoint: e\nmodel: linear\nslo: {latency_p99_ms: 0.00001}\n")
    done = size("linear", *QUICK, "--endpoint", "e.yaml", cwd=place)
    assert done.returncode == 6
    assert "NOT MET by any number of cores" in done.stdout
    assert "takes longer than its latency" in done.stderr


def test_a_bar_is_drawn_on_a_terminal_alone(place: Path) -> None:
    seen = on_a_terminal([*SIZE, "linear", *QUICK, "--home", "h"], cwd=place)
    assert "measuring the model alone" in seen
    assert "measuring a whole gateway" in seen


@pytest.mark.parametrize(
    ("words", "text", "code", "says"),
    [
        (["nobody"], "", 4, "model 'nobody' does not exist"),
        (["linear:7"], "", 4, "Versions here: linear:1"),
        (["./nowhere"], "", 4, "package 'nowhere' does not exist"),
        (["./h"], "", 3, "no folder of a package"),
        (["e.yaml"], "endpoint: e\nmodel: linear\n", 3, "no folder of a package"),
        (["linear", "--endpoint", "e"], "", 4, "endpoint 'e' does not exist"),
        (["linear", "--endpoint", "e.yaml"], "endpoint: e\nmodel: linear\nslo: {latency_p99_ms: -1}\n", 9, "above 0"),
        (["linear", "--endpoint", "e.yaml"], "endpoint: [\n", 9, "e.yaml"),
        (["linear", "--seconds", "0"], "", 2, "--seconds"),
        (["linear", "--utilisation", "1"], "", 2, "--utilisation"),
    ],
)
def test_mistakes_are_named(place: Path, words: list[str], text: str, code: int, says: str) -> None:
    if text:
        (place / "e.yaml").write_text(text)
    done = size(*words, cwd=place)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def test_a_damaged_package_and_a_dying_model_are_named(place: Path) -> None:
    dying = scripted_package(place / "packages", "dying")
    done = size(str(dying), *QUICK, cwd=place)
    assert (done.returncode, "of one row: its process" in done.stderr) == (12, True)
    (next((place / "h" / "packages").iterdir()) / "model.onnx").write_bytes(b"x")
    done = size("linear", *QUICK, cwd=place)
    assert (done.returncode, "model.onnx changed" in done.stderr) == (10, True)
