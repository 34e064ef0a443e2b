"""How fast the journal takes records, and how long until they are acknowledged, beside the disk's own sync.

    python benchmarks/journal.py [--folder DIR] [--seconds 3]

One event loop plays `n` callers who each wait for their record before they send the next (a row of 20 numbers, an
answer with scores); records of one loop tick are one block. ``buffered`` callers wait for nothing but the tick.
"""

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from headgate.clock import SystemClock
from headgate.errors import JournalUnavailable
from headgate.journal.committer import Committer
from headgate.journal.disk import LocalDisk
from headgate.journal.identifiers import Mint, endpoint_tag
from headgate.journal.ports import Stream
from headgate.journal.records import Answer, Block, Input, Schema, SchemaField

FEATURES = 20
SCHEMA = Schema(
    "default",
    "delays",
    "sha256:" + "0" * 64,
    tuple(SchemaField(f"x{at}", "number", "public") for at in range(FEATURES)),
    "binary",
    "boolean",
    (False, True),
)
TAG = endpoint_tag("default", "delays")


@dataclass
class Outcome:
    """What one run measured."""

    seconds: float = 0.0
    records: int = 0
    waits: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    commits: int = 0


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of `values` lie, in microseconds; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e6 if ordered else 0.0


def sync_times(folder: Path, size: int, repeats: int = 400) -> list[float]:
    """Seconds each append of `size` bytes and its fdatasync took, nothing else running."""
    file = LocalDisk(folder).create("sync-times")
    data, taken = os.urandom(size), []
    for _ in range(repeats):
        began = time.perf_counter()
        file.append(data)
        file.sync()
        taken.append(time.perf_counter() - began)
    file.close()
    return taken


class Callers:
    """`n` callers on one loop, each with one record in flight."""

    def __init__(self, journal: Committer, n: int, *, durable: bool) -> None:
        self._journal = journal
        self._durable = durable
        self._mint = Mint(bytes(32), SystemClock(), 0)
        self._row = tuple(at / 7 for at in range(FEATURES))
        self._due = n
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        self.outcome = Outcome()

    def tick(self) -> None:
        """One loop tick: everybody whose record is acknowledged sends the next, in one block."""
        count, self._due = self._due, 0
        if not count or self._stopped:
            return
        ids = self._mint.draw_many(TAG, count)
        block = Block(
            inputs=[Input(each, 0, self._row, "request", 0) for each in ids],
            answers=[Answer(each, "m:1", "m:1", "live", 1.0, True, [0.25, 0.75], 12, 340) for each in ids],
        )
        began = time.perf_counter()
        if self._durable:
            loop, acknowledged = self._loop, self._acknowledged

            def done(problem: JournalUnavailable | None) -> None:
                if problem is not None:
                    raise problem  # a refused record would count as a fast one
                loop.call_soon_threadsafe(acknowledged, count, began)

            self._journal.write(SCHEMA, block, done)
        else:
            self._journal.write(SCHEMA, block, None)
            self._loop.call_soon(self._acknowledged, count, began)
        self.outcome.writes.append((time.perf_counter() - began) / count)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped = True

    def _acknowledged(self, count: int, began: float) -> None:
        self.outcome.records += count
        self.outcome.waits.append(time.perf_counter() - began)
        if not self._due:
            self._loop.call_soon(self.tick)
        self._due += count


async def run(folder: Path, n: int, seconds: float, *, durable: bool) -> Outcome:
    """Let `n` callers send for `seconds`."""
    stream = Stream(f"bench-{n}-{int(durable)}")
    journal = Committer(LocalDisk(folder), stream, clock=SystemClock(), queue_bytes=256 << 20)
    callers = Callers(journal, n, durable=durable)
    began = time.perf_counter()
    callers.tick()
    await asyncio.sleep(seconds)
    callers.stop()
    callers.outcome.seconds = time.perf_counter() - began
    callers.outcome.commits = journal.counters.commits
    await asyncio.to_thread(journal.close)
    return callers.outcome


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: the system's temporary folder")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each run")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        alone = sync_times(folder, 16 * 1024)
        print(
            f"append 16 kB + fdatasync alone: p50 {percentile(alone, 0.5):.0f} us, p99 {percentile(alone, 0.99):.0f} us"
        )
        print(f"{'ack':9}{'callers':>8}{'records/s':>11}{'ack p50 us':>12}{'ack p99 us':>12}", end="")
        print(f"{'write us/record':>17}{'records/commit':>16}")
        for durable in (True, False):
            for n in (1, 16, 64, 256):
                found = uvloop.run(run(folder, n, chosen.seconds, durable=durable))
                print(
                    f"{'durable' if durable else 'buffered':9}{n:8}{found.records / found.seconds:11.0f}"
                    f"{percentile(found.waits, 0.5):12.0f}{percentile(found.waits, 0.99):12.0f}"
                    f"{percentile(found.writes, 0.5):17.2f}{found.records / max(1, found.commits):16.1f}"
                )


if __name__ == "__main__":
    main()
