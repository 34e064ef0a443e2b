"""Real packages sized: what is said of one that is well, and of those that are slow, hang, die or eat memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier

import headgate
from headgate.app.objective import size_folder
from headgate.app.sizing import Options
from headgate.errors import BadConfiguration, BadInput, IntegrityError, NotFound, RuntimeFailed
from headgate.sizing.figures import How
from headgate.sizing.plan import JSON
from headgate.sizing.savings import BINARY
from headgate.sizing.text import as_text
from headgate.sizing.variant import write_variant
from headgate.testing.scripted import linear_package, scripted_package
from headgate.traffic.endpoint import load_endpoint

pytestmark = pytest.mark.full

QUICK = Options(seconds=1.5, largest=16)


def children() -> set[int]:
    """Living processes that this one started."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.add(int(entry.name))
    return found


@pytest.fixture(autouse=True)
def nothing_lives_on() -> Iterator[None]:
    """Whatever is sized, its processes have ended by then."""
    before = children()
    yield
    assert children() <= before


@pytest.fixture
def home(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame(draw.normal(size=(300, 3)), columns=["a", "b", "c"])
    rows["y"] = (rows["a"] > 0).astype(int)
    with headgate.open(tmp_path / "h") as hg:
        model = LogisticRegression().fit(rows[["a", "b", "c"]], rows["y"])
        hg.register("late", model, reference=rows, label="y")
    return tmp_path / "h"


def test_a_registered_model_is_measured_alone_and_behind_a_gateway(home: Path) -> None:
    told: list[tuple[float, str]] = []
    options = Options(seconds=1.5, largest=64, progress=lambda done, what: told.append((done, what)))
    text = "endpoint: e\nmodel: late\nslo: {latency_p99_ms: 5000, requests_per_second: 10}\n"
    with headgate.open(home) as hg:
        before = sorted(path for path in home.rglob("*") if path.is_file() and "store" not in path.name)
        found = hg.size("late", endpoint=load_endpoint(text, "e"), options=options)
        after = sorted(path for path in home.rglob("*") if path.is_file() and "store" not in path.name)
    assert before == after, "sizing leaves nothing behind"
    assert (found.package, found.engine, found.hosted, found.host) == ("late:1", "onnx", False, None)
    assert [each.rows for each in found.model] == [1, 2, 4, 8, 16, 32, 64]
    assert found.rows_from == "300 reference rows"
    alone = [each for each in found.requests if (each.what, each.callers) == (JSON, 1)]
    assert [each.rows for each in alone] == [1, 2, 4, 8, 16, 32, 64]
    assert all(0 < each.p50_ms <= each.p99_ms and each.cpu_ms > 0 and not each.failed for each in found.requests)
    assert {each.callers for each in found.requests} == {1, 8, 64}
    assert any(each.what == BINARY for each in found.requests)
    assert found.gateway.base_mb > 20 < found.gateway.peak_mb
    assert found.plan is not None
    assert (found.plan.met, found.plan.replicas, found.plan.cores, found.plan.workers) == (True, 1, 1, 1)
    assert found.plan.largest_rows == 64
    assert {each.how for each in found.savings} <= {How.MEASURED, How.COMPUTED}
    assert told[0][1] == "the model alone"
    assert {what for _, what in told} >= {"the model alone", "a whole gateway"}
    assert all(0.0 <= done <= 1.0 for done, _ in told)
    assert "Objective of e: p99 within 5000 ms, 10 requests/s of 1 row" in as_text(found)


def test_the_only_endpoint_that_asks_the_model_is_meant(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.parent)
    with headgate.open(home) as hg:
        hg.apply("endpoint: one\nmodel: late\nslo: {latency_p99_ms: 0.000001}\n", force=True)
        found = hg.size("late:1", options=QUICK)
        assert found.objective is not None
        assert found.objective.endpoint == "one"
        assert not found.met
        assert "NOT MET by any number of cores" in as_text(found)
        hg.apply("endpoint: two\nmodel: late\n", force=True)
        with pytest.raises(NotFound, match="one, two"):
            hg.size("late", endpoint="three", options=QUICK)


def test_an_endpoint_that_does_not_fit_is_refused(home: Path) -> None:
    contract = "contract: {fields: [{name: a, kind: number}], output: {task: regression}}"
    with headgate.open(home) as hg, pytest.raises(BadConfiguration, match="another question"):
        hg.size("late", endpoint=load_endpoint(f"endpoint: e\nmodel: late\n{contract}\n", "e"), options=QUICK)


def test_a_refused_form_is_made_again_and_measured(tmp_path: Path) -> None:
    """A sparse matrix has no zeros for XGBoost, only gaps; the converted graph reads zeros, so it was refused."""
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"a": draw.normal(size=200), "e": draw.choice(["u", "v", "w"], 200)})
    rows["y"] = (rows["e"] == "u").astype(int)
    encoding = ColumnTransformer([("words", OneHotEncoder(), ["e"])], remainder="passthrough", sparse_threshold=1.0)
    model = make_pipeline(encoding, XGBClassifier(n_estimators=3)).fit(rows[["a", "e"]], rows["y"])
    with headgate.open(tmp_path / "h") as hg:
        package = hg.register("gaps", model, reference=rows, label="y").package
        found = hg.size("gaps", options=QUICK)
    assert (package.manifest.engine, found.hosted) == ("sklearn", True)
    form = next(each for each in found.savings if each.change.startswith("ONNX"))
    assert form.how is How.COMPUTED
    assert form.factor > 1.0
    assert "labels flip" in form.cost or "answers differ" in form.cost
    with pytest.raises(BadInput, match="no form called"):
        write_variant(package.path, "ONNX, float16 inputs", tmp_path)


