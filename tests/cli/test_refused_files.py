"""Files that are not what they should be: a message with field and rule, the exit code of its class, nothing left."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

REGISTER = ("register", "m", "model.skops", "--label", "y", "--home", "h", "--reference")


def headgate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "headgate.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, check=False)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, its reference, and a home in which it is registered as m:1."""
    folder = tmp_path_factory.mktemp("files")
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(200, 2)), columns=["a", "b"])
    frame["y"] = (frame.a > frame.b).astype(int)
    frame.to_parquet(folder / "reference.parquet")
    skops.io.dump(LogisticRegression().fit(frame[["a", "b"]], frame.y), folder / "model.skops")
    done = headgate(folder, *REGISTER, "reference.parquet")
    assert done.returncode == 0, done.stderr
    return folder


def refused(folder: Path, code: int, *words: str) -> str:
    """What was said on standard error; no traceback, and the code of the class."""
    done = headgate(folder, *words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("empty.csv", "", "empty"),
        ("no-rows.csv", "a,b,y\n", "row"),
        ("twice.csv", "a,b,a,y\n1,2,3,0\n", "more than one column"),
        ("no-label.csv", "a,b\n1,2\n", "y"),
    ],
    ids=["empty", "no-rows", "duplicate-columns", "no-label"],
)
def test_a_reference_that_is_none(ready: Path, name: str, content: str, rule: str) -> None:
    (ready / name).write_text(content)
    said = refused(ready, 3, *REGISTER, name)
    assert rule in said
    listed = headgate(ready, "alias", "m", "--home", "h")
    assert "m:2" not in listed.stdout, "nothing was registered"


@pytest.mark.parametrize("content", [b"", b"hello there", b"\x08\x07"], ids=["empty", "text", "half"])
def test_an_onnx_file_that_is_not_one(ready: Path, content: bytes) -> None:
    (ready / "model.onnx").write_bytes(content)
    packages = sorted((ready / "h" / "packages").rglob("*"))
    words = ("register", "m", "model.onnx", "--label", "y", "--home", "h", "--reference", "reference.parquet")
    assert "is not an ONNX file" in refused(ready, 3, *words)
    assert sorted((ready / "h" / "packages").rglob("*")) == packages, "nothing half-written"


def test_a_pickle_says_aloud_that_it_runs_code(ready: Path) -> None:
    import joblib

    joblib.dump({}, ready / "model.pkl")
    words = ("register", "m", "model.pkl", "--label", "y", "--home", "h", "--reference", "reference.parquet")
    assert "--trust" in refused(ready, 8, *words)


def test_a_package_changed_after_registration(ready: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ready, tmp_path / "f")
    (model,) = (tmp_path / "f" / "h" / "packages").rglob("model.onnx")
    model.chmod(0o644)
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    said = refused(tmp_path / "f", 10, "evaluate", "m:1", "reference.parquet", "--gate", "auc >= 0.5", "--home", "h")
    assert "model.onnx" in said
    assert "changed after registration" in said
    said = refused(tmp_path / "f", 10, "score", "m:1", "reference.parquet", "out.parquet", "--home", "h")
    assert "model.onnx" in said
    assert not (tmp_path / "f" / "out.parquet").exists()


def test_a_home_of_a_newer_schema(tmp_path: Path) -> None:
    assert headgate(tmp_path, "status", "--home", "h").returncode == 0
    mark = json.loads((tmp_path / "h" / "home.json").read_text())
    newer = json.dumps({**mark, "format": mark["format"] + 1})
    (tmp_path / "h" / "home.json").write_text(newer)
    for words in (("status",), ("up",), ("apply", "endpoint.yaml")):
        (tmp_path / "endpoint.yaml").write_text("endpoint: e\nmodel: m\n")
        assert "newer" in refused(tmp_path, 11, *words, "--home", "h")
    assert (tmp_path / "h" / "home.json").read_text() == newer, "nothing was changed"


def test_unknown_endpoints_and_versions_are_not_found(ready: Path) -> None:
    assert "m:9" in refused(ready, 4, "evaluate", "m:9", "reference.parquet", "--home", "h")
    assert "nobody" in refused(ready, 4, "status", "nobody", "--home", "h")
    assert "nowhere.parquet" in refused(ready, 4, *REGISTER, "nowhere.parquet")


def test_a_gate_that_does_not_pass_has_a_code_of_its_own_and_keeps_the_version_out(ready: Path) -> None:
    refused(ready, 6, "evaluate", "m:1", "reference.parquet", "--gate", "log_loss <= 0.0001", "--home", "h")
    (ready / "endpoint.yaml").write_text("endpoint: e\nmodel: m:1\n")
    said = refused(ready, 6, "apply", "endpoint.yaml", "--home", "h")
    assert "headgate evaluate" in said


def test_an_endpoint_file_is_refused_by_key(ready: Path) -> None:
    (ready / "bad.yaml").write_text("endpoint: e\nmodel: m:1\ntraffic:\n  split:\n  - {version: m:1, weight: 0.4}\n")
    assert "traffic.split" in refused(ready, 9, "apply", "bad.yaml", "--home", "h")
