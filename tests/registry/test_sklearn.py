"""scikit-learn models really converted, run, and held to their own answers."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

from headgate.contracts.contract import Kind
from headgate.errors import BadInput
from headgate.registry.package import Engine
from headgate.registry.parity import recheck
from headgate.runtimes.predictor import predict_with
from headgate.vocabulary import Task

NUMBERS = ["a", "b", "c"]
MIXED = ["a", "b", "k", "e"]


def mixed(last: Any) -> Any:
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(ColumnTransformer([("n", numeric, ["a", "b", "k"]), ("e", words, ["e"])]), last)


def test_a_linear_model_becomes_one_float32_matrix(enter: Any, frame: pd.DataFrame) -> None:
    done = enter(LogisticRegression().fit(frame[NUMBERS], frame.y), frame)
    assert done.chosen == "ONNX, float32 inputs"
    assert done.package.contract.names == tuple(NUMBERS), "columns the model does not read are no fields"
    assert [each.fields for each in done.package.manifest.signature.inputs] == [NUMBERS]
    assert done.package.contract.output.classes == (0, 1)


def test_fields_keep_the_order_the_model_was_fitted_in(enter: Any, frame: pd.DataFrame) -> None:
    done = enter(LogisticRegression().fit(frame[["c", "a", "b"]], frame.y), frame)
    assert done.package.manifest.signature.inputs[0].fields == ["c", "a", "b"]
    assert done.parity.exact


def test_a_model_fitted_on_arrays_reads_columns_in_order(enter: Any, frame: pd.DataFrame) -> None:
    done = enter(LogisticRegression().fit(frame[NUMBERS].to_numpy(), frame.y), frame[[*NUMBERS, "y"]])
    assert done.package.manifest.engine is Engine.ONNX


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [3, 8]])
def test_classes_of_every_kind(enter: Any, frame: pd.DataFrame, labels: list[Any]) -> None:
    data = frame[NUMBERS].assign(y=[labels[each] for each in frame.y])
    done = enter(RandomForestClassifier(8, random_state=0).fit(data[NUMBERS], data.y), data)
    assert done.package.contract.output.classes == tuple(labels)
    assert done.package.manifest.engine is Engine.ONNX


def test_three_classes(enter: Any, frame: pd.DataFrame) -> None:
    data = frame[NUMBERS].assign(y=np.array(["low", "mid", "top"])[np.digitize(frame.a, [-0.5, 0.5])])
    for model in (LogisticRegression(), HistGradientBoostingClassifier(max_iter=4)):
        done = enter(model.fit(data[NUMBERS], data.y), data)
        assert done.version.task == Task.MULTICLASS
        assert done.package.manifest.engine is Engine.ONNX


def test_float32_trees_stay_float32(enter: Any, frame: pd.DataFrame) -> None:
    done = enter(GradientBoostingClassifier(n_estimators=10).fit(frame[NUMBERS], frame.y), frame)
    assert done.chosen == "ONNX, float32 inputs"
    assert done.parity.rows > len(frame), "rows beside its jumps were compared too"


def test_float64_trees_get_double_inputs(enter: Any, frame: pd.DataFrame) -> None:
    done = enter(HistGradientBoostingClassifier(max_iter=8).fit(frame[NUMBERS], frame.y), frame)
    assert done.chosen == "ONNX, float64 inputs"
    assert "ONNX, float32 inputs" in done.reason
    assert "near where its answer jumps in a" in done.reason


def test_whole_numbers_need_no_double(enter: Any, frame: pd.DataFrame) -> None:
    data = frame[["k"]].assign(j=frame.k % 7, y=frame.k > 20)
    done = enter(HistGradientBoostingClassifier(max_iter=4).fit(data[["k", "j"]], data.y), data)
    assert done.chosen == "ONNX, float32 inputs"


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_histogram_regression(enter: Any, frame: pd.DataFrame, loss: str) -> None:
    data = frame[NUMBERS].assign(y=np.exp(frame.a))
    done = enter(HistGradientBoostingRegressor(loss=loss, max_iter=8).fit(data[NUMBERS], data.y), data)
    assert done.package.manifest.engine is Engine.ONNX
    assert done.version.task == Task.REGRESSION


def test_missing_numbers_take_the_side_they_were_taught(enter: Any, gappy: pd.DataFrame) -> None:
    done = enter(HistGradientBoostingClassifier(max_iter=8).fit(gappy[NUMBERS], gappy.y), gappy)
    assert done.package.manifest.engine is Engine.ONNX
    assert done.package.contract.fields[0].nullable


@pytest.mark.parametrize("last", [LogisticRegression(), RandomForestClassifier(6, random_state=0)])
def test_named_columns_with_categories(enter: Any, frame: pd.DataFrame, last: Any) -> None:
    done = enter(mixed(last).fit(frame[MIXED], frame.y), frame)
    assert done.package.manifest.engine is Engine.ONNX
    assert [each.kind for each in done.package.contract.fields] == [
        Kind.NUMBER,
        Kind.NUMBER,
        Kind.INTEGER,
        Kind.CATEGORY,
    ]


@pytest.mark.parametrize(
    "names",
    [
        {"a": "sepal length (cm)", "b": "sepal-length.cm", "k": "Größe in m²", "e": "東京 区"},
        {"a": "a b", "b": "a_b", "k": "a-b", "e": "a.b"},
    ],
    ids=["any writing", "alike once simplified"],
)
def test_columns_of_any_name_become_onnx(enter: Any, frame: pd.DataFrame, names: dict[str, str]) -> None:
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("n", numeric, [names[each] for each in "abk"]), ("e", words, [names["e"]])])
    data = frame[[*MIXED, "y"]].rename(columns=names)
    model = make_pipeline(columns, LogisticRegression()).fit(data[list(names.values())], data.y)
    done = enter(model, data)
    assert done.package.manifest.engine is Engine.ONNX, done.reason
    assert [each.name for each in done.package.manifest.signature.inputs] == list(names.values())


def test_missing_categories(enter: Any, gappy: pd.DataFrame) -> None:
    done = enter(mixed(LogisticRegression()).fit(gappy[MIXED], gappy.y), gappy)
    assert done.package.manifest.engine is Engine.ONNX


def test_imputed_strings(enter: Any, gappy: pd.DataFrame) -> None:
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    transformer = ColumnTransformer([("n", SimpleImputer(), ["a", "b"]), ("e", words, ["e"])])
    done = enter(make_pipeline(transformer, LogisticRegression()).fit(gappy[["a", "b", "e"]], gappy.y), gappy)
    assert done.package.manifest.engine is Engine.ONNX


def test_ordinal_categories_before_float64_trees(enter: Any, frame: pd.DataFrame) -> None:
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    pipeline = make_pipeline(
        ColumnTransformer([("e", words, ["e"])], remainder="passthrough"), HistGradientBoostingClassifier(max_iter=5)
    )
    done = enter(pipeline.fit(frame[["a", "b", "e"]], frame.y), frame)
    assert done.chosen == "ONNX, float64 inputs"


def test_text(enter: Any, frame: pd.DataFrame) -> None:
    done = enter(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(frame.t, frame.y), frame[["t", "y"]])
    assert done.package.manifest.engine is Engine.ONNX
    assert done.package.manifest.signature.inputs[0].dtype == "string"


def test_what_onnx_says_otherwise_stays_native(enter: Any, frame: pd.DataFrame) -> None:
    data = frame[["y"]].assign(t=[f"caf\u00e9 au lait {place % 5}" for place in range(len(frame))])
    done = enter(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(data.t, data.y), data)
    assert done.parity.exact
    assert done.package.manifest.engine in (Engine.SKLEARN, Engine.ONNX)


def test_categories_inside_histogram_boosting_stay_native(enter: Any, frame: pd.DataFrame) -> None:
    data = frame[["a", "e", "y"]].assign(e=frame.e.astype("category"))
    done = enter(HistGradientBoostingClassifier(max_iter=4).fit(data[["a", "e"]], data.y), data)
    assert done.package.manifest.engine is Engine.SKLEARN
    assert done.parity.exact
    said = recheck(done.package, predict_with)
    assert said is not None
    assert said.exact


def test_a_classifier_without_probabilities(enter: Any, frame: pd.DataFrame) -> None:
    done = enter(LinearSVC().fit(frame[NUMBERS], frame.y), frame)
    assert not done.package.contract.output.probability
    assert done.package.manifest.signature.scores is None


def test_a_search_is_what_it_settled_on(enter: Any, frame: pd.DataFrame) -> None:
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2).fit(frame[NUMBERS], frame.a * 2)
    assert enter(search, frame[NUMBERS].assign(y=frame.a * 2)).package.manifest.engine is Engine.ONNX


def test_what_cannot_be_served_is_refused_by_name(enter: Any, frame: pd.DataFrame) -> None:
    with pytest.raises(BadInput, match="not fitted"):
        enter(LogisticRegression(), frame)
    with pytest.raises(BadInput, match="several outputs"):
        enter(RandomForestClassifier(2).fit(frame[NUMBERS], frame[["y", "e"]].assign(e=frame.e == "u")), frame)
    with pytest.raises(BadInput, match=r"^c: the model was fitted with this column"):
        enter(LogisticRegression().fit(frame[NUMBERS], frame.y), frame.drop(columns="c"))
    with pytest.raises(BadInput, match="own label as a feature"):
        enter(LogisticRegression().fit(frame[["a", "y"]], frame.y), frame)