def test_a_slow_class_is_held_back_by_its_one_host(tmp_path: Path) -> None:
    package = scripted_package(tmp_path, "slow", seconds=0.02)
    text = "endpoint: e\nmodel: m\nslo: {latency_p99_ms: 2000, requests_per_second: 100000}\n"
    found = size_folder(package, endpoint=load_endpoint(text, "e"), options=QUICK)
    assert (found.hosted, found.plan is not None and found.plan.bound) == (True, "runtime host")
    assert found.model[0].p50_ms >= 20.0
    assert found.host is not None
    assert found.plan is not None
    assert found.plan.replicas is not None
    assert found.plan.replicas > 1
    assert "made up from the contract" in found.rows_from
    assert "further replicas do" in as_text(found)


def test_a_package_in_a_folder_is_sized_without_an_objective(tmp_path: Path) -> None:
    found = size_folder(linear_package(tmp_path, 3) / "manifest.json", options=QUICK)
    assert found.objective is None
    assert found.met
    assert "Without an objective" in as_text(found)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("failing", "ValueError"),
        ("dying", "making the first call, of one row: its process"),
        ("wrong_rows", "the first call"),
    ],
)
def test_a_model_that_cannot_answer_one_row_is_no_figure(tmp_path: Path, behaviour: str, why: str) -> None:
    with pytest.raises(RuntimeFailed, match=why):
        size_folder(scripted_package(tmp_path, behaviour), options=QUICK)


def test_a_model_that_hangs_is_ended(tmp_path: Path) -> None:
    spec = load_endpoint("endpoint: e\nmodel: m\nresources: {call_seconds: 0.5}\n", "e")
    with pytest.raises(RuntimeFailed, match=r"making the first call, of one row: it did not come back within 0\.5 s"):
        size_folder(scripted_package(tmp_path, "hanging"), endpoint=spec, options=QUICK)


def test_a_model_that_takes_more_memory_than_granted_is_told(tmp_path: Path) -> None:
    spec = load_endpoint("endpoint: e\nmodel: m\nresources: {memory_mb: 300}\n", "e")
    package = scripted_package(tmp_path, "leaking", leak_bytes=400 << 20)
    with pytest.raises(RuntimeFailed, match=r"(?i)memory"):
        size_folder(package, endpoint=spec, options=QUICK)


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder of a package"):
        size_folder(tmp_path)
    package = linear_package(tmp_path, 2)
    with pytest.raises(NotFound, match="file"):
        size_folder(package, endpoint=tmp_path / "endpoint.yaml")
    (package / "model.onnx").write_bytes(b"changed")
    with pytest.raises(IntegrityError, match=r"model\.onnx changed"):
        size_folder(package)
