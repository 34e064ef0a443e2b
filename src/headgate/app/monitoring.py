"""How endpoints are watched, as operators ask and as the controller does; one method per word of the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from headgate.app.observed import Observed
from headgate.app.pictures import Decode, PicturesCompared, compared_pictures, measured_pictures, picture_field
from headgate.app.scenes import Scenes
from headgate.clock import Clock
from headgate.contracts.contract import Sensitivity
from headgate.contracts.tables import as_table
from headgate.controller.watching import Reports, Watching
from headgate.journal.blobs import BlobStore
from headgate.journal.tables import FEATURES
from headgate.monitors.quality.skew import Skew, skew
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
    blobs: BlobStore

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
        )

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
