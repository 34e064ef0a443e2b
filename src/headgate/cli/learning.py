"""A run of a recipe shown on a terminal while it lasts. Verbs that start one call it."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from headgate.retraining.recipes.recipe import Standing

_LOOK = 0.2


def follow(look: Callable[[], Standing], sleep: Callable[[float], None] = time.sleep) -> Standing:
    """Show a bar until the run that `look` tells of has ended, and return how it stands then.

    Nothing is shown where nobody looks: the run goes on as well without.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("waiting", total=1.0)
        while not (standing := look()).ended:
            bar.update(task, completed=standing.done, description=standing.step or standing.state.value)
            sleep(_LOOK)
    return standing
