"""How endpoints are watched, as operators ask and as the controller does; one method per word of the command line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from headgate.alerts.alert import Alert
from headgate.alerts.finding import Finding
from headgate.app.observed import Observed
from headgate.app.pictures import Decode, PicturesCompared, compared_pictures, measured_pictures, picture_field
from headgate.app.registered import registered
from headgate.app.scenes import Scenes
from headgate.clock import Clock
from headgate.contracts.contract import Sensitivity
from headgate.contracts.tables import as_table
from headgate.controller.diagnosing import Diagnosing, Sources, Worded
from headgate.controller.watching import Reports, Watching
from headgate.errors import BadInput
from headgate.journal.blobs import BlobStore
from headgate.journal.tables import FEATURES
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import LONGEST, Diagnosed
from headgate.monitors.quality.skew import Skew, skew
from headgate.monitors.watch.days import Day, day_of
from headgate.monitors.watch.lookback import Lookback, Registered, Window
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
    blobs: BlobStore

    def report(self, endpoint: str, *, last: int = LAST) -> Monitored:
        """Every monitor of an endpoint with what it says, and the `last` days that were looked at.

        Nothing is measured for it: the controller looks as hours end and labels are due. Raises NotFound.
        """
        spec = self.observed.declared.spec(self.project, endpoint)
        scene = self._scenes.of(spec)
        state = self.store.watch(self.project, endpoint)
        if state is None:
            return self._monitored(spec, scene, None, [])
        days = self.days(endpoint, start=day_of(Micros(state.until - (last - 1) * DAY - 1)))
        return self._monitored(spec, scene, state, days, self.diagnoses(endpoint))

    def days(self, endpoint: str, *, start: Micros | None = None, end: Micros | None = None) -> list[Day]:
        """What the endpoint did on every UTC day that begins in [start, end), of all that were looked at, by version.

        Days add up: ``one.merged(other)`` has both. Raises NotFound.
        """
        self.observed.declared.spec(self.project, endpoint)
        return self.store.watched_days(self.project, endpoint, start, end)

    def skew(
        self,
        endpoint: str,
        training: object,
        key: Sequence[str],
        *,
        start: Micros | None = None,
        end: Micros | None = None,
    ) -> Skew:
        """The same rows as training read them and as the endpoint was asked them in [start, end), field by field.

        `training` is anything ``contracts.tables.as_table`` takes. The other side are the public features that the
        journal has, with the input's id as ``input_id``. Raises NotFound, and BadInput where either side lacks a column
        of the `key`.
        """
        spec = self.observed.declared.spec(self.project, endpoint)
        found = self.observed.reader.features(self.project, endpoint, start=start, end=end)
        features = found[FEATURES].combine_chunks()
        columns = dict(zip((each.name for each in features.type), features.flatten(), strict=True))
        serving = pa.table({"input_id": found["input_id"], **columns})
        fields = self.observed.declared.live_contract(spec).fields
        public = [each.name for each in fields if each.sensitivity is Sensitivity.PUBLIC]
        return skew(as_table(training), serving, key, named=public)

    def pictures(
        self,
        endpoint: str,
        field: str,
        decode: Decode,
        *,
        reference: tuple[Micros, Micros],
        window: tuple[Micros, Micros],
    ) -> PicturesCompared:
        """The pictures in a field of inputs of a window, beside those of a reference; both are [start, end).

        `decode` makes shades of a picture's bytes. Raises NotFound, and BadInput for a field without public pictures.
        """
        spec = self.observed.declared.spec(self.project, endpoint)
        wanted = picture_field(self.observed.declared.live_contract(spec), field)
        found = [
            self.observed.reader.features(self.project, endpoint, start=start, end=end)
            for start, end in (reference, window)
        ]
        return compared_pictures(*(measured_pictures(each, wanted, self.blobs, decode) for each in found))

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

    def watching(self, reports: Reports, counted: Callable[[Monitored], object] = lambda found: None) -> Watching:
        """The loop that watches the endpoints of all projects, and tells `reports` what is found.

        `counted` hears after every look how the endpoint stands, with its last day and the last that has labels.
        """
        scenes = self._scenes

        def looked(scene: Scene, state: WatchState) -> None:
            where = scene.source.project, scene.source.endpoint
            newest = day_of(Micros(min(state.until, state.matured) - 1))
            spec, days = self.observed.declared.spec(*where), self.store.watched_days(*where, newest)
            counted(self._monitored(spec, scene, state, days))

        return Watching(
            endpoints=self.observed.declared.specs,
            scene=scenes.of,
            watches=self.store,
            reports=Worded(reports, self.store, self.store.last_alert),
            last_alert=self.store.last_alert,
            reader=self.observed.reader,
            clock=self.clock,
            counted=looked,
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

    def _monitored(
        self,
        spec: EndpointSpec,
        scene: Scene,
        state: WatchState | None,
        days: list[Day],
        diagnoses: Sequence[Diagnosed] = (),
    ) -> Monitored:
        return monitored(
            scene,
            state,
            days,
            false_alarms=spec.monitors.policy.words,
            price_per_cpu_hour=spec.monitors.price_per_cpu_hour,
            now=self.clock.now(),
            diagnoses=diagnoses,
        )
