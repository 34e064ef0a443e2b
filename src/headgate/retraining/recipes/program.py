"""What the programs of all kinds of recipes have in common: limits before the first line, a reason after the last."""

import gc
import importlib.metadata
import os
import platform
import random
import resource
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from headgate.errors import HeadgateError
from headgate.retraining.recipes.folder import Job, RunFolder
from headgate.retraining.recipes.recipe import Learned
from headgate.runtimes.host import apply_limits, end_with

Learn = Callable[[RunFolder, Job], Learned]
"""Carries a recipe out."""
_NICE: Final = 10
_WORDS: Final = 500


def run(learn: Learn) -> int:
    """Carry out the run whose folder the command line names; leaves ``learned.json`` or, with status 1, ``why.txt``."""
    folder = RunFolder(Path(sys.argv[1]))
    job = folder.job()
    if job is None or not end_with(os.getppid()):
        return 1
    _limit(job)
    random.seed(job.recipe.seed)
    np.random.seed(job.recipe.seed)  # recipes that ask for chance without a seed are to repeat as well
    try:
        folder.learn(learn(folder, job))
    except HeadgateError as error:
        folder.say_why(str(error))
        return 1
    except BaseException as error:  # sys.exit in a recipe is no model either
        traceback.print_exc()
        folder.say_why(told(error, Path(job.sources)))
        return 1
    gc.freeze()  # on its way out Python would look for cycles in all that libraries made, for a third of a second
    return 0


def _limit(job: Job) -> None:
    limits = job.recipe.limits
    # The warden counts what all processes hold; this is for one that takes more between two looks than there is.
    apply_limits(2 * (limits.memory_mb or 0), _NICE, limits.threads)
    largest = limits.disk_mb << 20
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def told(error: BaseException, sources: Path) -> str:
    """An exception in one line: its kind, its words, and the line of the recipe that it came through last."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(sources) and "site-packages" not in path.parts:
            place = f" ({path.relative_to(sources)}, line {frame.lineno})"
    words = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        return f"the recipe ended itself with sys.exit({words}); return a model{place}"
    return f"the recipe raised {type(error).__name__}{': ' if words else ''}{words[:_WORDS]}{place}"


def imported() -> dict[str, str]:
    """Versions of Python and of every distribution of which something is imported by now."""
    tops = {name.partition(".")[0] for name in list(sys.modules)}
    return _versions(each for top in tops for each in distributions().get(top, ()))


@cache
def distributions() -> Mapping[str, list[str]]:
    """Which distributions the packages at hand are of; it takes a moment to be told for the first time."""
    return importlib.metadata.packages_distributions()


def installed() -> dict[str, str]:
    """Versions of Python and of every distribution there is, for programs whose imports nobody sees."""
    return _versions(each.name for each in importlib.metadata.distributions())


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {each: importlib.metadata.version(each) for each in sorted(set(names))}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}
