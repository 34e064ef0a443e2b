"""A command as a recipe."""

from pathlib import Path

import pytest
from tests.retraining.recipes.conftest import ended

from headgate.retraining.recipes.recipe import Recipe, RecipeKind, RecipeState
from headgate.retraining.recipes.workshop import Workshop

pytestmark = pytest.mark.full

FIT = """
import json, os, sys
from pathlib import Path
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
import skops.io

rows = pq.read_table(Path(os.environ["HEADGATE_DATASET"]) / "rows.parquet")
x = rows.select(["distance"]).to_pandas()
depth = json.loads(os.environ["HEADGATE_PARAMETERS"])["depth"]
with open(os.environ["HEADGATE_PROGRESS"], "a") as said:
    said.write("0.5 half\\n")
    said.write(json.dumps({"metric": "depth", "value": depth}) + "\\n")
print(sys.argv[1:])
model = LogisticRegression().fit(x, rows["label"].to_numpy())
skops.io.dump(model, Path(os.environ["HEADGATE_OUTPUT"]) / "model.skops")
"""


def test_a_command_learns_without_a_shell(workshop: Workshop, sources: Path, dataset: Path) -> None:
    (sources / "train.py").write_text(FIT)
    recipe = Recipe(RecipeKind.COMMAND, "python train.py '$HOME' *.py", parameters={"depth": 3})
    workshop.start("r1", recipe, dataset)
    standing = ended(workshop)
    assert (standing.state, standing.why) == (RecipeState.LEARNED, "")
    assert standing.learned is not None
    assert (standing.learned.model, standing.learned.metrics) == ("out/model.skops", {"depth": 3.0})
    assert [each.name for each in (workshop.folder("r1") / "code").iterdir()] == ["train.py"]
    assert "['$HOME', '*.py']" in workshop.log("r1")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("sh -c 'echo broken >&2; exit 3'", "recipe.command: ended with status 3: broken"),
        ("sh -c 'kill -SEGV $$'", "recipe.command: was ended by SIGSEGV"),
        ("no-such-program-here", "recipe.command: 'no-such-program-here' cannot be started: No such file or directory"),
        ("true", "model: the recipe left no model in $HEADGATE_OUTPUT"),
    ],
)
def test_a_command_that_fails_says_how(command: str, why: str, workshop: Workshop, dataset: Path) -> None:
    workshop.start("r1", Recipe(RecipeKind.COMMAND, command), dataset)
    standing = ended(workshop)
    assert standing.state is RecipeState.FAILED
    assert standing.why.startswith(why)
    assert "echo" not in command or "broken" in workshop.log("r1")
