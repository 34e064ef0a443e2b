"""The part of the store in memory that keeps watches and diagnoses, in dictionaries."""

import threading
from collections.abc import Sequence

import msgspec

from headgate.errors import Conflict
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.state import WatchState
from headgate.vocabulary import Micros


class MemoryWatches:
    """Watches, their days and diagnoses, under the lock of whoever inherits this."""

    _lock: threading.Lock

    def __init__(self) -> None:
        self._watches: dict[tuple[str, str], WatchState] = {}
        self._days: dict[tuple[str, str, Micros, str], Day] = {}
        self._diagnoses: dict[tuple[str, str, Micros], Diagnosed] = {}

    def watch(self, project: str, endpoint: str) -> WatchState | None:
        """What was kept last; None where nothing was."""
        with self._lock:
            return self._watches.get((project, endpoint))

    def keep_watch(self, state: WatchState, days: Sequence[Day]) -> WatchState:
        """Keep `state` in place of the one of its revision, and add `days` to those there; Conflict if it went on."""
        where = state.project, state.endpoint
        with self._lock:
            before = self._watches.get(where)
            if state.revision != (0 if before is None else before.revision):
                raise Conflict(f"the watch of '{state.endpoint}' went on meanwhile; look again")
            after = msgspec.structs.replace(state, revision=state.revision + 1)
            self._watches[where] = after
            for each in days:
                key = *where, each.start, each.version
                self._days[key] = self._days[key].merged(each) if key in self._days else each
            return after

    def watched_days(
        self, project: str, endpoint: str, start: Micros | None = None, end: Micros | None = None
    ) -> list[Day]:
        """The days that begin in [start, end), by day and version."""
        with self._lock:
            kept = sorted(self._days.items())
        mine = [each for key, each in kept if key[:2] == (project, endpoint)]
        return [each for each in mine if (start is None or each.start >= start) and (end is None or each.start < end)]

    def keep_diagnosis(self, diagnosed: Diagnosed) -> None:
        """Keep it, in place of what there is of the episode."""
        with self._lock:
            self._diagnoses[diagnosed.project, diagnosed.endpoint, diagnosed.began] = diagnosed

    def diagnoses(self, project: str, endpoint: str) -> list[Diagnosed]:
        """Every episode of an endpoint, the last one last."""
        with self._lock:
            kept = sorted(self._diagnoses.items())
        return [each for key, each in kept if key[:2] == (project, endpoint)]
