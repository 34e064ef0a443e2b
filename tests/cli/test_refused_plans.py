"""Plans that make no sense for their endpoint: refused by file, line and key, before anything has moved."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.cli.in_process import Run

import headgate
from headgate.contracts.contract import Contract, OnBreak

STEPS = "steps:\n- shadow: 100%\n- analysis\n"
REFUSED: dict[str, tuple[str, str, str, int, int, str]] = {
    "weights that do not add up": (
        "late", "sign:2", "steps:\n- set_weight: 60%\n- set_weight: 140%\n", 9, 5,
        "steps[1].set_weight: no version can have more than 100%",
    ),
    "weights that go backwards": (
        "late", "sign:2", "steps:\n- set_weight: 50%\n- set_weight: 20%\n", 9, 5,
        "steps[1].set_weight: goes backwards",
    ),
    "an unknown metric": ("late", "sign:2", f"{STEPS}guards:\n- metric: happiness\n", 9, 7, "guards[0].metric"),
    "labels that never come": (
        "unlabelled", "sign:2", f"{STEPS}guards:\n- metric: accuracy\n", 9, 7, "guards[0].metric: accuracy needs",
    ),
    "an alpha of nothing": ("late", "sign:2", f"{STEPS}alpha: {{roll_back: 0}}\n", 9, 6, "alpha.roll_back: must lie"),
    "an alpha of one": ("late", "sign:2", f"{STEPS}alpha: {{promote: 1.0}}\n", 9, 6, "alpha.promote: must lie"),
    "a margin in another unit": (
        "late", "sign:2", f"{STEPS}guards:\n- metric: latency\n  margin: 1pt\n", 9, 8,
        "guards[0].margin: of latency has another unit",
    ),
    "a contract that breaks": (
        "late", "wider:1", STEPS, 9, 2, "candidate: wider:1 reads the field 'z' as number, sign:1 does not have it",
    ),
    "a contract that callers would notice": (
        "late", "strict:1", STEPS, 9, 2,
        "candidate: strict:1 breaks the contract of sign:1 (x: its range of legal values no longer covers the old one)",
    ),
    "no evaluation": ("late", "sign:3", STEPS, 6, 2, "candidate: sign:3 has no passing evaluation"),
    "two rollouts of one endpoint": ("busy", "sign:2", STEPS, 5, 1, "endpoint: endpoint 'busy' is in rollout 1"),
}  # fmt: skip
"""Endpoint, candidate, the plan below them, exit code, line, and what is said."""


def frame(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(3)
    found = pd.DataFrame({"x": random.normal(size=rows), "z": random.normal(size=rows)})
    found["y"] = (found["x"] + 0.3 * random.normal(size=rows) > 0).astype(int)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three endpoints of one model: labels come to the first, never to the second, and the third is in a rollout."""
    root, rows = tmp_path_factory.mktemp("plans") / "h", frame(600)
    with headgate.open(root) as hg:
        for size in (200, 400, 600):
            part = rows[["x", "y"]][:size]
            hg.register("sign", LogisticRegression().fit(part[["x"]], part["y"]), reference=part, label="y")
        wide = LogisticRegression().fit(rows[["x", "z"]], rows["y"])
        hg.register("wider", wide, reference=rows, label="y")
        plain = hg.registry.package(hg.registry.resolve("sign:1")).contract
        bounded = replace(plain.fields[0], minimum=-9.0, maximum=9.0, on_range=OnBreak.REJECT)
        strict = Contract((bounded,), plain.output)
        model = LogisticRegression().fit(rows[["x"]], rows["y"])
        hg.register("strict", model, reference=rows[["x", "y"]], label="y", contract=strict)
        for version, columns in (("sign:1", ["x", "y"]), ("sign:2", ["x", "y"]), ("wider:1", ["x", "z", "y"])):
            hg.evaluate(version, rows[columns], gates=["accuracy >= 0.5"])
        for endpoint, maturity in (("late", "1d"), ("unlabelled", "0s"), ("busy", "1d")):
            hg.apply(f"endpoint: {endpoint}\nmodel: sign:1\nlabel_maturity: {maturity}\n")
        hg.deploy("endpoint: busy\ncandidate: sign:2\nsteps: [shadow: 100%, approve]\nguards: []\n")
    return root


def kept(home: Path) -> tuple[Any, ...]:
    """Everything a plan could have moved."""
    with headgate.open(home) as hg:
        rollouts = {each: hg.rollouts.history(each) for each in hg.endpoints()}
        return rollouts, hg.rollouts.store.endpoints("default"), hg.traffic.read(), len(list(hg.audit()))


@pytest.mark.parametrize("verb", ["plan", "deploy"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_plan_is_refused_with_its_line_and_nothing_moves(
    case: str,
    verb: str,
    *,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint, candidate, body, code, line, says = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    Path("rollout.yaml").write_text(f"endpoint: {endpoint}\ncandidate: {candidate}\n{body}")
    before = kept(home)
    answered = Run(capsys, monkeypatch)(verb, "--home", str(home))
    assert (answered.code, answered.out) == (code, "")
    assert f"rollout.yaml line {line}: {says}" in answered.err
    assert kept(home) == before


def test_looking_at_a_plan_that_is_right_moves_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rollout.yaml").write_text(f"endpoint: late\ncandidate: sign:2\n{STEPS}")
    before = kept(home)
    shown = Run(capsys, monkeypatch)("plan", "--home", str(home))
    assert (shown.code, shown.err) == (0, "")
    assert "stay until every guard holds" in shown.out
    assert kept(home) == before
