"""What a second gateway process adds: `python -m benchmarks.workers [--quick]`.

Both processes answer on one port; the first has the first core, the second the last, which it shares with wrk. With a
model of several hundred microseconds a row wrk needs next to nothing, and rates are compared. With a light one wrk
takes as much as a gateway does, so what is compared is requests per second of processor time of the gateways. Every
worker has 64 connections of its own. One worker and two take turns; medians of the ratios within one repeat. Writes
``workers.json`` and ``workers.md``; exit code 1 when a promise was missed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import listening

from benchmarks import load, models, report

CALLERS: Final = 64
"""Connections for each worker."""
FASTER: Final = 1.7
AS_CHEAP: Final = 0.9
HEAVY_US: Final = 200.0
GENERATOR: Final = 0.10
"""Of a core: what wrk may take where rates of two workers are compared on two cores."""
_LIBRARIES: Final = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy")
_PATH: Final = "/v1/endpoints/e/predict"


@dataclass(frozen=True)
class Run:
    """One run: what wrk saw, and the processor time of all gateways of the port."""

    workers: int
    row: load.Row
    per_processor_second: float
    shares: tuple[float, ...]
    """Of a core, by worker: connections are spread by the kernel, never quite evenly."""


@contextmanager
def gateways(count: int, onnx: Path, home: Path) -> Iterator[tuple[list[subprocess.Popen[bytes]], load.Target]]:
    """So many on one port, each on a core of its own as far as there are so many; asleep."""
    digest, log = models.package(onnx, home / "packages"), home / "log"
    target = load.Target(load.free_port(), _PATH, models.body())
    cores = sorted(os.sched_getaffinity(0))
    found: list[subprocess.Popen[bytes]] = []
    try:
        for index in range(count):
            words = load.python("headgate_server.py", home, digest, target.port, "buffered", "--index", index)
            pinned = load.pinned_to(cores[index % len(cores)], words)
            with log.open("ab") as out:
                found.append(subprocess.Popen(pinned, stdout=out, stderr=out))
        _wait(found, target, log)
        for each in found:
            load.sleep(each)
        yield found, target
    finally:
        for each in found:
            load.end(each)


def _wait(started: list[subprocess.Popen[bytes]], target: load.Target, log: Path) -> None:
    """Until every one of them listens, which each does once it has read its model, and the port answers."""
    end = time.monotonic() + 60
    # One answering port says nothing of the other process behind it.
    while not all(any(each.endswith(f":{target.port:04X}") for each in listening([p.pid])) for p in started):
        if time.monotonic() > end or any(each.poll() is not None for each in started):
            raise RuntimeError(f"no gateway on port {target.port}: {log.read_text()[-2000:]}")
        time.sleep(0.05)
    load.wait(started[0], target, log)


def measure(processes: list[subprocess.Popen[bytes]], target: load.Target, connections: int, seconds: float) -> Run:
    """Wake them, ask, let them sleep again."""
    for each in processes:
        load.wake(each)
    before, began = [load.busy(each.pid) for each in processes], time.perf_counter()
    row = load.measure(processes[0], target, connections, seconds)
    elapsed = time.perf_counter() - began
    spent = [load.busy(each.pid) - was for each, was in zip(processes, before, strict=True)]
    for each in processes:
        load.sleep(each)
    shares = tuple(round(each / elapsed, 2) for each in spent)
    return Run(len(processes), row, row.rate * seconds / sum(spent), shares)


def run(kind: str, onnx: Path, folder: Path, *, seconds: float, repeats: int) -> dict[str, list[Run]]:
    """One worker and two, in turns; with the light model also two that share the connections of one."""
    found: dict[str, list[Run]] = {}
    with gateways(1, onnx, folder / f"{kind}-one") as one, gateways(2, onnx, folder / f"{kind}-two") as two:
        kinds = {"one": (one, CALLERS), "two": (two, 2 * CALLERS)}
        if kind == "light":
            kinds["two, connections of one"] = two, CALLERS
        for (processes, target), connections in kinds.values():
            measure(processes, target, connections, 1.0)
        for repeat in range(repeats):
            for name, ((processes, target), connections) in kinds.items():
                found.setdefault(name, []).append(each := measure(processes, target, connections, seconds))
                says = f"{each.row.rate:,.0f}/s, {each.per_processor_second:,.0f} per processor second, {each.shares}"
                print(f"{kind} {name}, run {repeat + 1}: {says}", file=sys.stderr, flush=True)
    return found


def gates(kind: str, runs: dict[str, list[Run]], row_us: float) -> list[dict[str, Any]]:
    """What is promised of a model of that kind."""
    pairs = list(zip(runs["two"], runs["one"], strict=True))
    if kind == "heavy":
        faster = statistics.median(two.row.rate / one.row.rate for two, one in pairs)
        wrk = statistics.median(two.row.generator_share for two, _ in pairs)
        return [
            report.at_least("heavy: two workers / one", faster, FASTER),
            report.at_least("heavy: microseconds of processor time a row", row_us, HEAVY_US),
            report.at_most("heavy: wrk's share of a core, at most", wrk, GENERATOR),
        ]
    cheap = statistics.median(two.per_processor_second / one.per_processor_second for two, one in pairs)
    return [report.at_least("light: requests per second of the gateways' processor time, two / one", cheap, AS_CHEAP)]


def lines(kind: str, runs: dict[str, list[Run]], row_us: float) -> list[dict[str, Any]]:
    """The rows of the report."""
    found = []
    for name, each in runs.items():
        middle = statistics.median(run.per_processor_second for run in each)
        names = {"model": kind, "row_us": round(row_us, 1), "workers": name, "per_processor_s": round(middle)}
        row = report.line(names, [run.row for run in each])
        shares = [statistics.median(run.shares[place] for run in each) for place in range(each[0].workers)]
        found.append({**row, "server_share": " + ".join(f"{share:.2f}" for share in shares)})
    return found


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Both models, one after the other."""
    seconds, repeats = (2.0, 3) if chosen.quick else (4.0, 9)
    rows: report.Rows = []
    found: list[report.Gate] = []
    for kind in ("heavy", "light"):
        onnx = models.heavy(folder) if kind == "heavy" else models.build("logistic", folder)[0]
        row_us = models.row_us(onnx)
        runs = run(kind, onnx, folder, seconds=seconds, repeats=repeats)
        rows += lines(kind, runs, row_us)
        found += gates(kind, runs, row_us)
    return rows, found


def main() -> int:
    """See the module."""
    return report.run("workers", __doc__, findings, quick="three short runs each", libraries=_LIBRARIES, cores=2)


if __name__ == "__main__":
    sys.exit(main())
