"""What a recipe may say, before anything runs."""

from pathlib import Path

import pytest

from headgate.errors import BadInput, NotFound
from headgate.retraining.recipes.recipe import Limits, Recipe, RecipeKind, check, command_words, search_budget


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "learn.py").write_text("def train(data): ...\n")
    (tmp_path / "learn.ipynb").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        (RecipeKind.PYTHON, "learn.py"),
        (RecipeKind.PYTHON, "learn.py:fit"),
        (RecipeKind.COMMAND, "Rscript learn.R --rows 'a b'"),
        (RecipeKind.COMMAND, "sh -c 'cat a | sort > b'"),
        (RecipeKind.NOTEBOOK, "learn.ipynb"),
        (RecipeKind.AUTOML, ""),
    ],
)
def test_what_could_be_run_passes(kind: RecipeKind, source: str, sources: Path) -> None:
    check(Recipe(kind, source), sources)


@pytest.mark.parametrize(
    ("recipe", "field", "says"),
    [
        (Recipe(RecipeKind.PYTHON, "learn"), "recipe.python", "learn.py:train"),
        (Recipe(RecipeKind.PYTHON, "learn.py:1st"), "recipe.python", "a function in it"),
        (Recipe(RecipeKind.COMMAND, "  "), "recipe.command", "is empty"),
        (Recipe(RecipeKind.COMMAND, "python 'a.py"), "recipe.command", "no closing quotation"),
        (Recipe(RecipeKind.COMMAND, "python a.py > log"), "recipe.command", "'>' needs a shell"),
        (Recipe(RecipeKind.NOTEBOOK, "learn.py"), "recipe.notebook", "a notebook"),
        (Recipe(RecipeKind.AUTOML, "learn.py"), "recipe.automl", "no source"),
        (Recipe(RecipeKind.AUTOML, parameters={"depth": 3}), "recipe.automl.depth", "no parameter"),
        (Recipe(RecipeKind.AUTOML, parameters={"budget": "soon"}), "recipe.automl.budget", "90s"),
        (Recipe(RecipeKind.AUTOML, parameters={"budget": 0}), "recipe.automl.budget", "larger than 0"),
        (Recipe(RecipeKind.AUTOML, limits=Limits(seconds=0)), "recipe.limits.seconds", "larger than 0"),
        (Recipe(RecipeKind.AUTOML, limits=Limits(seconds=float("nan"))), "recipe.limits.seconds", "larger than 0"),
        (Recipe(RecipeKind.AUTOML, limits=Limits(memory_mb=-1)), "recipe.limits.memory_mb", "larger than 0"),
        (Recipe(RecipeKind.AUTOML, limits=Limits(disk_mb=0)), "recipe.limits.disk_mb", "larger than 0"),
        (Recipe(RecipeKind.AUTOML, limits=Limits(threads=0)), "recipe.limits.threads", "at least 1"),
        (Recipe(RecipeKind.AUTOML, seed=-1), "recipe.seed", "between 0 and"),
    ],
)
def test_what_could_not_is_refused_by_its_name(recipe: Recipe, field: str, says: str, sources: Path) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        check(recipe, sources)
    assert refused.value.field == field


def test_a_file_that_is_not_there_is_named(sources: Path) -> None:
    for kind, source in ((RecipeKind.PYTHON, "gone.py:train"), (RecipeKind.NOTEBOOK, "gone.ipynb")):
        with pytest.raises(NotFound, match="gone"):
            check(Recipe(kind, source), sources)


def test_a_command_keeps_its_quotes_and_a_search_its_minute() -> None:
    assert command_words("a 'b c' \"d|e\"") == ["a", "b c", "d|e"]
    assert search_budget(Recipe(RecipeKind.AUTOML)) == 60
    assert search_budget(Recipe(RecipeKind.AUTOML, parameters={"budget": 2.5})) == 2.5
