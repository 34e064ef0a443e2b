"""What a second gateway process adds: `python -m benchmarks.workers [--quick]`.

Both processes answer on one port; the first has the first core, the second the last, which it shares with wrk. With a
model of several hundred microseconds a row wrk needs next to nothing, and rates are compared.

With a light one wrk takes as much as a gateway does, so what is compared is requests per second of processor time of
the gateways. On two cores wrk cannot keep two of them busy: each is asked less than one alone would be, hears fewer
requests in a turn, and pays more for each. So the ratio that counts is at the same load for each worker: an open loop
(`openloop.py`) asks one for a share of what it can do, and two for twice as much. How it is with as many requests as
wrk can make is told beside it, and what a second worker costs by itself by another ratio: to two gateways apart, each
with a port, a home and a wrk of its own, at the same time on the same cores. The rows that shared a call of the model
are a column of the report.

Every worker has a wrk with 64 connections. All take turns, every other time in the opposite order; medians of the
ratios within one repeat. Writes ``workers.json`` and ``workers.md``; exit code 1 when a promise was missed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import listening

from benchmarks import load, models, openloop, report
from headgate.gateway.metrics.slab import read_slab

CALLERS: Final = 64
"""Connections for each worker."""
FASTER: Final = 1.7
AS_CHEAP: Final = 0.9
HEAVY_US: Final = 200.0
SAME_LOAD: Final = 0.3
"""Of what one worker can do, asked of each when their cost is compared: the generator keeps up with two then."""
EVENLY: Final = ", the same load"
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
    rows_per_call: float
    """How many requests shared a call of the model."""


@dataclass(frozen=True)
class Group:
    """Gateways that are measured together."""

    processes: tuple[subprocess.Popen[bytes], ...]
    targets: tuple[load.Target, ...]
    """What is asked of them, by one wrk each; the first one by an open loop."""
    homes: tuple[Path, ...]

    def beside(self, other: "Group") -> "Group":
        """Both of them at once."""
        return Group(self.processes + other.processes, self.targets + other.targets, self.homes + other.homes)

    def counted(self) -> tuple[float, float]:
        """Rows they answered so far, and in how many calls of the model."""
        cells = [
            (sample.key[1], sample.value)
            for home in self.homes
            for slab in (home / "metrics").iterdir()
            for sample in read_slab(slab)
            if sample.key[0] == "headgate_batch_size"
        ]
        rows = sum(value for suffix, value in cells if suffix == "sum")
        return rows, sum(value for _, value in cells) - rows


@contextmanager
def gateways(count: int, onnx: Path, home: Path, first: int = 0) -> Iterator[Group]:
    """So many on one port, asked by as many wrks, each on a core of its own from the `first` on; asleep."""
    digest, log = models.package(onnx, home / "packages"), home / "log"
    target = load.Target(load.free_port(), _PATH, models.body())
    cores = sorted(os.sched_getaffinity(0))
    found: list[subprocess.Popen[bytes]] = []
    try:
        for index in range(count):
            words = load.python("headgate_server.py", home, digest, target.port, "buffered", "--index", index)
            pinned = load.pinned_to(cores[(first + index) % len(cores)], words)
            with log.open("ab") as out:
                found.append(subprocess.Popen(pinned, stdout=out, stderr=out))
        _wait(found, target, log)
        for each in found:
            load.sleep(each)
        yield Group(tuple(found), (target,) * count, (home,))
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


Ask = Callable[[Group, float], load.Row]
"""Asks a group for so many seconds."""


def as_many_as_can_be(group: Group, seconds: float) -> load.Row:
    """By a wrk for each worker."""
    with ThreadPoolExecutor(len(group.targets)) as wrks:
        asked = wrks.map(lambda target: load.measure_all((), target, CALLERS, seconds), group.targets)
        return load.together(list(asked))


def evenly(rate: float, folder: Path) -> Ask:
    """By an open loop, `rate` requests a second for each worker; raises RuntimeError where one was not answered."""

    def ask(group: Group, seconds: float) -> load.Row:
        workers = len(group.processes)
        found = openloop.offer(group.targets[0], rate * workers, seconds, CALLERS * workers, folder)
        if failed := len(found.status) - found.statuses.get(200, 0):
            raise RuntimeError(f"{failed} of {len(found.status)} requests were not answered")
        times = found.p50_ms(), found.p99_ms()
        return load.Row(found.goodput, *times, 0, 0.0, found.generator_share)

    return ask


def measure(group: Group, ask: Ask, seconds: float) -> Run:
    """Wake them, ask, let them sleep again."""
    processes = group.processes
    for each in processes:
        load.wake(each)
    counted, before, began = group.counted(), [load.busy(each.pid) for each in processes], time.perf_counter()
    row = ask(group, seconds)
    elapsed = time.perf_counter() - began
    spent = [load.busy(each.pid) - was for each, was in zip(processes, before, strict=True)]
    for each in processes:
        load.sleep(each)
    rows, calls = (now - was for now, was in zip(group.counted(), counted, strict=True))
    shares = tuple(round(each / elapsed, 2) for each in spent)
    row = replace(row, server_share=sum(spent) / elapsed)
    return Run(len(processes), row, row.rate * seconds / sum(spent), shares, rows / calls)


def run(kind: str, onnx: Path, folder: Path, *, seconds: float, repeats: int) -> dict[str, list[Run]]:
    """One worker and two, in turns; with the light model also at the same load, and two gateways apart."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(gateways(n, onnx, folder / f"{kind}-{n}")) for n in (1, 2))
        groups: dict[str, tuple[Group, Ask]] = {"one": (one, as_many_as_can_be), "two": (two, as_many_as_can_be)}
        most, _ = [measure(*each, 1.0) for each in groups.values()]
        if kind == "light":
            other = stack.enter_context(gateways(1, onnx, folder / f"{kind}-other", first=1))
            ask = evenly(most.row.rate * SAME_LOAD, folder)
            groups |= {"two apart": (one.beside(other), as_many_as_can_be)}
            groups |= {f"one{EVENLY}": (one, ask), f"two{EVENLY}": (two, ask)}
        found: dict[str, list[Run]] = {name: [] for name in groups}
        for repeat in range(repeats):
            for name in (list(groups), list(reversed(groups)))[repeat % 2]:
                found[name].append(each := measure(*groups[name], seconds))
                says = f"{each.row.rate:,.0f}/s, {each.per_processor_second:,.0f} per processor second, {each.shares}"
                print(f"{kind} {name}, run {repeat + 1}: {says}", file=sys.stderr, flush=True)
    return found


