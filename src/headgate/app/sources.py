"""The files that an endpoint's recipe names, kept in the home as they were when the endpoint was applied.

So a run learns by what was applied, wherever the controller works and whatever becomes of the folder meanwhile.
"""

import shlex
from pathlib import Path

from headgate import durability
from headgate.errors import BadConfiguration
from headgate.settings import Home
from headgate.store import atomic
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RecipeWords


def sources_of(home: Home, project: str, endpoint: str) -> Path:
    """Where the files of an endpoint's recipe lie."""
    return home.recipes / project / endpoint


def keep_sources(home: Home, spec: EndpointSpec, folder: Path) -> None:
    """Copy what the recipe of `spec` names from `folder`; what is not there is taken as it was applied before.

    Of a command those words are files that are one in `folder`. Raises BadConfiguration naming a file that is nowhere.
    """
    if spec.retraining is None:
        return
    kept = sources_of(home, spec.project, spec.endpoint)
    for key, name in _named(spec.retraining.recipe, folder):
        source, target = folder / name, kept / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise BadConfiguration(f"retraining.recipe.{key}", "must name files beside the endpoint's file, or below")
        if source.is_file():
            durability.make_folder(target.parent)
            atomic.write_file(target, source.read_bytes())
        elif not target.is_file():
            raise BadConfiguration(f"retraining.recipe.{key}", f"'{name}' is not there; it is looked for in {folder}")


def _named(words: RecipeWords, folder: Path) -> list[tuple[str, str]]:
    if words.python is not None:
        return [("python", words.python.rpartition(":")[0])]
    if words.notebook is not None:
        return [("notebook", words.notebook)]
    if words.command is not None:
        return [("command", each) for each in shlex.split(words.command) if (folder / each).is_file()]
    return []
