"""The part of the SQL store that keeps watches and diagnoses, one transaction per call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from headgate.monitors.watch.days import Day
from headgate.monitors.watch.state import WatchState
from headgate.store import diagnosisrows, watchrows
from headgate.store.engines import reading, writing
from headgate.vocabulary import Micros

if TYPE_CHECKING:  # all of diagnosis, for the sake of a name
    from headgate.monitors.diagnosis.kept import Diagnosed


class SqlWatches:
    """Watches, their days and diagnoses in the database of `_engine`, which whoever inherits this opens."""

    _engine: sa.Engine

    def watch(self, project: str, endpoint: str) -> WatchState | None:
        """What was kept last; None where nothing was."""
        with reading(self._engine) as connection:
            return watchrows.find(connection, project, endpoint)

    def keep_watch(self, state: WatchState, days: Sequence[Day]) -> WatchState:
        """Keep `state` in place of the one of its revision, and add `days` to those there; Conflict if it went on."""
        with writing(self._engine) as connection:
            after = watchrows.keep(connection, state)
            for each in days:
                watchrows.add(connection, state.project, state.endpoint, each)
            return after

    def watched_days(
        self, project: str, endpoint: str, start: Micros | None = None, end: Micros | None = None
    ) -> list[Day]:
        """The days that begin in [start, end), by day and version."""
        with reading(self._engine) as connection:
            return watchrows.days(connection, project, endpoint, start, end)

    def keep_diagnosis(self, diagnosed: "Diagnosed") -> None:
        """Keep it, in place of what there is of the episode."""
        with writing(self._engine) as connection:
            diagnosisrows.keep(connection, diagnosed)

    def diagnoses(self, project: str, endpoint: str) -> "list[Diagnosed]":
        """Every episode of an endpoint, the last one last."""
        with reading(self._engine) as connection:
            return diagnosisrows.every(connection, project, endpoint)