def gates(kind: str, runs: dict[str, list[Run]], row_us: float) -> list[dict[str, Any]]:
    """What is promised of a model of that kind."""
    if kind == "heavy":
        pairs = list(zip(runs["two"], runs["one"], strict=True))
        faster = statistics.median(two.row.rate / one.row.rate for two, one in pairs)
        wrk = statistics.median(two.row.generator_share for two, _ in pairs)
        return [
            report.at_least("heavy: two workers / one", faster, FASTER),
            report.at_least("heavy: microseconds of processor time a row", row_us, HEAVY_US),
            report.at_most("heavy: wrk's share of a core, at most", wrk, GENERATOR),
        ]
    says = "requests per second of the gateways' processor time, two"
    same = as_cheap(runs[f"two{EVENLY}"], runs[f"one{EVENLY}"])
    return [
        report.at_least(f"light, the same load for each: {says} / one", same, AS_CHEAP),
        report.at_least(f"light, in company: {says} / two apart", as_cheap(runs["two"], runs["two apart"]), AS_CHEAP),
    ]


def as_cheap(runs: list[Run], others: list[Run]) -> float:
    """Requests per second of processor time over those of others."""
    pairs = zip(runs, others, strict=True)
    return statistics.median(one.per_processor_second / other.per_processor_second for one, other in pairs)


def lines(kind: str, runs: dict[str, list[Run]], row_us: float) -> list[dict[str, Any]]:
    """The rows of the report."""
    found = []
    for name, each in runs.items():
        middle = statistics.median(run.per_processor_second for run in each)
        names = {"model": kind, "row_us": round(row_us, 1), "workers": name, "per_processor_s": round(middle)}
        names["rows_per_call"] = round(statistics.median(run.rows_per_call for run in each), 1)
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
