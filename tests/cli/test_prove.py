"""``headgate prove``: the exit code says whether a version may take the other's place, the report says why."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.cli.in_process import Run

import headgate


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    found = pd.DataFrame(random.normal(size=(rows, 2)), columns=["a", "b"])
    return found.assign(y=(found.a + found.b + random.normal(scale=0.5, size=rows) > 0).astype(int))


def test_the_way_from_two_versions_to_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, home, rows = Run(capsys, monkeypatch), str(tmp_path / "h"), tmp_path / "rows.parquet"
    known = frame(600, 1)
    with headgate.open(home) as hg:
        for few in (30, 600):
            model = LogisticRegression(C=0.01 if few == 30 else 1.0).fit(known[["a", "b"]][:few], known.y[:few])
            hg.register("delay", model, reference=known, label="y")
    frame(3000, 2).assign(input_id=[f"i{each}" for each in range(3000)]).to_parquet(rows)
    asked = ("prove", "--home", home, "--rows", str(rows))
    report = tmp_path / "proof.md"
    passed = run(*asked, "delay:2", "--against", "delay:1", "--report", str(report))
    assert (passed.code, passed.err) == (0, "")
    assert passed.out.startswith("delay:2 passed against delay:1")
    assert report.read_text().startswith("## ✅ delay:2 passed")
    failed = run(*asked, "delay:1", "--against", "delay:2", "--json", "--report", str(tmp_path / "proof.html"))
    assert (failed.code, json.loads(failed.out)["outcome"]) == (6, "failed")
    assert failed.err == "headgate: delay:1 failed against delay:2; delay:2 stays\n"
    assert "<html" in (tmp_path / "proof.html").read_text()
    seen = run(*asked, "delay:2", "--against", "delay:1", "--learned", str(rows))
    assert (seen.code, "learned from 3,000 of these 3,000 rows" in seen.err) == (3, True)
    assert run(*asked, "delay:2", "--against", "delay:1", "--margin", "0.1", "--metric", "log_loss").code == 0
