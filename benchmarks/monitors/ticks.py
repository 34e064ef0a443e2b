"""What watching costs: a turn over 100 endpoints of which none has news, and hours of one endpoint that has.

`python -m benchmarks.monitors.ticks [--quick]`. The limit is 100 ms for a turn over 100 endpoints with nothing new, an
hour later by the clock. Store and lake are on disk as an installation has them; each endpoint has answers of a binary
model and all monitors of labels. Writes ``ticks.json`` and ``ticks.md``; exit code 1 when the limit was missed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from benchmarks import machine, report
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
LIMIT_MS: Final = 100.0
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


def measured(folder: Path, endpoints: int) -> tuple[report.Rows, list[report.Gate]]:
    """Turns with nothing new, an hour with much, and what is kept of an endpoint."""
    installation = Installation(folder, [f"endpoint-{number}" for number in range(endpoints)])
    took = [1000 * each for each in idle(installation)]
    rows = [
        line(f"a turn over {endpoints} endpoints with nothing new, ms: the median", statistics.median(took)),
        line("and the slowest", max(took)),
    ]
    looked = busy(installation)
    rows.append(line(f"a look at an hour of {looked['rows']:,.0f} rows of one endpoint, ms", 1000 * looked["hour_s"]))
    rows.append(line("the first look after a restart, ms", 1000 * looked["after_restart_s"]))
    state = installation.store.watch("default", "endpoint-0")
    rows.append(line("what is kept of an endpoint, bytes", len(msgspec.json.encode(state))))
    installation.store.close()
    says = f"a turn over {endpoints} endpoints with nothing new, the slowest, ms, at most"
    return rows, [report.at_most(says, max(took), LIMIT_MS)]


def line(what: str, value: float) -> dict[str, Any]:
    """One row."""
    return {"what": what, "value": round(value, 2)}


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ten endpoints, for development")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    # Under the output folder, because a temporary one is often memory.
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        seen = machine.facts(Path(name), ("headgate", "numpy", "pyarrow"))
        rows, promised = measured(Path(name), 10 if chosen.quick else ENDPOINTS)
    return report.write("ticks", chosen.out, {"machine": seen, "quick": chosen.quick, "rows": rows, "gates": promised})


if __name__ == "__main__":
    sys.exit(main())
