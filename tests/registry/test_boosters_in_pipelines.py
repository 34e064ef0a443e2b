"""XGBoost and LightGBM at the end of scikit-learn pipelines, converted with them; what ONNX cannot say is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier

from headgate.contracts.tables import as_table
from headgate.registry.importers.boosters import CATEGORIES
from headgate.registry.package import Engine
from headgate.runtimes.predictor import predict_with

NUMBERS = ["a", "b", "c"]
CLASSIFIERS = [
    XGBClassifier(n_estimators=5),
    XGBRFClassifier(n_estimators=5),
    LGBMClassifier(n_estimators=5, verbose=-1),
]
names = [type(each).__name__ for each in CLASSIFIERS]


def encoding(*, sparse: bool = False) -> ColumnTransformer:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    return ColumnTransformer(
        [("words", encoder, ["e"]), ("numbers", SimpleImputer(), NUMBERS)], sparse_threshold=1.0 if sparse else 0.0
    )


@pytest.mark.parametrize("booster", CLASSIFIERS, ids=names)
def test_after_encoding_and_filling(enter: Any, gappy: pd.DataFrame, booster: Any) -> None:
    data = gappy[[*NUMBERS, "e", "y"]].assign(e=gappy.e.fillna("none"))
    model = make_pipeline(encoding(), booster).fit(data.drop(columns="y"), data.y)
    done = enter(model, data)
    assert done.package.manifest.engine is Engine.ONNX, done.reason
    said = predict_with(done.package.path).predict(as_table(data))
    assert said.scores is not None
    np.testing.assert_allclose(said.scores, model.predict_proba(data.drop(columns="y")), atol=1e-5)
    assert said.prediction.tolist() == model.predict(data.drop(columns="y")).tolist()


@pytest.mark.parametrize("booster", CLASSIFIERS, ids=names)
def test_after_scaling_in_float64(enter: Any, gappy: pd.DataFrame, booster: Any) -> None:
    """A scaler's float64 arithmetic before a tree is what float32 gets wrong."""
    data = gappy[NUMBERS].assign(y=gappy.y)
    data["a"] = data.a * 1e4 + 1e7
    model = make_pipeline(StandardScaler(), booster).fit(data[NUMBERS], data.y)
    done = enter(model, data)
    assert done.chosen == "ONNX, float64 inputs", done.reason


def test_three_named_classes(enter: Any, frame: pd.DataFrame) -> None:
    data = frame[NUMBERS].assign(y=np.array(["low", "mid", "top"])[np.digitize(frame.a, [-0.5, 0.5])])
    model = make_pipeline(StandardScaler(), LGBMClassifier(n_estimators=4, verbose=-1)).fit(data[NUMBERS], data.y)
    done = enter(model, data)
    assert done.package.manifest.engine is Engine.ONNX, done.reason
    assert done.package.contract.output.classes == ("low", "mid", "top")


@pytest.mark.parametrize(
    "booster",
    [XGBRegressor(n_estimators=5), LGBMRegressor(n_estimators=5, verbose=-1)],
    ids=["XGBRegressor", "LGBMRegressor"],
)
def test_regressors(enter: Any, gappy: pd.DataFrame, booster: Any) -> None:
    data = gappy[NUMBERS].assign(y=gappy.b * 2)
    done = enter(make_pipeline(StandardScaler(), booster).fit(data[NUMBERS], data.y), data)
    assert done.package.manifest.engine is Engine.ONNX, done.reason


def test_inside_a_stack(enter: Any, frame: pd.DataFrame) -> None:
    members = [("line", LogisticRegression()), ("trees", XGBClassifier(n_estimators=3))]
    model = StackingClassifier(members, cv=2).fit(frame[NUMBERS], frame.y)
    assert enter(model, frame[[*NUMBERS, "y"]]).package.manifest.engine is Engine.ONNX


def test_zeros_that_xgboost_reads_as_missing_keep_it_native(enter: Any, gappy: pd.DataFrame) -> None:
    """A sparse matrix has no zeros for XGBoost, only gaps; the converted graph reads zeros, and parity notices."""
    data = gappy[[*NUMBERS, "e", "y"]].assign(e=gappy.e.fillna("none"))
    data["y"] = (data.e == "u").astype(int)
    model = make_pipeline(encoding(sparse=True), XGBClassifier(n_estimators=3)).fit(data.drop(columns="y"), data.y)
    said = predict_with(enter(model, data).package.path).predict(as_table(data)).scores
    assert said is not None
    np.testing.assert_allclose(said, model.predict_proba(data.drop(columns="y")), atol=1e-5)


def test_a_number_that_stands_for_missing_keeps_it_native(enter: Any, frame: pd.DataFrame) -> None:
    model = make_pipeline(StandardScaler(), XGBClassifier(n_estimators=3, missing=0.0)).fit(frame[NUMBERS], frame.y)
    done = enter(model, frame[[*NUMBERS, "y"]])
    assert done.package.manifest.engine is Engine.SKLEARN
    assert "reads a number as missing" in done.reason


@pytest.mark.parametrize(
    "model",
    [
        XGBClassifier(n_estimators=3, enable_categorical=True),
        LGBMClassifier(n_estimators=3, verbose=-1, min_child_samples=2),
        HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype"),
    ],
    ids=["xgboost", "lightgbm", "hist"],
)
def test_splits_on_categories_say_why_they_stay_native(enter: Any, frame: pd.DataFrame, model: Any) -> None:
    data = frame[["a", "e"]].assign(e=frame.e.astype("category"), y=(frame.e == "v").astype(int))
    done = enter(model.fit(data[["a", "e"]], data.y), data)
    assert done.package.manifest.engine is not Engine.ONNX
    assert "not taken: ONNX" in done.reason
    assert CATEGORIES in done.reason
    assert "BadInput" not in done.reason


@pytest.mark.parametrize(
    "booster",
    [*CLASSIFIERS[::2], HistGradientBoostingClassifier(max_iter=3, categorical_features=[0])],
    ids=["xgboost", "lightgbm", "hist"],
)
def test_a_skops_file_of_them_needs_no_trust(enter: Any, frame: pd.DataFrame, tmp_path: Path, booster: Any) -> None:
    data = frame[["k", "a", "y"]]
    model = booster if "Hist" in type(booster).__name__ else make_pipeline(StandardScaler(), booster)
    skops.io.dump(model.fit(data[["k", "a"]], data.y), tmp_path / "model.skops")
    done = enter(tmp_path / "model.skops", data)
    said = predict_with(done.package.path).predict(as_table(data)).scores
    assert said is not None
    np.testing.assert_allclose(said, model.predict_proba(data[["k", "a"]]), atol=1e-5)
