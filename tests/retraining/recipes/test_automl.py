"""The built-in search as a recipe."""

from pathlib import Path

import msgspec
import pytest
from tests.retraining.recipes.conftest import ended

from headgate.retraining.recipes.recipe import Recipe, RecipeKind, RecipeState
from headgate.retraining.recipes.workshop import Workshop

pytestmark = pytest.mark.full


def test_the_search_learns_within_its_budget(workshop: Workshop, dataset: Path) -> None:
    workshop.start("r1", Recipe(RecipeKind.AUTOML, parameters={"budget": 2}), dataset)
    standing = ended(workshop)
    assert (standing.state, standing.why) == (RecipeState.LEARNED, "")
    assert standing.learned is not None
    assert "log_loss" in standing.learned.metrics
    board = msgspec.json.decode((workshop.folder("r1") / "leaderboard.json").read_bytes())
    assert board["rows"] == 300
    assert "chosen" in workshop.log("r1")
