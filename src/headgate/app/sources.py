"""The files that an endpoint's ``retraining`` names, kept in the home as they were when the endpoint was applied.

So a run learns by what was applied, wherever the controller works and whatever becomes of the folder meanwhile.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

from headgate import durability
from headgate.errors import BadConfiguration
from headgate.settings import Home
from headgate.store import atomic
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RetrainingWords


def sources_of(home: Home, project: str, endpoint: str) -> Path:
    """Where the files that an endpoint's ``retraining`` names lie."""
    return home.recipes / project / endpoint


def keep_sources(home: Home, spec: EndpointSpec, folder: Path) -> None:
    """Copy what `spec` names from `folder`; what is not there is taken as it was applied before.

    Of a command those words are files that are one in `folder`. Raises BadConfiguration naming a file that is nowhere.
    """
    if spec.retraining is None:
        return
    kept = sources_of(home, spec.project, spec.endpoint)
    for key, name in _named(spec.retraining, folder):
        source, target = folder / name, kept / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise BadConfiguration(f"retraining.{key}", "must name files beside the endpoint's file, or below")
        if source.is_file():
            durability.make_folder(target.parent)
            atomic.write_file(target, source.read_bytes())
        elif not target.is_file():
            raise BadConfiguration(f"retraining.{key}", f"'{name}' is not there; it is looked for in {folder}")


def _named(words: RetrainingWords, folder: Path) -> Iterator[tuple[str, str]]:
    """Every file, by the key that names it."""
    if isinstance(words.original, str):
        yield "original", words.original
    recipe = words.recipe
    if recipe.python is not None:
        yield "recipe.python", recipe.python.rpartition(":")[0]
    if recipe.notebook is not None:
        yield "recipe.notebook", recipe.notebook
    if recipe.command is not None:
        yield from (("recipe.command", each) for each in shlex.split(recipe.command) if (folder / each).is_file())
