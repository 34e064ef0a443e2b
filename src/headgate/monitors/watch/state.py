"""All that is remembered of a watch between two ticks, and where it is kept."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from headgate.monitors.watch.days import Day, day_of
from headgate.vocabulary import DAY, Micros, readable

BEFORE: Final = Micros(7 * DAY)
"""How far back a watch that begins looks: what was answered before a controller ran is watched too."""


@readable
class Kept(msgspec.Struct, frozen=True):
    """What is remembered of one monitor."""

    mark: str
    """Of the monitor whose state it is."""
    began: Micros
    """From when on it was handed rows."""
    state: str
    """Its state, as JSON."""
    broken: str = ""
    """Why it could not take the last portion; empty where it could."""
    found: dict[str, Micros] = {}
    """What was told and is not over, by the key of the finding: when it was last found."""


@readable
class WatchState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the watch of one endpoint has come.

    >>> state = begun("default", "late", Micros(10 * DAY + 5))
    >>> state.began == state.until == state.matured == 3 * DAY
    True
    """

    project: str
    endpoint: str
    began: Micros
    until: Micros
    """Hours before it were handed over, with what callers were answered."""
    matured: Micros
    """Days before it were handed over, with their labels."""
    version: str = ""
    """Who was in charge at the last tick, ``model:number``."""
    late: int = 0
    """Inputs that came after their hour was handed over, so that no monitor was told of them."""
    kept: dict[str, Kept] = {}
    """By the monitor's name."""
    revision: int = 0
    """Counts what was kept; 0 while nothing was."""


def begun(project: str, endpoint: str, now: Micros) -> WatchState:
    """A watch that begins: from the first day on that begins no more than a week before `now`."""
    start = day_of(Micros(now - BEFORE))
    return WatchState(project=project, endpoint=endpoint, began=start, until=start, matured=start)


class WatchStore(Protocol):
    """Where watches are kept; every call is one transaction."""

    def watch(self, project: str, endpoint: str) -> WatchState | None:
        """What was kept last; None where nothing was."""
        ...

    def keep_watch(self, state: WatchState, days: Sequence[Day]) -> WatchState:
        """Keep `state` in place of the one of its revision, and add `days` to those there; all of it or nothing.

        Returns it at its next revision. Raises headgate.errors.Conflict when another revision is there: somebody else
        handed the same rows over meanwhile.
        """
        ...

    def watched_days(
        self, project: str, endpoint: str, start: Micros | None = None, end: Micros | None = None
    ) -> list[Day]:
        """The days that begin in [start, end), by day and version."""
        ...
