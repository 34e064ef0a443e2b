"""The built-in search as a recipe; ``python -m headgate.retraining.recipes.automl``.

What was tried lies in the run's folder as
``leaderboard.json`` and, for people, in the log.
"""

import sys
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headgate.retraining.recipes import code, models
from headgate.retraining.recipes.folder import Job, RunFolder
from headgate.retraining.recipes.program import imported, run
from headgate.retraining.recipes.recipe import Learned, search_budget
from headgate.retraining.recipes.training import TrainingData, training_data
from headgate.retraining.search.found import as_text, to_json
from headgate.retraining.search.learnable import Learning
from headgate.retraining.search.search import search
from headgate.vocabulary import VERSION

LEADERBOARD: Final = "leaderboard.json"


def learn(folder: RunFolder, job: Job) -> Learned:
    """Search within the budget and keep the best model. Raises BadInput for data nothing can be learned from."""
    recipe = job.recipe
    data = training_data()
    found = search(
        Learning(data.X, data.y, data.task, data.weight, moments(data)),
        budget_s=search_budget(recipe),
        seed=recipe.seed,
        threads=recipe.limits.threads,
        progress=data.progress,
        checkpoint=data.checkpoint,
    )
    sys.stdout.write(as_text(found) + "\n")
    (folder.path / LEADERBOARD).write_bytes(to_json(found))
    return Learned(
        model=f"out/{models.keep(found.model, folder.out, trust=False)}",
        metrics=found.metrics,
        parameters=recipe.parameters,
        environment=imported(),
        code=code.keep([], folder.path, folder.code, {"headgate": VERSION}),
    )


def moments(data: TrainingData) -> npt.NDArray[Any] | None:
    """When each row came, original rows just before all others; None where all are original."""
    at = data.at
    unknown = np.isnat(at)
    if unknown.all():
        return None
    return np.where(unknown, at[~unknown].min() - np.timedelta64(1, "us"), at)


if __name__ == "__main__":
    sys.exit(run(learn))
