"""A program that leaves a model behind; ``python -m headgate.retraining.recipes.command``.

It finds its training set in ``$HEADGATE_DATASET`` and puts ``model.onnx``, or another kind of file, into
``$HEADGATE_OUTPUT``. Its words are not read by a shell.
"""

import signal
import subprocess
import sys
from pathlib import Path

from headgate.errors import BadInput
from headgate.retraining.recipes import code, models
from headgate.retraining.recipes.folder import Job, RunFolder
from headgate.retraining.recipes.program import installed, run
from headgate.retraining.recipes.recipe import Learned, command_words


def learn(folder: RunFolder, job: Job) -> Learned:
    """Run the command to its end and keep its model. Raises BadInput where it fails or leaves none."""
    recipe, sources = job.recipe, Path(job.sources)
    words = command_words(recipe.source)
    kept_code = code.keep(_files(words, sources), sources, folder.code, {"command": recipe.source})
    try:
        done = subprocess.run(words, check=False, cwd=sources, stdin=subprocess.DEVNULL)  # noqa: S603 - an operator's
    except OSError as error:
        raise BadInput("recipe.command", "missing", f"'{words[0]}' cannot be started: {error.strerror}") from error
    if done.returncode:
        raise BadInput("recipe.command", "status", _status(done.returncode))
    return Learned(
        model=f"out/{models.left_behind(folder.out, trust=recipe.trust)}",
        metrics={},
        parameters=recipe.parameters,
        environment=installed(),
        code=kept_code,
    )


def _files(words: list[str], sources: Path) -> list[Path]:
    """Files of the sources that the command names: scripts and settings."""
    named = [(sources / word).resolve() for word in words]
    return sorted({path for path in named if path.is_file() and path.is_relative_to(sources.resolve())})


def _status(status: int) -> str:
    if status > 0:
        return f"ended with status {status}"
    names = {each.value: each.name for each in signal.Signals}
    return f"was ended by {names.get(-status, f'signal {-status}')}"


if __name__ == "__main__":
    sys.exit(run(learn))
