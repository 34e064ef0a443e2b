"""The search on small tables: what it gives is registered as exact ONNX, explained, and the same for a seed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate.clock import HeldClock
from headgate.errors import BadInput, RuntimeFailed
from headgate.registry.package import Engine
from headgate.registry.packages import PackageStore
from headgate.registry.ports import Predictor
from headgate.registry.register import Registered, Registration, register
from headgate.registry.registry import Registry
from headgate.retraining.search import checkpoint as kept
from headgate.retraining.search.families import families
from headgate.retraining.search.found import Found, as_text, to_json
from headgate.retraining.search.learnable import Learning
from headgate.retraining.search.saved import save
from headgate.retraining.search.search import search
from headgate.runtimes.predictor import predict_with
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros, Task

LONG = 600.0
"""A budget that no test reaches."""


def registered(model: Any, data: Learning, folder: Path) -> Registered:
    registry = Registry(MemoryStore(), PackageStore(folder / "packages"), HeldClock(Micros(1_600_000_000_000_000)))
    return register(registry, predict_with, model, data.X.assign(y=data.y), Registration(name="m", label="y"))


@pytest.fixture(scope="module")
def rows(learning: Any) -> Learning:
    found: Learning = learning()
    return found


@pytest.fixture(scope="module")
def found(rows: Learning) -> Found:
    return search(rows, budget_s=LONG, most=2)


@pytest.fixture(scope="module")
def whole(rows: Learning) -> Found:
    return search(rows, budget_s=LONG, most=len(families()))


def test_what_is_found_becomes_exact_onnx(found: Found, rows: Learning, tmp_path: Path) -> None:
    save(found.model, tmp_path / "model.skops")
    done = registered(tmp_path / "model.skops", rows, tmp_path)
    assert done.version.engine is Engine.ONNX
    assert done.parity.exact
    assert done.package.contract.names == tuple(rows.X.columns), "the contract names every feature of the rows"
    with pytest.raises(BadInput, match=r"must end in \.skops"):
        save(found.model, tmp_path / "model.bin")


@pytest.mark.full
def test_every_family_is_on_the_leaderboard_with_its_price(whole: Found) -> None:
    board = {each.name: each for each in whole.leaderboard}
    assert set(board) == {each.name for each in families()}
    assert [each.chosen for each in whole.leaderboard] == [True, *[False] * (len(board) - 1)]
    losses = [each.metric.value for each in whole.leaderboard]
    assert losses == sorted(losses, key=lambda each: each or 0.0)
    for each in board.values():
        assert each.share == 1.0
        assert each.metric.low is not None
        assert each.metric.low < (each.metric.value or 0.0) < (each.metric.high or 0.0)
        assert each.figures["auc"].value is not None
        assert each.figures["auc"].value > 0.8
        assert each.fit_seconds > 0
        assert each.row_us is not None
        assert each.row_us > 0
        assert each.size_bytes is not None
        assert each.size_bytes > 300
        assert each.calibrated is not None


def test_the_choice_is_explained(found: Found) -> None:
    said = " ".join(found.why)
    for words in (
        f"Chosen: {found.chosen.name}, log loss ",
        "rows newer than all those learned from",
        "The next best family is ",
        "Its probabilities ",
        "what the loss gains when their values are shuffled: ",
        "Served as ONNX",
        "It learned from all 500 rows",
        "same: it is the same in every row",
        "free: it is free text",
    ):
        assert words in said
    columns = said.partition("are shuffled: ")[2]
    assert columns.startswith("a (+")
    assert ", e (+" in columns
    text = as_text(found)
    assert text.splitlines()[1].startswith(found.chosen.name)
    assert text.splitlines()[1].endswith("chosen")
    told = json.loads(to_json(found))
    assert [each["name"] for each in told["leaderboard"]] == [each.name for each in found.leaderboard]
    assert found.metrics["auc"] == told["leaderboard"][0]["figures"]["auc"]["value"]


@pytest.mark.full
def test_an_interrupted_search_goes_on_and_finds_the_same(
    whole: Found, rows: Learning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):
        pass

    def killed(_done: float, what: str) -> None:
        if "forest" in what:
            raise Killed

    with pytest.raises(Killed):
        search(rows, budget_s=LONG, most=len(families()), checkpoint=tmp_path, progress=killed)
    file = tmp_path / kept.NAME
    lines = file.read_bytes()
    file.write_bytes(lines + b'\n{"key": "cut o')
    told: list[tuple[float, str]] = []
    again = search(
        rows, budget_s=LONG, most=len(families()), checkpoint=tmp_path, progress=lambda *each: told.append(each)
    )
    assert [each[1] for each in told if " on " in each[1]] == [
        f"{each.name} on 100% of the rows" for each in families()[3:]
    ], "only what had not been tried was tried"
    assert [each.name for each in again.leaderboard] == [each.name for each in whole.leaderboard]
    assert again.chosen.metric == whole.chosen.metric, "the same seed finds the same"
    assert (again.model.predict_proba(rows.X) == whole.model.predict_proba(rows.X)).all()
    assert told[-1] == (1.0, f"chose {whole.chosen.name}")


@pytest.mark.full
def test_what_was_kept_of_other_rows_is_not_taken(rows: Learning, tmp_path: Path) -> None:
    search(rows, budget_s=LONG, most=1, checkpoint=tmp_path)
    told: list[str] = []
    search(rows, budget_s=LONG, most=1, checkpoint=tmp_path, seed=1, progress=lambda _, what: told.append(what))
    assert told[0] == "linear on 100% of the rows"


def test_numbers_are_learned(learning: Any, tmp_path: Path) -> None:
    data = learning(Task.REGRESSION)
    found = search(data, budget_s=LONG, most=1)
    assert found.metrics["r2"] > 0.6
    assert found.chosen.metric.name == "rmse"
    assert found.chosen.calibrated is None
    assert registered(found.model, data, tmp_path).version.engine is Engine.ONNX


@pytest.mark.full
def test_the_budget_is_kept_by_a_clock_that_runs(learning: Any) -> None:
    """Every fold costs a second of this clock, whatever it takes: the race must end by itself."""
    now = iter(range(10_000))
    found = search(learning(), budget_s=20.0, clock=lambda: float(next(now)))
    assert 1 <= len(found.leaderboard) < 20
    assert found.chosen.share == 1.0


def test_weights_count(learning: Any) -> None:
    data = learning()
    flipped = np.where(np.arange(500) < 250, 1 - data.y, data.y)
    weight = np.where(np.arange(500) < 250, 1e-6, 1.0)
    right = {}
    for given in (None, weight):
        found = search(learning(y=flipped, weight=given, at=None), budget_s=LONG, most=1)
        said = found.model.predict(data.X.astype({"e": object}))
        right[given is not None] = float((said == data.y)[250:].mean())
    assert right[True] > 0.75, "rows that hardly count turned nothing round"
    assert right[True] > right[False] + 0.1


def test_what_no_runtime_takes_is_said(rows: Learning) -> None:
    def refuses(package: Path) -> Predictor:
        raise RuntimeFailed(f"no runtime here for {package.name}")

    found = search(rows, budget_s=LONG, most=1, runner=refuses)
    assert found.chosen.size_bytes is None
    assert any(each.startswith("No package can be made of it") for each in found.why)


@pytest.mark.parametrize("wrong", [{"budget_s": 0.0}, {"threads": 0}, {"most": 0}, {"budget_s": float("nan")}])
def test_numbers_that_make_no_sense_are_refused(rows: Learning, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="more than zero"):
        search(rows, **wrong)


@pytest.mark.full
def test_several_classes_and_a_share_of_the_rows(learning: Any, tmp_path: Path) -> None:
    data = learning(Task.MULTICLASS, 4_600)
    told: list[str] = []
    found = search(data, budget_s=LONG, most=2, progress=lambda _, what: told.append(what))
    assert found.metrics["auc"] > 0.8
    assert [each.rpartition(" on ")[2] for each in told[:4]] == ["33% of the rows"] * 2 + ["100% of the rows"] * 2
    assert registered(found.model, data, tmp_path).version.engine is Engine.ONNX
