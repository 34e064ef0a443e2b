"""A function as a recipe: what it is handed, what is recorded, and every way in which there is no model in the end."""

import hashlib
from pathlib import Path

import pytest
from tests.retraining.recipes.conftest import Runs

from headgate.registry.importers.files import open_model
from headgate.retraining.recipes.recipe import RecipeState
from headgate.retraining.recipes.workshop import Workshop

pytestmark = pytest.mark.full

GOOD = """
    import shapes
    from sklearn.linear_model import LogisticRegression

    def train(data):
        print("rows", len(data.table), data.table.column_names)
        data.progress(0.5, "fitting")
        data.log_metric("rows", len(data.y))
        return LogisticRegression().fit(data.X[["distance"]], data.y, sample_weight=data.weight)
"""


def test_a_function_learns_and_the_run_is_recorded(runs: Runs, workshop: Workshop, sources: Path) -> None:
    (sources / "shapes.py").write_text("SIDES = 4\n")
    standing = runs(GOOD)
    assert (standing.state, standing.why, standing.done, standing.lost) == (RecipeState.LEARNED, "", 1.0, False)
    learned = standing.learned
    assert learned is not None
    folder = workshop.folder("r1")
    assert open_model(folder / learned.model).feature_names_in_.tolist() == ["distance"]
    assert learned.metrics == {"rows": 300.0}
    assert {"python", "numpy", "scikit-learn"} <= learned.environment.keys()
    assert 50 < learned.peak_mb < 2000
    assert 0 < learned.seconds <= standing.seconds
    assert {each.name for each in (folder / "code").iterdir()} == {"learn.py", "shapes.py"}
    assert "rows 300 ['distance', 'carrier', 'label']" in workshop.log("r1")
    again = runs(GOOD, "r2")
    assert again.learned is not None
    assert again.learned.code == learned.code
    first, second = (hashlib.sha256((workshop.folder(each) / learned.model).read_bytes()) for each in ("r1", "r2"))
    assert first.hexdigest() == second.hexdigest()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            "def train(data):\n    raise ValueError('no such\\n column')\n",
            "the recipe raised ValueError: no such column (learn.py, line 2)",
        ),
        ("def train(data):\n    pass\n", "model: the recipe returned nothing; end train with `return model`"),
        (
            "def train(data):\n    return 'gone.onnx'\n",
            "model: the recipe returned the path of a file that is not there",
        ),
        ("def fit(data):\n    pass\n", "recipe.python: the file has no function train"),
        ("import sys\n\ndef train(data):\n    sys.exit(3)\n", "the recipe ended itself with sys.exit(3)"),
        ("import os\n\ndef train(data):\n    print('bye')\n    os._exit(0)\n", "ended without a model: bye"),
        ("def train(data)\n", "the recipe raised SyntaxError"),
    ],
    ids=["raises", "none", "gone", "unnamed", "exit", "vanishes", "syntax"],
)
def test_no_model_is_an_end_with_a_reason(body: str, why: str, runs: Runs, workshop: Workshop) -> None:
    standing = runs(body)
    assert standing.state is RecipeState.FAILED
    assert standing.why.startswith(why)
    assert standing.learned is None
    assert not standing.lost
    folder = workshop.folder("r1")
    assert not (folder / "out").exists()
    assert not (folder / "tmp").exists()


def test_chance_without_a_seed_repeats(runs: Runs, workshop: Workshop) -> None:
    body = """
        import random
        import numpy as np

        def train(data):
            print(random.random(), np.random.random(), hash("a word"))
    """
    runs(body, "r1")
    runs(body, "r2")
    assert workshop.log("r1").splitlines()[0] == workshop.log("r2").splitlines()[0]
