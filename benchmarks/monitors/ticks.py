"""What watching costs: a turn over 100 endpoints of which none has news, and hours of one endpoint that has.

Run it as ``python -m benchmarks.monitors.ticks``; it prints one JSON object per measurement. The limit is 100 ms for a
turn over 100 endpoints with nothing new, an hour later by the clock; the exit code says whether it was kept. Store and
lake are on disk as an installation has them; each endpoint has answers of a binary model and all monitors of labels.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from headgate.alerts.finding import Finding
from headgate.clock import HeldClock
from headgate.contracts.contract import Output
from headgate.controller.watching import Watching
from headgate.evaluation.report import Report, evaluate
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Schema
from headgate.journal.sealer import Sealer
from headgate.monitors.columns import SERVED
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.store.sql import SqlStore
from headgate.testing.segments import MemorySegments
from headgate.traffic.endpoint import EndpointSpec, Slo
from headgate.vocabulary import DAY, HOUR, SECOND, Micros, Role, Task

ENDPOINTS: Final = 100
LIMIT_S: Final = 0.1
ROWS: Final = 36_000
"""Of the busy hour: ten a second."""
BEGUN: Final = Micros(20_000 * DAY)
OUTPUT: Final = Output(Task.BINARY, classes=("no", "yes"), probability=True)


class Nobody:
    """Hears of findings."""

    def report(self, findings: Sequence[Finding]) -> object:
        """Nothing."""
        return findings

    def clear(self, project: str, key: str) -> object:
        """Nothing."""
        return key


class Installation:
    """Endpoints that are watched."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.names = names
        self.segments, self.lake = MemorySegments(), Lake(folder / "lake")
        self.reader, self.sealer = Reader(self.lake, self.segments), Sealer(self.segments, self.lake)
        self.store, self.clock = SqlStore(folder / "store.sqlite"), HeldClock(BEGUN)
        self.sequence = 0
        self._reference = _reference()

    def watching(self) -> Watching:
        """A controller that begins."""
        return Watching(
            endpoints=lambda: [EndpointSpec(name, "m", slo=Slo(latency_p99_ms=50.0)) for name in self.names],
            scene=self._scene,
            watches=self.store,
            reports=Nobody(),
            last_alert=self.store.last_alert,
            reader=self.reader,
            clock=self.clock,
        )

    def write(self, name: str, start: int, rows: int, seed: int) -> None:
        """An hour's rows of an endpoint, sealed into the lake."""
        random = np.random.default_rng(seed)
        schema = Schema("default", name, "sha256:1", (), "binary", "text", ("no", "yes"))
        at = np.sort(start + random.integers(0, HOUR, rows)).tolist()
        block = Block([], [], [])
        for place, moment in enumerate(at):
            id_ = (seed * 10**9 + place).to_bytes(16, "big")
            block.inputs.append(Input(id_, moment, None, f"r{seed}-{place}", 0))
            block.answers.append(Answer(id_, "m:1", "m:1", Role.LIVE, 1.0, "yes", [0.2, 0.8], 300 + place % 50, 900))
        self.sequence += 1
        self.segments.write("here-0", self.sequence, [(schema, block)])

    def seal(self) -> None:
        """Everything moves into the lake."""
        self.sealer.seal()

    def _scene(self, spec: EndpointSpec) -> Scene:
        return Scene(
            source=Source(spec.project, spec.endpoint, SERVED),
            version="m:1",
            output=OUTPUT,
            monitors=roster(spec, "m:1", OUTPUT, self._reference),
            reference=self._reference,
        )


def _reference() -> Report:
    random = np.random.default_rng(0)
    truths = (random.random(2000) < 0.5).tolist()
    words = ["yes" if each else "no" for each in truths]
    return evaluate(Task.BINARY, words, words, random.random(2000).tolist(), ("no", "yes"))


def idle(installation: Installation, hours: int = 5) -> list[float]:
    """Seconds of turns in which nothing is new, each an hour after the one before."""
    for number, name in enumerate(installation.names):
        installation.write(name, BEGUN, 20, number + 1)
    installation.seal()
    watching = installation.watching()
    installation.clock.move_to(Micros(BEGUN + HOUR + 60 * SECOND))
    assert len(watching.turn(at_once=True)) == len(installation.names)
    took = []
    for hour in range(2, 2 + hours):
        installation.clock.move_to(Micros(BEGUN + hour * HOUR + 60 * SECOND))
        began = time.perf_counter()
        looked = watching.turn()
        took.append(time.perf_counter() - began)
        assert looked == []
    return took


def busy(installation: Installation, rows: int = ROWS) -> dict[str, float]:
    """Seconds of a look at an hour of many rows, and of the first look after a restart."""
    name = installation.names[0]
    watching = installation.watching()
    start = BEGUN + 10 * HOUR
    installation.clock.move_to(Micros(start))
    watching.turn(at_once=True)
    installation.write(name, start, rows, 10**6)
    installation.seal()
    installation.clock.move_to(Micros(start + HOUR + 60 * SECOND))
    began = time.perf_counter()
    assert watching.turn() == [("default", name)]
    looked = time.perf_counter() - began
    installation.clock.move_to(Micros(start + 2 * HOUR + 60 * SECOND))
    again = installation.watching()
    installation.names = [name]
    began = time.perf_counter()
    again.turn()
    return {"hour_s": looked, "rows": float(rows), "after_restart_s": time.perf_counter() - began}


def main() -> int:
    """See the module."""
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation(Path(folder), [f"endpoint-{number}" for number in range(ENDPOINTS)])
        took = idle(installation)
        kept = max(took) <= LIMIT_S
        said = {"endpoints": ENDPOINTS, "median_s": statistics.median(took), "worst_s": max(took), "limit_s": LIMIT_S}
        print(json.dumps({"what": "nothing new", **said, "ok": kept}))
        print(json.dumps({"what": "an hour of one endpoint", **busy(installation)}))
        state = installation.store.watch("default", "endpoint-0")
        print(json.dumps({"what": "state", "bytes": len(msgspec.json.encode(state))}))
        installation.store.close()
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
