"""How endpoints are watched, as an operator asks and as the controller does; one method per word of the command line."""

from dataclasses import dataclass
from typing import Final

from headgate.alerts.ports import AlertStore
from headgate.app.observed import UNSEEN_ROLES, Observed
from headgate.clock import Clock
from headgate.controller.watching import Reports, Watching
from headgate.monitors.columns import SERVED
from headgate.monitors.watch.days import Day, day_of
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.report import Monitored, monitored
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.store.sql import SqlStore
from headgate.traffic.endpoint import EndpointSpec
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
            self.scene(spec),
            state,
            days,
            false_alarms=words.policy.words,
            price_per_cpu_hour=words.price_per_cpu_hour,
        )

    def days(self, endpoint: str, *, start: Micros | None = None, end: Micros | None = None) -> list[Day]:
        """What the endpoint did on every UTC day that begins in [start, end), of all that were looked at, by version.

        Days add up: ``one.merged(other)`` has both. Raises NotFound.
        """
        self.observed.declared.spec(self.project, endpoint)
        return self.store.watched_days(self.project, endpoint, start, end)

    def scene(self, spec: EndpointSpec) -> Scene:
        """What of an endpoint must be known to watch it. Raises NotFound for a version that is not registered."""
        published = self.observed.traffic.read().get((spec.project, spec.endpoint))
        live = self.observed.registry.resolve(published.live if published else spec.model, project=spec.project)
        output, reference = self.observed.declared.contract(spec, live).output, self.observed.reference(live)
        source = Source(spec.project, spec.endpoint, SERVED)
        if spec.people is not None:
            source = Source(spec.project, spec.endpoint, UNSEEN_ROLES, live.ref)
        return Scene(
            source=source,
            version=live.ref,
            output=output,
            monitors=roster(spec, live.ref, output, reference),
            reference=reference,
            maturity_s=spec.label_maturity_s,
            deadline_ms=spec.deadline_ms,
            replayed=self.replayed,
        )

    def watching(self, alerts: AlertStore, reports: Reports) -> Watching:
        """The loop that watches the endpoints of all projects."""
        return Watching(
            endpoints=lambda: [(project, name) for project, name, _ in self.store.endpoints()],
            scene=lambda project, endpoint: self.scene(self.observed.declared.spec(project, endpoint)),
            watches=self.store,
            alerts=alerts,
            reports=reports,
            reader=self.observed.reader,
            clock=self.clock,
        )
