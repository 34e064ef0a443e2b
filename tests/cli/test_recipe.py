"""`headgate recipe` as people and programs meet it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cli.in_process import Run

LEARN = """
from sklearn.linear_model import LogisticRegression

def train(data):
    data.log_metric("depth", data.parameters["depth"])
    if data.parameters["depth"] == 0:
        return None
    return LogisticRegression().fit(data.X, data.y)
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "src"))
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(300, 2)), columns=["x", "z"])
    frame["late"] = frame.x + random.normal(size=300) > 0
    frame.to_parquet("rows.parquet")
    frame.assign(weight=1.0).to_csv("weighed.csv", index=False)
    Path("learn.py").write_text(LEARN)
    return Run(capsys, monkeypatch)


@pytest.mark.full
def test_a_recipe_is_tried_as_the_loop_would_run_it(run: Run) -> None:
    said = run("recipe", "learn.py:train", "rows.parquet", "--label", "late", "--parameter", "depth=3")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("learned in ")
    assert "  depth  3" in said.out
    done = run("register", "late", "tried/runs/1/out/model.skops", "--reference", "rows.parquet", "--label", "late")
    assert (done.code, "ONNX" in done.out) == (0, True)
    said = run("recipe", "learn.py", "rows.parquet", "--label", "late", "--parameter", "depth=0", "--json")
    assert said.code == 3
    assert "returned nothing" in said.err
    assert "tried/runs/2/log.txt" in said.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("learn.py", "rows.parquet", "--label", "nothing"), 3, "no such column"),
        (("learn.py", "weighed.csv", "--label", "late"), 3, "a column of every training set"),
        (("learn.py", "rows.parquet", "--label", "late", "--parameter", "depth"), 3, "NAME=VALUE"),
        (("gone.py:train", "rows.parquet", "--label", "late"), 4, "gone.py"),
        (("gone.ipynb", "rows.parquet", "--label", "late"), 4, "gone.ipynb"),
        (("python a.py | tee log", "rows.parquet", "--label", "late"), 3, "needs a shell"),
    ],
)
def test_mistakes_are_named(run: Run, words: tuple[str, ...], code: int, says: str) -> None:
    said = run("recipe", *words)
    assert (said.code, says in said.err) == (code, True), said.err
