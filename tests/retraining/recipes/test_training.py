"""A training set as a recipe sees it."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.retraining.recipes.conftest import ROWS

from headgate.errors import BadInput, NotFound
from headgate.retraining.recipes.automl import moments
from headgate.retraining.recipes.training import TrainingData, training_data
from headgate.vocabulary import Task


def test_every_form_has_the_same_rows(dataset: Path) -> None:
    data = TrainingData(dataset, parameters={"depth": 3}, seed=7)
    assert data.table.column_names == ["distance", "carrier", "label"]
    assert list(data.to_pandas()) == ["distance", "carrier", "label"]
    assert list(data.X) == list(data.contract_features) == ["distance", "carrier"]
    assert data.X["distance"].tolist() == data.table.column("distance").to_pylist()
    assert data.y.tolist() == data.table.column("label").to_pylist()
    assert (len(data.X), data.weight.tolist(), data.task) == (ROWS, [1.0] * ROWS, Task.BINARY)
    assert data.sample_weight is None
    weighed = TrainingData(dataset)
    weighed.weight = np.linspace(1.0, 2.0, ROWS)
    assert weighed.sample_weight is weighed.weight
    assert (data.parameters, data.seed, data.dataset.rows) == ({"depth": 3}, 7, ROWS)


def test_an_original_row_has_no_moment_and_is_older_than_all(dataset: Path) -> None:
    data = TrainingData(dataset)
    assert np.isnat(data.at).nonzero()[0].tolist() == [0]
    filled = moments(data)
    assert filled is not None
    assert filled.min() == filled[0] == data.at[1] - np.timedelta64(1, "us")
    data.at[:] = np.datetime64("NaT")
    assert moments(data) is None


def test_what_is_said_is_written_down_but_not_at_every_step(dataset: Path, tmp_path: Path) -> None:
    data = TrainingData(dataset, progress=tmp_path / "progress")
    for step in range(1000):
        data.progress(step / 1000, "fitting")
    data.progress(1.0, "fitting")
    data.log_metric("auc", 0.75)
    data.log_metric("auc", float("inf"))
    lines = [json.loads(each) for each in (tmp_path / "progress").read_text().splitlines()]
    assert lines[0] == {"done": 0.0, "step": "fitting"}
    assert lines[-2:] == [{"done": 1.0, "step": "fitting"}, {"metric": "auc", "value": 0.75}]
    assert len(lines) < 100


def test_a_program_finds_its_training_set_in_its_environment(dataset: Path, tmp_path: Path) -> None:
    data = training_data(
        {
            "HEADGATE_DATASET": str(dataset),
            "HEADGATE_OUTPUT": str(tmp_path / "out"),
            "HEADGATE_CHECKPOINT": str(tmp_path / "checkpoint"),
            "HEADGATE_PARAMETERS": '{"depth": 3, "why": null}',
            "HEADGATE_SEED": "5",
        }
    )
    assert (data.parameters, data.seed) == ({"depth": 3, "why": None}, 5)
    assert data.checkpoint == tmp_path / "checkpoint"


def test_outside_of_a_run_there_is_none(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="HEADGATE_DATASET"):
        training_data({})
    with pytest.raises(NotFound, match="training set"):
        TrainingData(tmp_path)
    with pytest.raises(BadInput, match="no run"):
        TrainingData(dataset).save(object())
