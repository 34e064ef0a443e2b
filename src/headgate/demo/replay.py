"""Replays recorded events against a running installation in lockstep with its clock.

A step is one slice of event time: its predictions are asked, the labels that became known in it are posted, then
the installation's clock is moved to the step's end and nothing goes on before the controller has ticked and
every worker has said that it obeys. So a year replayed in minutes gives the figures of one lived.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from headgate.demo.flights import Flights
from headgate.demo.http import HttpPool, error_text
from headgate.errors import Unavailable
from headgate.vocabulary import Micros

Progress = Callable[[int, int, int], None]
"""Told (requests asked, requests in all, month of the last one) after every step."""
Until = Callable[[Micros], bool]
"""Asked after every step, with the moment it ended at, whether that was enough."""


@dataclass(slots=True)
class Tally:
    """What the driver saw, counted on its own side of the wire."""

    requests: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    labels_posted: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    """Refused rows by rule."""
    versions: Counter[str] = field(default_factory=Counter)
    """Answered rows by the version that answered."""
    first_failure: str = ""


class _Row(msgspec.Struct):
    id: str | None = None
    version: str = ""
    scores: list[float] | None = None
    error: dict[str, str] | None = None


class _Predictions(msgspec.Struct):
    predictions: list[_Row] = []


class Replay:
    """Drives one endpoint through `flights`, in one run or in several that go on from each other."""

    def __init__(self, gateway: HttpPool, control: HttpPool, endpoint: str, flights: Flights) -> None:
        self._gateway = gateway
        self._control = control
        self._path = f"/v1/endpoints/{endpoint}"
        self._flights = flights
        self._bodies = _bodies(flights)
        self._ids: list[str | None] = [None] * len(flights)
        self.versions = np.full(len(flights), "", dtype=object)
        """Who answered each flight; empty where nobody did."""
        self.scores = np.full(len(flights), np.nan)
        """The chance of being late that each was told."""
        self._decode = msgspec.json.Decoder(_Predictions).decode
        labelled = np.flatnonzero(~np.isnan(flights.late))
        self._by_landing = labelled[np.argsort(flights.landed_at[labelled], kind="stable")]
        self._landed = flights.landed_at[self._by_landing]
        self._moment = int(flights.at[0])
        self._asked = self._told = 0
        self.tally = Tally()

    async def settle(self) -> None:
        """Wait until everybody obeys what was declared between two runs: else flights might be ahead of it."""
        await self._advance(self._moment)

    async def run(self, step_us: int, progress: Progress, until: Until | None = None) -> Tally:
        """Replay everything that is left, step by step of `step_us` microseconds, or as far as `until` wants it.

        Labels that land after the last departure are posted in steps of their own.
        """
        flights, landed = self._flights, self._landed
        start = self._moment // step_us * step_us
        end = max(int(flights.at[-1]), int(landed[-1]) if len(landed) else 0)
        for moment in range(start + step_us, end + step_us + 1, step_us):
            await self._step(moment)
            progress(self._asked, len(flights), int(flights.month[max(0, self._asked - 1)]))
            if until is not None and until(Micros(moment)):
                break
        return self.tally

    async def _step(self, moment: int) -> None:
        """Everything that happens before `moment` and did not yet."""
        asked, told = (int(np.searchsorted(each, moment)) for each in (self._flights.at, self._landed))
        await self._ask(self._asked, asked)
        await self._tell(self._by_landing[self._told : told])
        if asked > self._asked or told > self._told:
            await self._advance(moment)
        self._moment, self._asked, self._told = moment, asked, told

    async def _ask(self, start: int, end: int) -> None:
        if start == end:
            return
        replies = await self._gateway.post_all(f"{self._path}/predict", self._bodies[start:end])
        self.tally.requests += len(replies)
        for index, (status, body) in enumerate(replies, start):
            if status not in (200, 422):
                self.tally.failed += 1
                self.tally.first_failure = self.tally.first_failure or f"{status}: {error_text(body)}"
                continue
            rows = self._decode(body).predictions
            row = rows[0] if rows else _Row(error={"rule": "request"})
            if row.error is not None:
                self.tally.refused += 1
                self.tally.refusals[row.error.get("rule", "")] += 1
            else:
                self.tally.answered += 1
                self.tally.versions[row.version] += 1
                self._ids[index] = row.id
                self.versions[index] = row.version
                if row.scores:
                    self.scores[index] = row.scores[-1]

    async def _tell(self, landed: np.ndarray) -> None:
        labels = [
            {"id": self._ids[index], "label": int(self._flights.late[index]), "observed_at": self._landing(index)}
            for index in landed.tolist()
            if self._ids[index] is not None
        ]
        if not labels:
            return
        status, body = await self._gateway.post(f"{self._path}/labels", msgspec.json.encode({"labels": labels}))
        if status != 200:
            raise Unavailable(f"labels were refused ({status}): {error_text(body)}")
        self.tally.labels_posted += len(labels)

    async def _advance(self, moment: int) -> None:
        status, body = await self._control.post("/v1/replay/advance", msgspec.json.encode({"to": rfc3339(moment)}))
        if status != 200:
            raise Unavailable(f"the clock could not be moved ({status}): {error_text(body)}")

    def _landing(self, index: int) -> str:
        return rfc3339(int(self._flights.landed_at[index]))


def rfc3339(micros: int) -> str:
    """A moment as RFC 3339 text in UTC.

    >>> rfc3339(1362096000000000)
    '2013-03-01T00:00:00.000000Z'
    """
    return f"{np.datetime64(micros, 'us')}Z"


def _bodies(flights: Flights) -> Sequence[bytes]:
    """One request body per flight; missing values travel as null."""
    columns = {
        name: [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - only NaN differs from itself
        for name, column in flights.features.items()
    }
    moments = [rfc3339(at) for at in flights.at.tolist()]
    encode = msgspec.json.Encoder().encode
    names = [str(name) for name in columns]
    rows = zip(*columns.values(), strict=True)
    return [
        encode({"rows": [dict(zip(names, row, strict=True))], "at": [at]})
        for row, at in zip(rows, moments, strict=True)
    ]
