"""``headgate init --from``: another monitor's file ends up in endpoint.yaml, and each of its entries is told of."""

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.cli.in_process import Run

from headgate.traffic.endpoint import load_endpoint
from headgate.traffic.watched import Compared

WORDS = ("rows.parquet", "--endpoint", "late", "--model", "m", "--label", "y")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_HOME", "h")
    rows = {"fee": [-1.0, 2.5, 3.5, 4.5] * 20, "plan": ["basic", "family"] * 40, "y": [0, 1] * 40}
    pd.DataFrame(rows).to_parquet("rows.parquet")
    features = [
        {"name": "fee", "inferred_type": "Fractional", "num_constraints": {"is_non_negative": True}},
        {"name": "plan", "string_constraints": {"domains": ["basic", "family", "other"]}},
    ]
    config = {"datatype_check_threshold": 0.1, "distribution_constraints": {"comparison_threshold": 0.2}}
    Path("constraints.json").write_text(json.dumps({"features": features, "monitoring_config": config}))
    Path("presets.yaml").write_text("- DataDriftPreset:\n    drift_share: 0.3\n")
    return Run(capsys, monkeypatch)


def test_both_kinds_of_files_end_up_in_the_draft(run: Run) -> None:
    done = run("init", *WORDS, "--from", "constraints.json", "--from", "presets.yaml")
    assert (done.code, done.err) == (0, "")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert any(line.startswith("taken features[0].num_constraints.is_non_negative minimum: 0") for line in lines)
    assert any(line.startswith("not taken presets[0].drift_share") for line in lines)
    assert [line for line in lines if line.endswith(":")] == ["constraints.json:", "presets.yaml:"]
    assert lines[-1].startswith("wrote endpoint.yaml")
    text = Path("endpoint.yaml").read_text()
    spec = load_endpoint(text, "endpoint.yaml")
    assert spec.contract is not None
    assert spec.contract.fields[0].minimum == 0
    assert spec.contract.fields[1].domain == ("basic", "family", "other")
    assert (spec.monitors.reference, spec.monitors.refusals_percent) == (Compared.PACKAGE, 10.0)
    assert "# How it is watched" in text, "it is the draft with its comments"


def test_without_such_a_file_nothing_is_said_of_one(run: Run) -> None:
    assert run("init", *WORDS).out.splitlines()[0].startswith("wrote endpoint.yaml")


def test_a_file_that_is_wrong_writes_nothing(run: Run) -> None:
    Path("constraints.json").write_text('{"features": [{"name": "fee", "completeness": 2}]}')
    wrong = run("init", *WORDS, "--from", "constraints.json")
    assert wrong.code == 9
    assert "constraints.json: features[0].completeness: must be a number from 0 to 1" in wrong.err
    assert run("init", *WORDS, "--from", "nothing.json").code == 4
    assert not Path("endpoint.yaml").exists()
