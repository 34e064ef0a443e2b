"""Sends pieces past the endpoint and the people, hour by hour and in lockstep with the installation's clock.

In an hour every piece is asked about; whatever the endpoint leaves to people, one of them decides a little later, and a
second one a share of it again; a share of what the model decided is looked at by a person all the same. A laboratory
finds out the truth of every piece some hours later. Then the clock is moved, and all wait until everything obeys.
"""

import heapq
import itertools
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np

from headgate.demo.http import HttpPool, error_text
from headgate.demo.inspection.learn import PICTURE, SHIFT
from headgate.demo.inspection.line import Line, Piece
from headgate.demo.inspection.material import Material
from headgate.demo.inspection.people import COLLEAGUE, INSPECTOR, Inspector, thinks_for
from headgate.demo.replay import rfc3339
from headgate.errors import Unavailable
from headgate.vocabulary import HOUR, Micros, Role

PEOPLE: Final = "people"
"""What stands for all inspectors where versions have their names."""
SECOND_LOOKS: Final = 0.1
"""Share of the pieces people decide on which a second person decides too."""
AUDITS: Final = 0.05
"""Share of the pieces the model decides that a person decides as well, for the record."""
LABORATORY: Final = Micros(6 * HOUR)
"""How long the laboratory takes to find out the truth."""


@dataclass(slots=True)
class Decided:
    """What one of those who decide came to, by the driver's own count."""

    pieces: int = 0
    wrong: int = 0


@dataclass(slots=True)
class Tally:
    """What the driver saw on its own side of the wire."""

    asked: int = 0
    failed: int = 0
    first_failure: str = ""
    decided: defaultdict[str, Decided] = field(default_factory=lambda: defaultdict(Decided))
    """By version, or PEOPLE."""
    second_looks: int = 0
    audits: int = 0
    labels: int = 0


class _Row(msgspec.Struct):
    """One row of a reply; `decides` is there where people do."""

    id: str | None = None
    version: str = ""
    decides: str = ""
    prediction: str | None = None


class _Predictions(msgspec.Struct):
    predictions: list[_Row] = []


class Factory:
    """One line, one endpoint, and the people beside it; made once per run."""

    def __init__(
        self,
        gateway: HttpPool,
        control: HttpPool,
        endpoint: str,
        material: Material,
        *,
        per_hour: int,
        start: Micros,
        seed: int,
    ) -> None:
        """`per_hour` pieces come along from `start` on; `seed` is of the light and of the people."""
        self._gateway = gateway
        self._control = control
        self._path = f"/v1/endpoints/{endpoint}"
        self._material = material
        self._line = Line(material.line, per_hour=per_hour, start=start, seed=seed)
        self._chance = np.random.default_rng(seed)
        self._numbers = itertools.count()
        self._undecided: list[tuple[Micros, int, dict[str, str]]] = []
        """A heap: when a person will have decided, a running number, and the decision."""
        self._unknown: deque[tuple[Micros, dict[str, str]]] = deque()
        """When the laboratory will have the truth, and the label."""
        self._decode = msgspec.json.Decoder(_Predictions).decode
        self.now = start
        self.tally = Tally()

    async def settle(self) -> None:
        """Set the installation's clock to where this one is, and wait until everybody obeys what was declared."""
        await self._advance()

    async def work_until(self, moment: Micros) -> None:
        """Everything up to `moment`. Raises Unavailable where a decision, a label or the clock's move is refused."""
        await self._ask(self._line.until(moment))
        await self._tell("decisions", self._decisions_by(moment))
        labels = self._labels_by(moment)
        await self._tell("labels", labels)
        self.tally.labels += len(labels)
        self.now = moment
        await self._advance()

    async def _ask(self, pieces: Sequence[Piece]) -> None:
        bodies = [msgspec.json.encode(_request(each)) for each in pieces]
        replies = await self._gateway.post_all(f"{self._path}/predict", bodies)
        self.tally.asked += len(replies)
        for piece, (status, body) in zip(pieces, replies, strict=True):
            row = self._decode(body).predictions[0] if status == 200 else _Row()
            if row.id is None:
                self.tally.failed += 1
                self.tally.first_failure = self.tally.first_failure or f"{status}: {error_text(body)}"
            else:
                self._heard(piece, row.id, row)

    def _heard(self, piece: Piece, name: str, row: _Row) -> None:
        """Note who decides a piece, and have people do what is theirs to do."""
        known = Micros(piece.at + LABORATORY)
        self._unknown.append((known, {"id": name, "label": piece.surface.truth, "observed_at": rfc3339(known)}))
        if row.decides == Role.HUMAN:
            said, who = self._looked_at(piece, name, INSPECTOR), PEOPLE
            if self._chance.random() < SECOND_LOOKS:
                self._looked_at(piece, name, COLLEAGUE)
                self.tally.second_looks += 1
        else:
            said, who = row.prediction or "", row.version
            if self._chance.random() < AUDITS:
                self._looked_at(piece, name, INSPECTOR)
                self.tally.audits += 1
        count = self.tally.decided[who]
        count.pieces += 1
        count.wrong += said != piece.surface.truth

    def _looked_at(self, piece: Piece, name: str, who: Inspector) -> str:
        """What `who` says of a piece; the endpoint hears it once it took as long as it takes."""
        classes, usual = self._material.classes, self._material.usual
        said = who.decide(piece.surface, piece.shift, classes, usual, self._chance)
        at = Micros(piece.at + thinks_for(self._chance))
        decision = {"id": name, "decision": said, "actor": who.name, "observed_at": rfc3339(at)}
        heapq.heappush(self._undecided, (at, next(self._numbers), decision))
        return said

    def _decisions_by(self, moment: Micros) -> list[dict[str, str]]:
        found = []
        while self._undecided and self._undecided[0][0] <= moment:
            found.append(heapq.heappop(self._undecided)[2])
        return found

    def _labels_by(self, moment: Micros) -> list[dict[str, str]]:
        found = []
        while self._unknown and self._unknown[0][0] <= moment:
            found.append(self._unknown.popleft()[1])
        return found

    async def _tell(self, what: str, entries: list[dict[str, str]]) -> None:
        if entries:
            await self._post(self._gateway, f"{self._path}/{what}", {what: entries})

    async def _advance(self) -> None:
        await self._post(self._control, "/v1/replay/advance", {"to": rfc3339(self.now)})

    async def _post(self, pool: HttpPool, path: str, body: dict[str, Any]) -> None:
        status, said = await pool.post(path, msgspec.json.encode(body))
        if status != 200:
            raise Unavailable(f"{path} was refused ({status}): {error_text(said)}")


def _request(piece: Piece) -> dict[str, Any]:
    """One row; msgspec writes the picture's bytes as base64."""
    return {"rows": [{PICTURE: piece.picture, SHIFT: str(piece.shift)}], "at": [rfc3339(piece.at)]}
