"""What an endpoint's file says of how its model learns again: when, from what, how, and who lets it go live.

Without ``retraining`` in the file nothing learns by itself.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from headgate.errors import BadInput
from headgate.evaluation.gates import parse_gate
from headgate.traffic.durations import seconds
from headgate.traffic.when import When, read_when

_WINDOW: Final = re.compile(r"auto|since_change|everything|reweighted|same_season|recent [1-9][0-9]{0,4}d")
_QUIET: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_PYTHON: Final = re.compile(r"[^:]+\.py:[A-Za-z_][A-Za-z_0-9]*")
_OWN: Final = ("endpoint", "candidate", "project", "why")
"""Words of a plan that the loop itself writes."""


class Automl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The built-in search for a model."""

    budget: str = "60s"
    """How long it may look for one."""

    @property
    def budget_s(self) -> int:
        """The same in seconds."""
        return seconds(self.budget)


class LimitWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one learning may take."""

    seconds: float = 3600.0
    """How long, by the wall."""
    memory_mb: int | None = None
    """Memory of all its processes in MiB; None takes seven tenths of what is free when it begins."""
    disk_mb: int = 10_240
    """What it may write, in MiB."""
    threads: int = 1
    """Threads of numerical libraries."""


class RecipeWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to learn again; one of the first four, and without any the built-in search."""

    automl: Automl | None = None
    """The built-in search, which is the recipe too where none is named."""
    python: str | None = None
    """A file and a function in it, ``learn.py:train``: it is given the training set and returns a model."""
    command: str | None = None
    """A command line; environment variables say where the training set is and where the model has to be."""
    notebook: str | None = None
    """A notebook that is run headless, ``learn.ipynb``."""
    parameters: dict[str, str | int | float | bool | None] = {}
    """What the recipe is told besides."""
    limits: LimitWords = LimitWords()
    """What one learning may take."""
    seed: int = 0
    """From which every choice by chance follows."""
    trust: bool = False
    """Whether a model is taken that no file without code can hold, such as a pickle of a class of one's own."""

    @property
    def search(self) -> Automl | None:
        """The built-in search, where that is the recipe."""
        return None if self.python or self.command or self.notebook else self.automl or Automl()


class Promote(StrEnum):
    """Who lets a proven version take the endpoint."""

    BY_ITSELF = "by_itself"
    """The evidence alone."""
    ASK = "ask"
    """A person, once the evidence allows it."""


class RetrainingWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words under ``retraining`` in an endpoint's file."""

    recipe: RecipeWords = RecipeWords()
    """How to learn again."""
    when: str = "alarm"
    """What begins a run: ``alarm``, ``labels >= 5000`` and so on. Who asks for one gets it whatever this says."""
    cooldown: str = "10d"
    """How long after a run began none begins by itself."""
    runs_per_month: int = 4
    """Runs that may begin by themselves in any 30 days."""
    quiet: str | None = None
    """Hours of a day in which none begins by itself, ``22:00-06:00``; what fired meanwhile begins after them."""
    zone: str = "UTC"
    """By whose clock the schedule and quiet hours are."""
    window: str = "auto"
    """Which rows are learned from: auto compares the others by a back-test; ``recent 90d`` takes so many days."""
    original: bool | str = True
    """Whether rows the first version was registered with are learned from too; a path is a file of such rows."""
    gates: list[str] = []
    """What has to hold besides the usual proof, such as ``auc >= 0.65``."""
    rollout: dict[str, Any] = {}
    """Words of a plan file; without any a canary: unseen first, then in growing shares, under guards."""
    probation: str = "7d"
    """How long after its promotion the version before may still come back by itself."""
    promote: Promote = Promote.BY_ITSELF
    """Who lets a proven version have the endpoint: ``by_itself``, the evidence alone, or ``ask``, a person too."""

    @property
    def condition(self) -> When:
        """`when` as a value."""
        return read_when(self.when)

    @property
    def cooldown_s(self) -> int:
        """Seconds after a run's begin in which none begins by itself."""
        return seconds(self.cooldown)

    @property
    def probation_s(self) -> int:
        """Seconds of event time that a promoted version is on probation."""
        return seconds(self.probation)

    @property
    def recent_days(self) -> int | None:
        """Days to learn from where the window is a fixed one."""
        return int(self.window.removeprefix("recent ").removesuffix("d")) if self.window.startswith("recent ") else None

    @property
    def quiet_minutes(self) -> tuple[int, int] | None:
        """Minutes after midnight from and until which it is quiet; the second may be the smaller one."""
        found = None if self.quiet is None else _QUIET.fullmatch(self.quiet)
        if found is None:
            return None
        return int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])


def retraining_faults(words: RetrainingWords | None) -> Iterator[tuple[str, str]]:
    """The keys that break a rule, each with the rule.

    >>> list(retraining_faults(RetrainingWords(original="")))
    [('retraining.original', 'must be true, false, or the path of a Parquet file')]
    """
    if words is None:
        return
    yield from _recipe_faults(words.recipe)
    try:
        read_when(words.when)
    except BadInput as error:
        yield "retraining.when", error.message
    yield from _time_faults(words)
    if not _WINDOW.fullmatch(words.window):
        choices = "auto, since_change, everything, reweighted, same_season, or days such as recent 90d"
        yield "retraining.window", f"must be {choices}"
    if words.original == "":
        yield "retraining.original", "must be true, false, or the path of a Parquet file"
    for i, gate in enumerate(words.gates):
        try:
            parse_gate(gate)
        except BadInput as error:
            yield f"retraining.gates[{i}]", error.message
    for key in words.rollout:
        if key in _OWN:
            yield f"retraining.rollout.{key}", "is what every run has of its own; leave it out"


def _time_faults(words: RetrainingWords) -> Iterator[tuple[str, str]]:
    for key in ("cooldown", "probation"):
        try:
            seconds(getattr(words, key))
        except ValueError as error:
            yield f"retraining.{key}", str(error)
    if not 0 <= words.runs_per_month <= 1000:
        yield "retraining.runs_per_month", "must lie between 0, which is never by itself, and 1000"
    if words.quiet is not None and (words.quiet_minutes is None or len({*words.quiet_minutes}) < 2):
        yield "retraining.quiet", "must be two different times of a day, such as 22:00-06:00"
    try:
        ZoneInfo(words.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "retraining.zone", "is no time zone, such as UTC or Europe/Berlin"


def _recipe_faults(words: RecipeWords) -> Iterator[tuple[str, str]]:
    chosen = [key for key in ("automl", "python", "command", "notebook") if getattr(words, key) is not None]
    if len(chosen) > 1:
        yield f"retraining.recipe.{chosen[1]}", f"cannot stand beside {chosen[0]}: a recipe is one of them"
    if words.automl is not None:
        try:
            if not words.automl.budget_s:
                yield "retraining.recipe.automl.budget", "must be longer than 0"
        except ValueError as error:
            yield "retraining.recipe.automl.budget", str(error)
    if words.python is not None and not _PYTHON.fullmatch(words.python):
        yield "retraining.recipe.python", "must be a file and a function in it, such as learn.py:train"
    if words.command is not None and not words.command.strip():
        yield "retraining.recipe.command", "must be a command line, such as python train.py"
    if words.notebook is not None and not words.notebook.endswith(".ipynb"):
        yield "retraining.recipe.notebook", "must be a notebook's file, such as learn.ipynb"
    limits = words.limits
    for key in ("seconds", "memory_mb", "disk_mb", "threads"):
        value = getattr(limits, key)
        if value is not None and not 0 < value < float("inf"):
            yield f"retraining.recipe.limits.{key}", "must be above 0"
