"""A package that changed after its registration takes no caller with it: it is refused, and the rest serves on."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation


def headgate(installation: Installation, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [*headgate_argv(words[0], *words[1:]), "--home", str(installation.home.root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def flip_a_byte(installation: Installation, version: str) -> None:
    """Change one bit of the model's file; doing it twice puts it right."""
    with installation.open() as hg:
        digest = hg.registry.resolve(version).digest
    model = installation.home.packages / digest.removeprefix("sha256:") / "model.onnx"
    model.chmod(0o644)
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)


def answers(installation: Installation, rows: int = 60) -> set[str]:
    """Versions that answer; the test fails when a row is not answered."""
    body = json.dumps({"rows": [Callers.row(number) for number in range(rows)]}).encode()
    status, said = installation.post("/v1/endpoints/late/predict", body)
    assert status == 200, said
    return {each["version"] for each in json.loads(said)["predictions"]}


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Half of the callers were to go to a version whose file then changed, while nothing ran."""
    with Installation(tmp_path_factory.mktemp("damaged") / "h") as installation:
        installation.serve("late", {installation.linear(): 0.5, installation.linear(bias=1.0): 0.5})
        flip_a_byte(installation, "linear:2")
        yield installation.start()


def test_the_gateway_refuses_that_version_and_serves_on(damaged: Installation) -> None:
    assert answers(damaged) == {"linear:1"}
    assert "cannot be loaded" in damaged.log
    assert "model.onnx" in damaged.log
    with damaged.open() as hg:
        rows = hg.reader.joined("default", "late").to_pylist()
    assert {(row["assigned"], row["probability"]) for row in rows} == {("linear:1", 1.0)}


def test_doctor_names_the_file_and_ends_with_6(damaged: Installation) -> None:
    done = headgate(damaged, "doctor", "--json")
    assert done.returncode == 6, done.stderr
    [bad] = [each for each in json.loads(done.stdout)["findings"] if each["health"] == "bad"]
    assert "linear:2" in bad["what"]
    assert "model.onnx" in bad["what"]
    assert bad["advice"]


def test_it_cannot_become_live_and_callers_notice_nothing(damaged: Installation, tmp_path: Path) -> None:
    (tmp_path / "endpoint.yaml").write_text("endpoint: late\nmodel: linear:2\n")
    done = headgate(damaged, "apply", str(tmp_path / "endpoint.yaml"), "--force", "--why", "a test")
    assert done.returncode == 10, done.stderr
    assert "model.onnx" in done.stderr
    assert answers(damaged) == {"linear:1"}


def test_an_endpoint_or_version_that_is_not_there_is_not_found(damaged: Installation, tmp_path: Path) -> None:
    assert headgate(damaged, "status", "nobody").returncode == 4
    assert headgate(damaged, "predict", "nobody", '[{"f0": 1, "f1": 1}]').returncode == 4
    (tmp_path / "endpoint.yaml").write_text("endpoint: late\nmodel: linear:9\n")
    done = headgate(damaged, "apply", str(tmp_path / "endpoint.yaml"), "--force", "--why", "a test")
    assert done.returncode == 4
    assert "linear:9" in done.stderr


def test_put_right_it_takes_its_callers_again(damaged: Installation) -> None:
    flip_a_byte(damaged, "linear:2")
    damaged.until(lambda: answers(damaged) == {"linear:1", "linear:2"}, "the version is loaded")
    assert headgate(damaged, "doctor").returncode == 0
