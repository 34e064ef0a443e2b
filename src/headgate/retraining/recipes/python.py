"""A function called with the training set that returns a model; ``python -m headgate.retraining.recipes.python``."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from headgate.errors import BadInput
from headgate.retraining.recipes import code, models
from headgate.retraining.recipes.folder import Job, RunFolder
from headgate.retraining.recipes.program import distributions, imported, run
from headgate.retraining.recipes.recipe import Learned, python_source
from headgate.retraining.recipes.training import TrainingData, training_data

_MODULE = "headgate_recipe"


def learn(folder: RunFolder, job: Job) -> Learned:
    """Call the function and keep what it returns. Raises BadInput where that is no model, and whatever it raises."""
    recipe, sources = job.recipe, Path(job.sources)
    file, name = python_source(recipe.source)
    train = function(sources / file, name, sources)
    models.expect()
    distributions()
    data = training_data()
    data.progress(0.0, f"{name} runs")
    kept = models.keep(train(data), folder.out, trust=recipe.trust)
    return Learned(
        model=f"out/{kept}",
        metrics={},
        parameters=recipe.parameters,
        environment=imported(),
        code=code.keep(code.loaded(sources, sources / file), sources, folder.code, {"function": name}),
    )


def function(file: Path, name: str, sources: Path) -> Callable[[TrainingData], object]:
    """The function `name` of a file, which may import what lies beside it or in `sources`.

    Raises BadInput if it has none.
    """
    sys.path[:0] = [str(file.parent), str(sources)]
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    if spec is None or spec.loader is None:
        raise BadInput("recipe.python", "type", "cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # what it defines may be pickled or looked up by name
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not callable(found):
        raise BadInput("recipe.python", "missing", f"the file has no function {name}")
    given: Callable[[TrainingData], object] = found
    return given


if __name__ == "__main__":
    sys.exit(run(learn))
