"""What a recipe is, how a run of it stands, and what was learned, as values; `Workshop` acts on them."""

import math
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from headgate.errors import BadInput, NotFound
from headgate.traffic.durations import seconds
from headgate.vocabulary import Digest, readable

Parameter = str | int | float | bool | None
"""A value that a recipe may be given by name."""

_SHELL: Final = frozenset({"|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1"})
"""Words that mean something to a shell alone; where no shell runs, a program would be handed them as they are."""


class RecipeKind(StrEnum):
    """In what form somebody wrote down how to learn."""

    PYTHON = "python"
    """A function ``train(data) -> model`` in a file."""
    COMMAND = "command"
    """A program that leaves a model file behind."""
    NOTEBOOK = "notebook"
    """A Jupyter notebook, run from top to bottom without anybody looking."""
    AUTOML = "automl"
    """The search that comes with Headgate."""


@readable
class Limits(msgspec.Struct, frozen=True):
    """What one run may take; whoever takes more is ended, and everything it started."""

    seconds: float = 3600
    """Longest it may run, in seconds of real time."""
    memory_mb: int | None = None
    """Memory of all its processes together, in MiB; None: seven tenths of what is free when it begins."""
    disk_mb: int = 10_240
    """What it may have written in its folder, in MiB; no single file anywhere may be larger."""
    threads: int = 1
    """Threads that numerical libraries compute on."""


@readable
class Recipe(msgspec.Struct, frozen=True):
    """How to learn, completely: with the same data and the same recipe a run can be repeated."""

    kind: RecipeKind
    source: str = ""
    """``learn.py:train``, ``python train.py``, ``learn.ipynb``; empty for the built-in search."""
    parameters: dict[str, Parameter] = {}
    """What it is given by name."""
    limits: Limits = Limits()
    """What a run may take."""
    seed: int = 0
    """From which every choice by chance follows."""
    trust: bool = False
    """Whether a model may be registered that runs code of its own where it is opened: a pickle, a Python class."""


class RecipeState(StrEnum):
    """Where a run is."""

    WAITING = "waiting"
    """Its process has not begun."""
    RUNNING = "running"
    LEARNED = "learned"
    """There is a model."""
    FAILED = "failed"
    """There is none, and `Standing.why` says why."""
    CANCELLED = "cancelled"
    """Somebody took the order back."""


ENDED: Final = frozenset({RecipeState.LEARNED, RecipeState.FAILED, RecipeState.CANCELLED})
"""States from which a run moves only when it is resumed."""


@readable
class Learned(msgspec.Struct, frozen=True):
    """What a run left behind."""

    model: str
    """The model, by its path in the run's folder, as the registry's importers take it."""
    metrics: dict[str, float]
    """What the recipe measured itself; gates measure anew."""
    parameters: dict[str, Parameter]
    """What it was given."""
    environment: dict[str, str]
    """Versions of Python and of the packages at hand, by name."""
    code: Digest
    """Of the code that ran; the code itself lies in the run's folder, under ``code``."""
    seconds: float = 0
    """How long it took."""
    peak_mb: float = 0
    """The most memory it held, in MiB."""


@readable
class Standing(msgspec.Struct, frozen=True):
    """How a run stands."""

    state: RecipeState
    """Where it is."""
    step: str = ""
    """What the recipe says it is doing."""
    done: float = 0
    """The share that is done as the recipe says, 0 to 1."""
    why: str = ""
    """Why there is no model; empty unless the run failed or was cancelled."""
    seconds: float = 0
    """How long it has run since it was started or last resumed."""
    learned: Learned | None = None
    """What it left behind, once it has learned."""
    lost: bool = False
    """Whether it failed by no fault of its own: its process was ended from outside; resuming may help."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself.

        >>> Standing(RecipeState.RUNNING).ended, Standing(RecipeState.FAILED, why="it hung").ended
        (False, True)
        """
        return self.state in ENDED


