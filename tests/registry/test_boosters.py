"""XGBoost and LightGBM, as wrappers, boosters and files, really converted and compared."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from xgboost import XGBClassifier, XGBRegressor

from headgate.errors import BadInput
from headgate.registry.package import Engine

NUMBERS = ["a", "b", "c"]
KINDS = [(XGBClassifier, {}, "ONNX, float32 inputs"), (LGBMClassifier, {"verbose": -1}, "ONNX, float64 inputs")]


@pytest.mark.parametrize(("kind", "options", "chosen"), KINDS)
def test_a_classifier(enter: Any, gappy: pd.DataFrame, kind: Any, options: dict[str, Any], chosen: str) -> None:
    done = enter(kind(n_estimators=6, **options).fit(gappy[NUMBERS], gappy.y), gappy)
    assert done.chosen == chosen
    assert done.package.contract.names == tuple(NUMBERS)
    assert done.parity.rows > len(gappy)


@pytest.mark.parametrize(("kind", "options", "chosen"), KINDS)
def test_three_classes(enter: Any, frame: pd.DataFrame, kind: Any, options: dict[str, Any], chosen: str) -> None:
    data = frame[NUMBERS].assign(y=np.digitize(frame.a, [-0.5, 0.5]))
    done = enter(kind(n_estimators=4, **options).fit(data[NUMBERS], data.y), data)
    assert done.chosen == chosen
    assert done.package.contract.output.classes == (0, 1, 2)


@pytest.mark.parametrize(
    "model",
    [
        XGBRegressor(n_estimators=6),
        LGBMRegressor(n_estimators=6, verbose=-1),
        LGBMRegressor(objective="poisson", n_estimators=3, verbose=-1),
    ],
)
def test_a_regressor(enter: Any, gappy: pd.DataFrame, model: Any) -> None:
    target = np.exp(gappy.b)
    done = enter(model.fit(gappy[NUMBERS], target), gappy[NUMBERS].assign(y=target))
    assert done.package.manifest.engine is Engine.ONNX


def test_a_bare_booster_takes_its_classes_from_the_labels(enter: Any, frame: pd.DataFrame) -> None:
    for wrapper in (XGBClassifier(n_estimators=4), LGBMClassifier(n_estimators=4, verbose=-1)):
        wrapper.fit(frame[NUMBERS], frame.y)
        booster = wrapper.get_booster() if hasattr(wrapper, "get_booster") else wrapper.booster_
        data = frame.assign(y=np.where(frame.y == 1, "yes", "no"))
        assert enter(booster, data).package.contract.output.classes == ("no", "yes")


def test_files(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    forest = XGBClassifier(n_estimators=3).fit(frame[NUMBERS], frame.y)
    for name in ("model.ubj", "model.json"):
        forest.save_model(tmp_path / name)
        assert enter(tmp_path / name, frame).package.manifest.engine is Engine.ONNX
    light = LGBMClassifier(n_estimators=3, verbose=-1).fit(frame[NUMBERS], frame.y)
    light.booster_.save_model(tmp_path / "model.txt")
    assert enter(str(tmp_path / "model.txt"), frame).package.manifest.engine is Engine.ONNX


@pytest.mark.parametrize("name", ["model.ubj", "model.json", "model.txt"])
def test_a_file_that_is_not_one(enter: Any, frame: pd.DataFrame, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"tree\nbut not really")
    with pytest.raises(BadInput, match="is not a model"):
        enter(tmp_path / name, frame)


@pytest.mark.parametrize(
    ("model", "engine"),
    [
        (XGBClassifier(n_estimators=3, enable_categorical=True), Engine.XGBOOST),
        (LGBMClassifier(n_estimators=3, verbose=-1), Engine.LIGHTGBM),
    ],
)
def test_splits_on_categories_stay_native(enter: Any, frame: pd.DataFrame, model: Any, engine: Engine) -> None:
    data = frame[["a", "e", "y"]].assign(e=frame.e.astype("category"))
    done = enter(model.fit(data[["a", "e"]], data.y), data)
    assert done.package.manifest.engine is engine
    assert done.parity.exact


def test_early_stopping_keeps_the_rounds_it_predicts_with(enter: Any, frame: pd.DataFrame) -> None:
    model = XGBClassifier(n_estimators=60, early_stopping_rounds=2, learning_rate=0.9)
    model.fit(frame[NUMBERS], frame.y, eval_set=[(frame[NUMBERS][::-1], 1 - frame.y)], verbose=False)
    assert model.best_iteration < 59
    done = enter(model, frame)
    from headgate.contracts.tables import as_table
    from headgate.runtimes.predictor import predict_with

    said = predict_with(done.package.path).predict(as_table(frame)).scores
    assert said is not None
    assert np.abs(said - model.predict_proba(frame[NUMBERS])).max() < 1e-5


@pytest.mark.parametrize("model", [XGBClassifier(), LGBMClassifier()])
def test_one_that_is_not_fitted(enter: Any, frame: pd.DataFrame, model: Any) -> None:
    with pytest.raises(BadInput, match="not fitted"):
        enter(model, frame)
