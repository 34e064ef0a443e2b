"""A function as a recipe: what it is handed, what is recorded, and every way in which there is no model in the end."""

import pytest
from tests.retraining.recipes.conftest import Runs

from headgate.retraining.recipes.recipe import RecipeState
from headgate.retraining.recipes.workshop import Workshop

GOOD = """
    import shapes
    from sklearn.linear_model import LogisticRegression

    def train(data):
        print("rows", len(data.table), data.table.column_names)
        data.progress(0.5, "fitting")
        data.log_metric("rows", len(data.y))
        data.log_metric("nothing", float("nan"))
        assert data.contract_features == ("distance", "carrier") and list(data.X) == ["distance", "carrier"]
        assert data.weight.sum() == 300 and str(data.at[0]) == "NaT" and data.seed == 0
        return LogisticRegression().fit(data.X[["distance"]], data.y, sample_weight=data.weight)
"""


@pytest.mark.full
def test_a_function_learns_and_the_run_is_recorded(runs: Runs, workshop: Workshop, sources) -> None:
    (sources / "shapes.py").write_text("SIDES = 4\n")
    standing = runs(GOOD)
    assert (standing.state, standing.why, standing.done) == (RecipeState.LEARNED, "", 1.0)
    learned = standing.learned
    assert learned is not None
    print(learned, workshop.log("r1"))
