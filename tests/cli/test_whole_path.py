"""The whole path from a shell: init, register, evaluate, apply, up, predict, label, status, score, doctor."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from tests.cli.terminal import on_a_terminal

from headgate.testing.installation import free_ports

HEADGATE = (sys.executable, "-m", "headgate.cli.main")


def headgate(folder: Path, *words: str) -> str:
    """What a verb printed; the test fails when it fails."""
    done = subprocess.run([*HEADGATE, *words], capture_output=True, text=True, timeout=120, cwd=folder, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its reference, rows kept aside and many rows to score."""
    found, random = tmp_path_factory.mktemp("path"), np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(600, 2)), columns=["a", "b"])
    frame["y"] = (frame.a > frame.b).astype(int)
    frame[:400].to_parquet(found / "reference.parquet")
    frame[400:].to_parquet(found / "aside.parquet")
    pd.DataFrame(random.normal(size=(300_000, 2)), columns=["a", "b"]).to_parquet(found / "many.parquet")
    skops.io.dump(LogisticRegression().fit(frame[["a", "b"]], frame.y), found / "model.skops")
    headgate(found, "register", "m", "model.skops", "--reference", "reference.parquet", "--label", "y")
    return found


@pytest.mark.full
def test_a_model_is_served_labelled_and_seen_in_status(folder: Path) -> None:
    said = headgate(folder, "evaluate", "m:1", "aside.parquet", "--gate", "auc >= 0.9")
    assert "auc" in said
    assert "m:1" in headgate(folder, "alias", "m:1", "champion")
    headgate(folder, "init", "reference.parquet", "--endpoint", "late", "--model", "m@champion", "--label", "y")
    assert "revision 1: m:1 100%" in headgate(folder, "apply", "endpoint.yaml", "--why", "a test")
    port, control, metrics = (str(each) for each in free_ports(3))
    words: tuple[str, ...] = (
        "up",
        "--port",
        port,
        "--control-port",
        control,
        "--metrics-port",
        metrics,
        "--workers",
        "1",
    )
    words += ("--grpc-port", "0")
    with (folder / "up.log").open("wb") as log:
        up = subprocess.Popen([*HEADGATE, *words], cwd=folder, stdout=log, stderr=log)
    try:
        entry = json.loads(asked(folder))
        assert entry["prediction"] == 1
        assert headgate(folder, "label", "late", entry["id"], "1").strip() == "1 accepted"
        told = json.loads(headgate(folder, "status", "late", "--json"))
        assert [(each["answered"], each["labelled"]) for each in told["windows"]] == [(1, 1)]
        assert "m:1" in headgate(folder, "status", "late")
        assert json.loads(headgate(folder, "doctor", "--json"))["healthy"]
    finally:
        up.terminate()
        assert up.wait(60) == 0


def asked(folder: Path) -> str:
    """The first answer of a gateway that is still starting."""
    command = [*HEADGATE, "predict", "late", '{"a": 3.0, "b": -3.0}']
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
        assert done.returncode == 12, done.stderr
        assert time.monotonic() < deadline, (folder / "up.log").read_text()


def test_a_file_is_scored(folder: Path) -> None:
    told = json.loads(headgate(folder, "score", "m:1", "many.parquet", "out.csv", "--json"))
    assert (told["rows"], told["answered"], told["refused"]) == (300_000, 300_000, 0)
    out = pd.read_csv(folder / "out.csv")
    assert len(out) == 300_000
    assert ((out.a > out.b) == out.prediction).mean() > 0.97
    assert set(out.version) == {"m:1"}


def test_score_shows_how_far_it_is(folder: Path) -> None:
    screen = on_a_terminal([*HEADGATE, "score", "m:1", "many.parquet", "bar.parquet"], cwd=folder)
    assert "scoring" in screen
    assert re.search(r"[1-9]\d*/300000", screen), "how many of how many"
