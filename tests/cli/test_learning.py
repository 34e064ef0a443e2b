"""A run is followed to its end, whoever looks."""

from headgate.cli.learning import follow
from headgate.retraining.recipes.recipe import RecipeState, Standing


def test_a_run_is_looked_at_until_it_has_ended() -> None:
    course = iter(
        [
            Standing(RecipeState.WAITING),
            Standing(RecipeState.RUNNING, "fitting", 0.5),
            Standing(RecipeState.FAILED, "fitting", 0.5, "it raised"),
        ]
    )
    slept: list[float] = []
    assert follow(lambda: next(course), slept.append).why == "it raised"
    assert len(slept) == 2
