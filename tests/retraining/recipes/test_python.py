"""A function as a recipe: what it is handed, what is recorded, and every way in which there is no model in the end."""

import sys
from pathlib import Path

import pytest
from tests.retraining.recipes.conftest import Runs

from headgate.errors import BadInput
from headgate.registry.importers.files import open_model
from headgate.retraining.recipes.code import keep, loaded
from headgate.retraining.recipes.program import told
from headgate.retraining.recipes.python import function
from headgate.retraining.recipes.recipe import RecipeState
from headgate.retraining.recipes.workshop import Workshop

GOOD = """
    import shapes
    from sklearn.linear_model import LogisticRegression

    def train(data):
        print("rows", len(data.table), data.table.column_names)
        data.progress(0.5, "fitting")
        data.log_metric("rows", len(data.y))
        return LogisticRegression().fit(data.X[["distance"]], data.y, sample_weight=data.sample_weight)
"""


@pytest.mark.full
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


@pytest.mark.full
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            "def train(data):\n    raise ValueError('no such\\n column')\n",
            "the recipe raised ValueError: no such column (learn.py, line 2)",
        ),
        ("def train(data):\n    pass\n", "model: the recipe returned nothing; end train with `return model`"),
        ("import sys\n\ndef train(data):\n    sys.exit(3)\n", "the recipe ended itself with sys.exit(3)"),
        ("import os\n\ndef train(data):\n    print('bye')\n    os._exit(0)\n", "ended without a model: bye"),
    ],
    ids=["raises", "none", "exit", "vanishes"],
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


@pytest.mark.full
def test_chance_without_a_seed_repeats(runs: Runs) -> None:
    body = """
        import random
        import numpy as np

        def train(data):
            raise ValueError(f"{random.random()} {np.random.random()} {hash('a word')}")
    """
    assert runs(body, "r1").why == runs(body, "r2").why


def test_a_function_is_found_with_what_lies_beside_it(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("recipe_beside", "recipe_above", "headgate_recipe"):
        monkeypatch.setitem(sys.modules, name, sys)  # so that they are gone again afterwards
        del sys.modules[name]
    file = sources / "within" / "learn.py"
    file.parent.mkdir()
    file.write_text("import recipe_beside, recipe_above\n\ndef fit(data):\n    return 4\n")
    (sources / "within" / "recipe_beside.py").touch()
    (sources / "recipe_above.py").touch()
    assert function(file, "fit", sources).__name__ == "fit"
    assert {each.name for each in loaded(sources, file)} == {"learn.py", "recipe_beside.py", "recipe_above.py"}
    with pytest.raises(BadInput, match="has no function train"):
        function(file, "train", sources)
    (sources / "broken.py").write_text("x =\n")
    with pytest.raises(SyntaxError) as raised:
        function(sources / "broken.py", "train", sources)
    assert told(raised.value, sources).startswith("the recipe raised SyntaxError: invalid syntax")


def test_code_is_named_by_what_it_says(sources: Path, tmp_path: Path) -> None:
    file = sources / "learn.py"
    file.write_text("one\n")
    first = keep([file], sources, tmp_path / "a", {"function": "train"})
    assert (tmp_path / "a" / "learn.py").read_text() == "one\n"
    assert keep([file], sources, tmp_path / "b", {"function": "train"}) == first
    assert keep([file], sources, tmp_path / "c", {"function": "fit"}) != first
    file.write_text("two\n")
    assert keep([file], sources, tmp_path / "d", {"function": "train"}) != first
