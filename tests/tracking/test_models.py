"""Which file of a model's artefacts is the model, and which addresses are addresses."""

import pytest

from headgate.errors import BadInput
from headgate.tracking.models import known_as, model_file, read_uri


@pytest.mark.parametrize(
    ("flavors", "path", "name"),
    [
        ("{onnx: {data: model.onnx}, python_function: {}}", "model.onnx", "model.onnx"),
        ("{sklearn: {pickled_model: model.skops}}", "model.skops", "model.skops"),
        ("{sklearn: {pickled_model: model.pkl}}", "model.pkl", "model.pkl"),
        ("{xgboost: {data: model.xgb, model_format: ubj}}", "model.xgb", "model.ubj"),
        ("{xgboost: {data: model.json}}", "model.json", "model.json"),
        ("{lightgbm: {data: model.lgb}}", "model.lgb", "model.txt"),
        ("{lightgbm: {data: model.pkl}}", "model.pkl", "model.pkl"),
        ("{pytorch: {model_data: data}}", "data/model.pt2", "model.pt2"),
        ("{keras: {data: data}}", "data/model.keras", "model.keras"),
    ],
)
def test_the_file_and_its_ending(flavors: str, path: str, name: str) -> None:
    assert model_file(f"flavors: {flavors}") == (path, name)


@pytest.mark.parametrize(
    "text",
    ["", "flavors: 3", "flavors: {}", "a: [", "flavors: {langchain: {}}"],
)
def test_another_kind_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        model_file(text)
    assert caught.value.field == "model"


@pytest.mark.parametrize(
    "text", ["models:/", "models:/a@", "models:/a/x", "models:/a/3@b", "runs:/a", "models:/a/b/c", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_uri(text)


def test_an_address_says_version_or_alias_or_neither() -> None:
    uris = [read_uri(f"models:/late{rest}") for rest in ("", "/latest", "/3", "@champion")]
    assert [(each.version, each.alias) for each in uris] == [
        (None, None),
        (None, None),
        ("3", None),
        (None, "champion"),
    ]


def test_a_lineage_leads_back() -> None:
    assert known_as("mlflow:models:/late/12 (run abc)") == ("late", "12")
    assert known_as("make train") is None
