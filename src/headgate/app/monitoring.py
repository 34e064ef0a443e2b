"""How endpoints are watched, as operators ask and as the controller does; one method per word of the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from headgate.app.observed import Observed
from headgate.app.scenes import Scenes
from headgate.clock import Clock
from headgate.controller.watching import Reports, Watching
from headgate.monitors.watch.days import Day, day_of
from headgate.monitors.watch.report import Monitored, monitored
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import WatchState
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
        scene = Scenes(self.observed, replayed=self.replayed).of(spec)
        state = self.store.watch(self.project, endpoint)
        if state is None:
            return self._monitored(spec, scene, None, Micros(0))
        return self._monitored(spec, scene, state, day_of(Micros(state.until - (last - 1) * DAY - 1)))

    def days(self, endpoint: str, *, start: Micros | None = None, end: Micros | None = None) -> list[Day]:
        """What the endpoint did on every UTC day that begins in [start, end), of all that were looked at, by version.

        Days add up: ``one.merged(other)`` has both. Raises NotFound.
        """
        self.observed.declared.spec(self.project, endpoint)
        return self.store.watched_days(self.project, endpoint, start, end)

    def watching(self, reports: Reports, counted: Callable[[Monitored], object] = lambda found: None) -> Watching:
        """The loop that watches the endpoints of all projects, and tells `reports` what is found.

        `counted` hears after every look how the endpoint stands, with its last day and the last that has labels.
        """
        scenes = Scenes(self.observed, replayed=self.replayed)

        def looked(scene: Scene, state: WatchState) -> None:
            spec = self.observed.declared.spec(scene.source.project, scene.source.endpoint)
            counted(self._monitored(spec, scene, state, day_of(Micros(min(state.until, state.matured) - 1))))

        return Watching(
            endpoints=self.observed.declared.specs,
            scene=scenes.of,
            watches=self.store,
            reports=reports,
            last_alert=self.store.last_alert,
            reader=self.observed.reader,
            clock=self.clock,
            counted=looked,
        )

    def _monitored(self, spec: EndpointSpec, scene: Scene, state: WatchState | None, start: Micros) -> Monitored:
        """How an endpoint stands, with the days from `start` on."""
        where = spec.project, spec.endpoint
        return monitored(
            scene,
            state,
            [] if state is None else self.store.watched_days(*where, start),
            false_alarms=spec.monitors.policy.words,
            price_per_cpu_hour=spec.monitors.price_per_cpu_hour,
        )
