"""The part of the SQL store that keeps runs: `headgate.retraining.run.RunStore`, one transaction per call."""

import sqlalchemy as sa

from headgate.events import Event
from headgate.retraining.run import Call, Run
from headgate.store import chain, runrows
from headgate.store.engines import reading, writing
from headgate.vocabulary import Micros


class SqlRuns:
    """Runs and calls in the database of `_engine`, which whoever inherits this opens."""

    _engine: sa.Engine

    def add_run(self, run: Run, event: Event) -> Run:
        """Keep it under its endpoint's next number, with its event; Conflict while another has not ended."""
        with writing(self._engine) as connection:
            chain.take_turns(connection)  # two who begin at once must not both find the endpoint free
            numbered = runrows.add(connection, run)
            chain.append(connection, event)
            return numbered

    def keep_run(self, run: Run, before: int, event: Event | None = None) -> None:
        """Keep it in place of its revision `before`, with its event; Conflict where another is there by now."""
        with writing(self._engine) as connection:
            runrows.keep(connection, run, before)
            if event is not None:
                chain.append(connection, event)

    def runs(self, project: str | None = None, endpoint: str | None = None) -> list[Run]:
        """By project, endpoint and number."""
        with reading(self._engine) as connection:
            return runrows.find(connection, project, endpoint)

    def open_runs(self) -> list[Run]:
        """Those that have not ended, of all projects."""
        with reading(self._engine) as connection:
            return runrows.find(connection, ended=False)

    def add_call(self, call: Call) -> bool:
        """Keep it; False where one of its endpoint and key is there already."""
        with writing(self._engine) as connection:
            return runrows.call(connection, call)

    def calls(self, project: str, endpoint: str, since: Micros) -> list[Call]:
        """Those from a moment on, the first one first."""
        with reading(self._engine) as connection:
            return runrows.calls(connection, project, endpoint, since)
