"""What a recipe gave back becomes a file that the registry takes, or the reason why not."""

from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from headgate.errors import BadInput
from headgate.registry.importers.files import open_model
from headgate.retraining.recipes.models import keep, left_behind

FITTED = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])


def twice(values: object) -> object:
    return np.asarray(values) * 2


TWICE = make_pipeline(FunctionTransformer(twice), LinearRegression()).fit([[0.0], [1.0]], [0.0, 2.0])


def test_an_estimator_is_kept_without_code(tmp_path: Path) -> None:
    assert keep(FITTED, tmp_path, trust=False) == "model.skops"
    assert open_model(tmp_path / "model.skops").predict([[3.0]]).tolist() == pytest.approx([6.0])


def test_a_forest_needs_no_word_either(tmp_path: Path) -> None:
    forest = RandomForestRegressor(n_estimators=2, random_state=0).fit([[0.0], [1.0]], [0.0, 2.0])
    kept = keep(forest, tmp_path, trust=False)
    assert open_model(tmp_path / kept).predict([[3.0]]).tolist() == forest.predict([[3.0]]).tolist()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (None, "returned nothing; end train with `return model`"),
        (3, "a int cannot be registered"),
        ({"model": FITTED}, "a dict cannot be registered"),
        ("nowhere.onnx", "a file that is not there"),
        (LinearRegression(), "is not fitted"),
        (TWICE, "set trust: true in the recipe"),
    ],
)
def test_what_is_no_model_is_told(model: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        keep(model, tmp_path, trust=False)
    assert refused.value.field == "model"


def test_a_model_with_code_of_its_own_needs_a_word(tmp_path: Path) -> None:
    assert keep(TWICE, tmp_path, trust=True) == "model.joblib"
    assert [each.name for each in tmp_path.iterdir()] == ["model.joblib"]
    assert open_model(tmp_path / "model.joblib", trust=True).predict([[3.0]]).tolist() == pytest.approx([6.0])


def test_a_file_that_the_recipe_wrote_itself_is_taken_and_looked_into(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    joblib.dump(FITTED, elsewhere / "mine.pkl")
    with pytest.raises(BadInput, match="trust: true"):
        keep(str(elsewhere / "mine.pkl"), out, trust=False)
    assert keep(elsewhere / "mine.pkl", out, trust=True) == "mine.pkl"
    (elsewhere / "notes.md").write_text("a model, honestly\n")
    with pytest.raises(BadInput, match="a kind of file Headgate does not open"):
        keep(elsewhere / "notes.md", out, trust=False)


def test_what_a_program_left_behind_is_found_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"left no model in \$HEADGATE_OUTPUT, such as model.onnx"):
        left_behind(tmp_path, trust=False)
    (tmp_path / "best.bin").touch()
    with pytest.raises(BadInput, match=r"it left best\.bin"):
        left_behind(tmp_path, trust=False)
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(BadInput, match="model"):
        left_behind(tmp_path, trust=False)
    (tmp_path / "model.onnx").unlink()
    keep(FITTED, tmp_path, trust=False)
    assert left_behind(tmp_path, trust=False) == "model.skops"