def check(recipe: Recipe, sources: Path) -> None:
    """Return if `recipe` could be run, its files being in the folder `sources`.

    Raises BadInput naming what is wrong with it, NotFound for a file that is not there.

    >>> check(Recipe(RecipeKind.COMMAND, "sort rows.csv | python train.py"), Path())
    Traceback (most recent call last):
    headgate.errors.BadInput: recipe.command: '|' needs a shell, and none is started; write sh -c '...' if you mean it
    """
    limits = recipe.limits
    for name, value in (("seconds", limits.seconds), ("memory_mb", limits.memory_mb), ("disk_mb", limits.disk_mb)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise BadInput(f"recipe.limits.{name}", "range", "must be larger than 0")
    if limits.threads < 1:
        raise BadInput("recipe.limits.threads", "range", "must be at least 1")
    if not 0 <= recipe.seed < 1 << 32:
        raise BadInput("recipe.seed", "range", "must lie between 0 and 4294967295")
    match recipe.kind:
        case RecipeKind.PYTHON:
            file, _ = python_source(recipe.source)
            _there(sources / file)
        case RecipeKind.NOTEBOOK:
            if not recipe.source.endswith(".ipynb"):
                raise BadInput("recipe.notebook", "type", "must name a notebook, such as learn.ipynb")
            _there(sources / recipe.source)
        case RecipeKind.COMMAND:
            command_words(recipe.source)
        case RecipeKind.AUTOML:
            if recipe.source:
                raise BadInput("recipe.automl", "type", "has no source of its own; give parameters such as budget")
            search_budget(recipe)


def search_budget(recipe: Recipe) -> float:
    """Seconds the built-in search may take: its parameter ``budget``, a number or as ``90s``; a minute without one.

    Raises BadInput for what is no time, and for parameters it does not have.

    >>> search_budget(Recipe(RecipeKind.AUTOML, parameters={"budget": "10m"}))
    600.0
    """
    strange = recipe.parameters.keys() - {"budget"}
    if strange:
        raise BadInput(f"recipe.automl.{min(strange)}", "unknown", "is no parameter of the built-in search; budget is")
    budget = recipe.parameters.get("budget", 60)
    try:
        found = float(seconds(budget)) if isinstance(budget, str) else float(budget or 0)
    except ValueError as error:
        raise BadInput("recipe.automl.budget", "type", "must be a time such as 90s or 10m") from error
    if not (math.isfinite(found) and found > 0):
        raise BadInput("recipe.automl.budget", "range", "must be larger than 0")
    return found


def python_source(source: str) -> tuple[str, str]:
    """The file and the function that ``learn.py:train`` names; the function is ``train`` unless told otherwise.

    Raises BadInput for anything else.

    >>> python_source("recipes/learn.py"), python_source("learn.py:fit")
    (('recipes/learn.py', 'train'), ('learn.py', 'fit'))
    """
    file, _, function = source.partition(":")
    function = function or "train"
    if not file.endswith(".py") or not function.isidentifier():
        raise BadInput("recipe.python", "type", "must name a file and a function in it, such as learn.py:train")
    return file, function


def command_words(source: str) -> list[str]:
    """The words of a command line, by a shell's rules for quotes; no shell reads them.

    Raises BadInput for an empty one, an open quote, and words that only a shell would understand.

    >>> command_words("python train.py --note 'two words'")
    ['python', 'train.py', '--note', 'two words']
    """
    try:
        words = shlex.split(source)
    except ValueError as error:
        raise BadInput("recipe.command", "type", f"cannot be read: {str(error).lower()}") from error
    if not words:
        raise BadInput("recipe.command", "missing", "is empty; give a program and its arguments")
    for word in words:
        if word in _SHELL:
            raise BadInput(
                "recipe.command",
                "type",
                f"'{word}' needs a shell, and none is started; write sh -c '...' if you mean it",
            )
    return words


def _there(path: Path) -> None:
    if not path.is_file():
        raise NotFound("recipe", str(path))
