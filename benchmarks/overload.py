"""A gateway that is asked for twice what it can do: `python -m benchmarks.overload [--quick]`.

Capacity is the closed loop's, by wrk at 64 connections. Requests come at even moments whatever is answered: at a
tenth of the capacity (unloaded), and at twice the capacity. Capacity is measured before that and once more behind it,
since a machine's speed drifts; the mean is what was there in between.

Both a light model and one of more than half a millisecond a row, on one gateway process that may have 128 rows waiting,
every feature on, acks durable as an endpoint has them that says nothing else (``--ack buffered`` for the other kind,
which nothing is promised of). Each repeat gives one ratio and one p99; medians count. The queue's limit in milliseconds
is its rows over the rate at which rows were answered meanwhile. Writes ``overload.json`` and ``overload.md``; exit code
1 when a promise was missed.
"""

import argparse
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.openloop import Offered

from benchmarks import load, models, openloop, report

QUEUE_ROWS: Final = 128
CONNECTIONS: Final = 1024
"""Enough that the queue fills before they do: one that waits for an answer asks nothing."""
CALLERS: Final = 64
GOODPUT: Final = {"light": 0.55, "heavy": 0.90}
"""Of the capacity, when twice the capacity is asked for."""
STALL_MS: Final = 250.0
GROWN_MB: Final = 4.0
WARM_UP: Final = 2
"""Overloads before the first that counts: until then a heap grows to what one takes, and stays there."""
HEAVY_US: Final = 500.0
_LIBRARIES: Final = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy")
_PATH: Final = "/v1/endpoints/e/predict"


@dataclass(frozen=True)
class Repeat:
    """One stretch of each kind, one after the other."""

    capacity: float
    """Requests per second, closed loop, around the rest."""
    unloaded: Offered
    overload: Offered
    server_share: float
    resident_mb: float
    """After it."""

    @property
    def kept(self) -> float:
        """Accepted requests over the capacity."""
        return self.overload.goodput / self.capacity

    @property
    def queue_ms(self) -> float:
        """How long a full queue takes to be answered."""
        return QUEUE_ROWS / self.overload.goodput * 1e3 if self.overload.goodput else float("inf")

    @property
    def wait(self) -> float:
        """p99 of accepted requests over what it may be."""
        return self.overload.p99_ms() / (self.queue_ms + 3 * self.unloaded.p99_ms())


def gates(kind: str, repeats: list[Repeat], row_us: float) -> list[dict[str, Any]]:
    """What is promised of a model of that kind."""
    kept, waited = (statistics.median(values) for values in ([r.kept for r in repeats], [r.wait for r in repeats]))
    gap = max(each.overload.longest_gap_ms for each in repeats)
    grown = repeats[-1].resident_mb - repeats[0].resident_mb
    failed = sum(each.overload.failed + each.unloaded.failed for each in repeats)
    found = [
        report.at_least(f"{kind}: accepted at twice the capacity / capacity", kept, GOODPUT[kind]),
        report.at_most(f"{kind}: p99 of accepted / (queue limit + 3 x unloaded p99), at most", waited, 1.0),
        report.at_most(f"{kind}: longest time without an answer, ms, at most", gap, STALL_MS),
        report.at_most(f"{kind}: neither answered nor told to come back, at most", failed, 0),
        report.at_most(f"{kind}: MB grown from the first overload to the last, at most", grown, GROWN_MB),
    ]
    if kind == "heavy":
        found.append(report.at_least("heavy: microseconds of processor time a row", row_us, HEAVY_US))
    return found


def measure(
    process: subprocess.Popen[bytes], target: load.Target, guess: float, seconds: float, folder: Path
) -> Repeat:
    """A tenth of the capacity, then the capacity, twice of it, and the capacity again."""
    unloaded = openloop.offer(target, guess / 10, seconds, CALLERS, folder)
    capacity = load.measure(process, target, CALLERS, seconds / 2).rate
    before = load.busy(process.pid)
    overload = openloop.offer(target, capacity * 2, seconds, CONNECTIONS, folder)
    spent = (load.busy(process.pid) - before) / (overload.done.max() - overload.due[0])
    resident_mb = load.resident_kb(process.pid) / 1024
    after = load.measure(process, target, CALLERS, seconds / 2).rate
    return Repeat((capacity + after) / 2, unloaded, overload, spent, resident_mb)


def run(kind: str, onnx: Path, folder: Path, ack: str, *, seconds: float, repeats: int) -> list[Repeat]:
    """One gateway with that model, asked again and again."""
    home = folder / f"home-{kind}"
    digest = models.package(onnx, home / "packages")
    target = load.Target(load.free_port(), _PATH, models.body())
    words = load.python("headgate_server.py", home, digest, target.port, ack, "--queue-rows", QUEUE_ROWS)
    found = []
    with load.server(words, target, folder / f"{kind}.log") as process:
        guess = load.measure(process, target, CALLERS, 1.0).rate
        for _ in range(WARM_UP):
            measure(process, target, guess, seconds / 2, folder)
        for number in range(repeats):
            found.append(each := measure(process, target, guess, seconds, folder))
            print(
                f"{kind}, run {number + 1}: capacity {each.capacity:,.0f}/s, accepted {each.kept:.2f} of it, "
                f"p99 {each.overload.p99_ms():.1f} ms, {each.wait:.2f} of what it may be, {each.overload.statuses}, "
                f"late {each.overload.late_ms:.1f} ms ({each.overload.limit})",
                file=sys.stderr,
                flush=True,
            )
    return found


def rows(kind: str, repeats: list[Repeat]) -> list[dict[str, Any]]:
    """The lines of the report."""
    found = []
    for each in repeats:
        common = {"model": kind, "capacity_per_s": round(each.capacity), "queue_ms": round(each.queue_ms, 1)}
        common |= {"resident_mb": round(each.resident_mb, 1)}
        found.append(openloop.row("a tenth", each.unloaded, server_share="", **common))
        found.append(openloop.row("twice", each.overload, server_share=round(each.server_share, 2), **common))
    return found


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """The models chosen, one after the other."""
    seconds, repeats = (3.0, 2) if chosen.quick else (8.0, 5)
    lines: report.Rows = []
    found: list[report.Gate] = []
    for kind in GOODPUT if chosen.only is None else (chosen.only,):
        onnx = models.heavy(folder) if kind == "heavy" else models.build("logistic", folder)[0]
        row_us = models.row_us(onnx)
        measured = run(kind, onnx, folder, chosen.ack, seconds=seconds, repeats=repeats)
        lines += [{**each, "row_us": round(row_us, 1)} for each in rows(kind, measured)]
        found += gates(kind, measured, row_us)
    return lines, found


def words(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    parser.add_argument("--only", choices=list(GOODPUT), help="this model alone")
    parser.add_argument("--ack", choices=["durable", "buffered"], default="durable")


def main() -> int:
    """See the module."""
    return report.run("overload", __doc__, findings, quick="two short repeats", libraries=_LIBRARIES, words=words)


if __name__ == "__main__":
    sys.exit(main())
