"""A notebook as a recipe, run by a real kernel."""

from pathlib import Path

import pytest
from tests.retraining.recipes.conftest import ended

from headgate.registry.importers.files import open_model
from headgate.retraining.recipes.recipe import Limits, Recipe, RecipeKind, RecipeState
from headgate.retraining.recipes.workshop import Workshop

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed; `make test-full` installs it")
pytest.importorskip("nbclient", reason="nbclient is not installed; `make test-full` installs it")
pytestmark = pytest.mark.full

LEARN = """
from sklearn.linear_model import LogisticRegression
from headgate.retraining.recipes.training import training_data

data = training_data()
print("slope", slope)
data.log_metric("slope", slope)
data.save(LogisticRegression().fit(data.X[["distance"]], data.y))
"""


def notebook(path: Path, *cells: str) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    made.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(made, path)


def test_a_notebook_learns_and_is_kept_with_what_its_cells_said(
    workshop: Workshop, sources: Path, dataset: Path
) -> None:
    notebook(sources / "learn.ipynb", "slope = 1", LEARN)
    workshop.start("r1", Recipe(RecipeKind.NOTEBOOK, "learn.ipynb", parameters={"slope": 2.5}), dataset)
    standing = ended(workshop)
    assert (standing.state, standing.why) == (RecipeState.LEARNED, "")
    assert standing.learned is not None
    assert standing.learned.metrics == {"slope": 2.5}
    folder = workshop.folder("r1")
    assert open_model(folder / standing.learned.model).feature_names_in_.tolist() == ["distance"]
    executed = nbformat.read(folder / "notebook.ipynb", as_version=4)
    assert "slope 2.5" in str(executed.cells[-1].outputs)
    assert "ipykernel" in standing.learned.environment


def test_a_cell_that_raises_or_hangs_ends_the_run(workshop: Workshop, sources: Path, dataset: Path) -> None:
    notebook(sources / "raises.ipynb", "x = 1", "x / 0")
    workshop.start("r1", Recipe(RecipeKind.NOTEBOOK, "raises.ipynb"), dataset)
    standing = ended(workshop)
    assert standing.why == "recipe.notebook: a cell raised ZeroDivisionError: division by zero"
    assert (standing.state, standing.done) == (RecipeState.FAILED, 0.5)
    notebook(sources / "hangs.ipynb", "import time; time.sleep(1000)")
    workshop.start("r2", Recipe(RecipeKind.NOTEBOOK, "hangs.ipynb", limits=Limits(seconds=5)), dataset)
    assert ended(workshop, "r2").why == "not done within 5 s, its limit"
