"""How endpoints are watched, as operators ask and as the controller does; one method per word of the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from headgate.alerts.alert import Alert
from headgate.alerts.finding import Finding
from headgate.app.observed import Observed
from headgate.app.registered import registered
from headgate.app.scenes import Scenes
from headgate.clock import Clock
from headgate.controller.diagnosing import Diagnosing, Sources, Worded
from headgate.controller.watching import Reports, Watching
from headgate.errors import BadInput
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import LONGEST, Diagnosed
from headgate.monitors.watch.days import Day, day_of
from headgate.monitors.watch.lookback import Lookback, Registered, Window
from headgate.monitors.watch.report import Monitored, monitored
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
            self._scenes.of(spec),
            state,
            days,
            false_alarms=words.policy.words,
            price_per_cpu_hour=words.price_per_cpu_hour,
            diagnoses=self.diagnoses(endpoint),
        )

    def days(self, endpoint: str, *, start: Micros | None = None, end: Micros | None = None) -> list[Day]:
        """What the endpoint did on every UTC day that begins in [start, end), of all that were looked at, by version.

        Days add up: ``one.merged(other)`` has both. Raises NotFound.
        """
        self.observed.declared.spec(self.project, endpoint)
        return self.store.watched_days(self.project, endpoint, start, end)

    def diagnoses(self, endpoint: str) -> list[Diagnosed]:
        """What was said after alarms, one value an episode of them, the last one last. Raises NotFound."""
        self.observed.declared.spec(self.project, endpoint)
        return self.store.diagnoses(self.project, endpoint)

    def diagnosis(self, endpoint: str, *, start: Micros | None = None, end: Micros | None = None) -> Diagnosis:
        """What has changed between the reference of the version in charge and any window, looked at now.

        `start` and `end` are moments in microseconds, the whole window; without `end` it ends with the last hour that
        is over, and without `start` it begins four weeks before its end. Nothing is kept of it. Raises NotFound,
        BadInput for a window that ends before it begins, Unavailable where the journal is rearranged all the time.
        """
        spec = self.observed.declared.spec(self.project, endpoint)
        scene, now = self._scenes.of(spec), self.clock.now()
        until = scene.answered_until(now)
        ends = until if end is None else min(end, until)
        begins = day_of(Micros(ends - LONGEST * DAY)) if start is None else start
        if begins >= ends:
            raise BadInput("end", "range", "must be later than start, which must be before the last hour that is over")
        matured = max(begins, min(ends, scene.matured_until(now)))
        window = Window(start=begins, end=ends, matured=matured, known=now)
        lookback = Lookback(scene, self._registered(spec), self.observed.reader)
        return lookback.at(window, self.days(endpoint), self.diagnoses(endpoint))

    def watching(self, reports: Reports) -> Watching:
        """The loop that watches the endpoints of all projects, and tells `reports` what is found."""
        return Watching(
            endpoints=self.observed.declared.specs,
            scene=self._scenes.of,
            watches=self.store,
            reports=Worded(reports, self.store, self.store.last_alert),
            last_alert=self.store.last_alert,
            reader=self.observed.reader,
            clock=self.clock,
        )

    def diagnosing(self, reword: Callable[[Alert, Finding], object]) -> Diagnosing:
        """The loop that says why alarms of all projects are, and has `reword` put it into the words of their alerts."""
        sources = Sources(self.observed.declared.specs, self._scenes.of, self._registered, self.observed.reader)
        return Diagnosing(sources, self.store, standing=lambda: self.store.alerts(standing=True), reword=reword)

    @property
    def _scenes(self) -> Scenes:
        return Scenes(self.observed, replayed=self.replayed)

    def _registered(self, spec: EndpointSpec) -> Registered:
        return registered(self.observed, spec, self._scenes.live(spec))
