"""Schemathesis asks a real gateway whatever its own description allows, and what it does not allow."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.testing.installation import Installation

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
BOUNDED = """\
contract:
  fields:
  - {name: f0, kind: number, minimum: -5, maximum: 5, on_range: reject, unit: m}
  - {name: f1, kind: number, minimum: 0, maximum: 10, on_range: reject}
  output: {task: binary, classes: [0, 1], probability: true}
"""
UNSAID = "positive_data_acceptance"
"""Left out: that an id was given to a row, or that there are as many keys as rows, is beyond any schema."""
ALONE = "negative_data_rejection"
"""Left out of predict: a bad row among good ones is refused alone, and the request is answered with 200."""
ENDPOINT = "/v1/endpoints/e/openapi.json"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("fuzzed") / "home") as served:
        served.serve("e", {served.linear(): 1.0}, more=BOUNDED)
        yield served.start()


def asked(installation: Installation, folder: Path, path: str, *words: str, unlooked: str = UNSAID) -> str:
    """What Schemathesis says at the end; AssertionError with it when it found something."""
    limits = ("--seed", "1", "--request-timeout", "20", "--suppress-health-check", "all")
    command = [str(SCHEMATHESIS), "run", f"{installation.url}{path}", *limits, *words, "--exclude-checks", unlooked]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def asked_all(installation: Installation, folder: Path, *words: str) -> list[str]:
    """What it says of an endpoint: predict by itself, then everything else."""
    alone = ("--include-path-regex", "predict$")
    predict = asked(installation, folder, ENDPOINT, *words, *alone, unlooked=f"{UNSAID},{ALONE}")
    rest = asked(installation, folder, ENDPOINT, *words, "--exclude-path-regex", "predict$")
    return [predict, rest]


def test_an_endpoint_does_what_its_description_says(installation: Installation, tmp_path: Path) -> None:
    predict, rest = asked_all(installation, tmp_path, "--phases", "examples,fuzzing", "-n", "8")
    assert "1 selected / 6 total" in predict
    assert "5 selected / 6 total" in rest


def test_the_whole_data_plane_does_what_its_description_says(installation: Installation, tmp_path: Path) -> None:
    said = asked(installation, tmp_path, "/openapi.json", "--phases", "fuzzing", "-n", "3")
    assert "19 selected / 19 total" in said


@pytest.mark.slow
def test_they_do_so_for_a_long_time(installation: Installation, tmp_path: Path) -> None:
    words = ("--phases", "examples,coverage,fuzzing", "-n", "100", "--continue-on-failure")
    asked_all(installation, tmp_path, *words)
    asked(installation, tmp_path, "/openapi.json", "--phases", "coverage,fuzzing", "-n", "20", "--continue-on-failure")
