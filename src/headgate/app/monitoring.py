"""How endpoints are watched, as operators ask and as the controller does; one method per word of the command line."""

from dataclasses import dataclass
from typing import Final

from headgate.app.observed import Observed
from headgate.app.scenes import Scenes
from headgate.clock import Clock
from headgate.controller.watching import Reports, Watching
from headgate.monitors.watch.days import Day, day_of
from headgate.monitors.watch.report import Monitored, monitored
from headgate.store.sql import SqlStore
from headgate.vocabulary import DAY, Micros

LAST: Final = 14
"""Days that are shown unless others are asked for."""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The watches of one project's endpoints."""

    project: str
    store: SqlStore
    observed: Observed
    clock: Clock
    replayed: bool

    def report(self, endpoint: str, *, last: int = LAST) -> Monitored:
        """Every monitor of an endpoint with what it says, and the `last` days that were looked at.

        Nothing is measured for it: the controller looks as hours end and labels are due. Raises NotFound.
        """
        spec = self.observed.declared.spec(self.project, endpoint)
        state = self.store.watch(self.project, endpoint)
        words = spec.monitors
        days: list[Day] = []
        if state is not None:
            days = self.days(endpoint, start=day_of(Micros(state.until - (last - 1) * DAY - 1)))
        return monitored(
            Scenes(self.observed, replayed=self.replayed).of(spec),
            state,
            days,
            false_alarms=words.policy.words,
            price_per_cpu_hour=words.price_per_cpu_hour,
            now=self.clock.now(),
        )

    def days(self, endpoint: str, *, start: Micros | None = None, end: Micros | None = None) -> list[Day]:
        """What the endpoint did on every UTC day that begins in [start, end), of all that were looked at, by version.

        Days add up: ``one.merged(other)`` has both. Raises NotFound.
        """
        self.observed.declared.spec(self.project, endpoint)
        return self.store.watched_days(self.project, endpoint, start, end)

    def watching(self, reports: Reports) -> Watching:
        """The loop that watches the endpoints of all projects, and tells `reports` what is found."""
        return Watching(
            endpoints=self.observed.declared.specs,
            scene=Scenes(self.observed, replayed=self.replayed).of,
            watches=self.store,
            reports=reports,
            last_alert=self.store.last_alert,
            reader=self.observed.reader,
            clock=self.clock,
        )
