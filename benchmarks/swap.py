"""Versions that come and go while callers ask: `python -m benchmarks.swap [--quick]`.

``headgate up`` with two workers answers an open loop at half of what it can do, measured just before with wrk on the
same cores; acks buffered. Versions of a boosted model take turns: each is published, loaded by the workers and obeyed,
and p99 from the moment it is published until half a second after the last worker obeys is compared with that of the
quiet second before. Then fifty more are swapped, and the resident memory of each gateway is compared. Writes
``swap.json`` and ``swap.md``; exit code 1 when a promise was missed.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from benchmarks import load, models, openloop, report
from headgate.store.reports import FileReports
from headgate.testing.installation import Installation

WORKERS: Final = 2
CONNECTIONS: Final = 256
CALLERS: Final = 64
VERSIONS: Final = 4
SLOWER: Final = 2.0
GROWN: Final = 1.10
RELOADS: Final = 50
QUIET_S: Final = 1.0
AFTER_S: Final = 0.5
"""What a worker that has obeyed still has to do: give the old version back."""
_LIBRARIES: Final = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy")


@dataclass(frozen=True)
class Swap:
    """One version published beside the traffic; moments of the monotonic clock."""

    quiet_from: float
    published: float
    obeyed: float


@dataclass(frozen=True)
class Found:
    """What was measured."""

    capacity: load.Row
    swaps: list[Swap]
    offered: openloop.Offered
    """While those swaps were made."""
    reloading: openloop.Offered
    """While the fifty were made."""
    resident_mb: list[tuple[float, float]]
    """Of each gateway, before those and after."""


class Served:
    """An installation whose endpoint ``e`` is answered by one of several versions in turn."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.installation = installation
        self._reports = FileReports(installation.home.run / "workers")
        self._versions = cycle([models.kept(installation, "boosting", folder, seed) for seed in range(VERSIONS)])
        installation.serve("e", {next(self._versions): 1.0})

    def swap(self, quiet_from: float = 0.0) -> Swap:
        """Publish the next version and wait until every worker obeys."""
        published = time.monotonic()
        revision = self.installation.serve("e", {next(self._versions): 1.0})
        self.installation.until(lambda: self._obeyed() == [revision] * WORKERS, "every worker obeys")
        return Swap(quiet_from, published, time.monotonic())

    def _obeyed(self) -> list[int]:
        return [each.get("default/e", 0) for each in self._reports.obeyed().values()]

    def gateways(self) -> list[int]:
        """The process ids of its gateways, in order."""
        return [pid for name, pid in sorted(self.installation.processes().items()) if name.startswith("gateway")]


def measure(folder: Path, *, swaps: int, reloads: int) -> Found:
    """One installation from its start to its end."""
    with Installation(folder / "home", workers=WORKERS, ack="buffered") as installation:
        served = Served(installation, folder)
        installation.start()
        target = load.Target(installation.port, "/v1/endpoints/e/predict", models.body())
        first = load.measure_all(served.gateways(), target, CALLERS, 2.0)
        capacity = load.measure_all(served.gateways(), target, CALLERS, 3.0)
        print(f"capacity {first.rate:,.0f}/s, then {capacity.rate:,.0f}/s", file=sys.stderr, flush=True)
        for _ in range(VERSIONS):
            served.swap()  # what is imported and allocated once
        seconds = swaps * (QUIET_S + AFTER_S + 1.0) + 2.0
        with openloop.Offer(target, capacity.rate / 2, seconds, CONNECTIONS, folder) as generator:
            made = list(_swaps(served, generator, swaps))
            offered = generator.outcome()
        before = _resident(served)
        with openloop.Offer(target, capacity.rate / 2, reloads * 0.6, CONNECTIONS, folder) as generator:
            for _ in range(reloads):
                served.swap()
            reloading = generator.outcome()
        time.sleep(QUIET_S)
        return Found(capacity, made, offered, reloading, list(zip(before, _resident(served), strict=True)))


def _swaps(served: Served, generator: openloop.Offer, count: int) -> Iterator[Swap]:
    time.sleep(QUIET_S)  # connections are made, the first requests are out
    for _ in range(count):
        quiet_from = time.monotonic()
        time.sleep(QUIET_S)
        if not generator.running:
            return
        yield served.swap(quiet_from)
        time.sleep(AFTER_S)


def _resident(served: Served) -> list[float]:
    return [load.resident_kb(pid) / 1024 for pid in served.gateways()]


def slowed(found: Found) -> list[tuple[float, float]]:
    """p99 in ms of the quiet second before each swap, and of the swap, as far as requests were due all the while."""
    last = found.offered.due[-1]
    whole = [each for each in found.swaps if each.obeyed + AFTER_S <= last]
    quiet = [found.offered.p99_ms(each.quiet_from, each.published) for each in whole]
    return list(
        zip(quiet, [found.offered.p99_ms(each.published, each.obeyed + AFTER_S) for each in whole], strict=True)
    )


def gates(found: Found, reloads: int) -> list[dict[str, Any]]:
    """What is promised."""
    pairs = slowed(found)
    slower = statistics.median(during / quiet for quiet, during in pairs) if pairs else float("inf")
    failed = sum(
        count for part in (found.offered, found.reloading) for status, count in part.statuses.items() if status != 200
    )
    grown = max(after / before for before, after in found.resident_mb)
    return [
        report.at_most("requests that were not answered while versions came and went, at most", failed, 0),
        report.at_most("p99 around a swap / p99 of the quiet second before, at most", slower, SLOWER),
        report.at_most(f"resident memory of a gateway after {reloads} reloads / before, at most", grown, GROWN),
    ]


def rows(found: Found, reloads: int) -> list[dict[str, Any]]:
    """The lines of the report."""
    pairs = slowed(found)
    quiet, during = ([pair[place] for pair in pairs] for place in (0, 1))
    return [
        openloop.row(
            "swaps",
            found.offered,
            capacity_per_s=round(found.capacity.rate),
            swaps=len(pairs),
            quiet_p99_ms=" ".join(f"{each:.1f}" for each in quiet),
            swap_p99_ms=" ".join(f"{each:.1f}" for each in during),
            swap_s=" ".join(f"{each.obeyed - each.published:.2f}" for each in found.swaps[:3]),
            resident_mb="",
        ),
        openloop.row(
            "reloads",
            found.reloading,
            capacity_per_s=round(found.capacity.rate),
            swaps=reloads,
            quiet_p99_ms="",
            swap_p99_ms="",
            swap_s="",
            resident_mb=", ".join(f"{before:.1f} to {after:.1f}" for before, after in found.resident_mb),
        ),
    ]


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Swaps, then reloads."""
    swaps, reloads = (5, 15) if chosen.quick else (20, RELOADS)
    found = measure(folder.resolve(), swaps=swaps, reloads=reloads)
    return rows(found, reloads), gates(found, reloads)


def main() -> int:
    """See the module."""
    return report.run("swap", __doc__, findings, quick="five swaps and fifteen reloads", libraries=_LIBRARIES)


if __name__ == "__main__":
    sys.exit(main())
