"""`headgate learn` as people and programs meet it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cli.in_process import Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_HOME", "h")
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(300, 2)), columns=["x", "z"])
    frame["when"] = np.arange(300) * 3_600_000_000
    frame["y"] = np.where(frame.x + random.normal(size=300) > 0, "late", "good")
    frame.to_parquet("rows.parquet")
    frame.head(150).to_csv("few.csv", index=False)
    return Run(capsys, monkeypatch)


LEARN = ("learn", "rows.parquet", "--label", "y", "--at", "when", "--budget", "0.1")


def test_a_leaderboard_is_read_and_the_model_is_registered(run: Run) -> None:
    said = run(*LEARN)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("model")
    assert "Chosen: " in said.out
    assert said.out.splitlines()[-1].startswith("wrote model.skops; next: headgate register NAME model.skops")
    done = run("register", "late", "model.skops", "--reference", "rows.parquet", "--label", "y")
    assert (done.code, "ONNX" in done.out) == (0, True)


def test_programs_read_json(run: Run) -> None:
    told = run(*LEARN, "--out", "other.skops", "--json").told
    assert (told["task"], told["rows"], told["leaderboard"][0]["out"]) == ("binary", 300, "")
    assert {"name", "parameters", "metric", "fit_seconds", "row_us", "size_bytes", "calibrated"} <= set(
        told["leaderboard"][0]
    )
    assert Path("other.skops").is_file()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("few.csv", "--label", "y"), 3, "150 labelled rows are too few"),
        (("rows.parquet", "--label", "nothing"), 3, "no such column"),
        (("rows.parquet", "--label", "y", "--out", "model.pkl"), 9, "ending in .skops"),
        (("rows.parquet", "--label", "y", "--out", "nowhere/model.skops"), 9, "a folder that is there"),
        (("nothing.parquet", "--label", "y"), 4, "does not exist"),
        (("rows.parquet", "--label", "y", "--task", "tensor"), 2, "--task"),
    ],
)
def test_mistakes_are_named_and_leave_no_file(run: Run, words: tuple[str, ...], code: int, says: str) -> None:
    said = run("learn", *words)
    assert said.code == code
    assert says in said.err
    assert not list(Path().glob("*.skops"))
