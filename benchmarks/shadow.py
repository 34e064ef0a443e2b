"""What shadows cost callers: `python -m benchmarks.shadow [--quick]`.

One gateway answers an open loop at 30 % of what it can do, acks buffered, in stretches that take turns between two
endpoints of the same model: one has a shadow for every row, the other none. Each is longer than the time between two
sealings of the journal: shorter ones would mostly tell which of a pair met one. Each pair of stretches gives one ratio
of p99; what is promised is the upper end of a 90 % interval of their mean, on the scale of logarithms. Where requests
leave late although there is no shadow something else has the processor, and the figures say nothing of shadows. Writes
``shadow.json`` and ``shadow.md``; exit code 1 when a promise was missed.
"""

import argparse
import math
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.openloop import PUNCTUAL_MS
from scipy import stats

from benchmarks import load, models, openloop, report
from headgate.testing.installation import Installation

CONNECTIONS: Final = 64
CALLERS: Final = 64
SHARE: Final = 0.3
"""Of the gateway's capacity that is offered."""
CONFIDENCE: Final = 0.9
SLOWER: Final = 1.15
EXECUTED: Final = 0.99
STRETCH_S: Final = 12.0
_LIBRARIES: Final = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy")


@dataclass(frozen=True)
class Found:
    """What was measured."""

    capacity: load.Row
    pairs: list[tuple[openloop.Offered, openloop.Offered]]
    """Without a shadow, and with one."""
    answered: int
    """Rows of callers of the endpoint that has a shadow."""
    shadowed: int
    """Rows its shadow answered."""


def measure(folder: Path, pairs: int) -> Found:
    """One installation from its start to its end."""
    with Installation(folder / "home", ack="buffered") as installation:
        versions = [models.kept(installation, "boosting", folder, seed) for seed in range(2)]
        for name in ("alone", "shadowed"):
            installation.serve(name, {versions[0]: 1.0})
        installation.start()
        with installation.open() as hg:
            plan = f"endpoint: shadowed\ncandidate: {versions[1]}\nsteps: [shadow: 100%, approve]\nguards: []\n"
            hg.deploy(plan, force=True)
        installation.settled()
        targets = [
            load.Target(installation.port, f"/v1/endpoints/{name}/predict", models.body())
            for name in ("alone", "shadowed")
        ]
        gateway = installation.processes()["gateway 0"]
        load.measure_all([gateway], targets[0], CALLERS, 2.0)
        capacity = load.measure_all([gateway], targets[0], CALLERS, 3.0)
        rate = capacity.rate * SHARE
        print(f"capacity {capacity.rate:,.0f}/s", file=sys.stderr, flush=True)
        openloop.offer(targets[1], rate, 2.0, CONNECTIONS, folder)
        found = []
        for place in range(pairs):
            order = targets if place % 2 == 0 else targets[::-1]
            first, second = (openloop.offer(each, rate, STRETCH_S, CONNECTIONS, folder) for each in order)
            found.append((first, second) if place % 2 == 0 else (second, first))
        time.sleep(1.0)
        counts = (
            installation.metric("headgate_predictions_total"),
            installation.metric("headgate_shadow_predictions_total"),
        )
        answered, shadowed = (
            round(sum(value for labels, value in each.items() if 'endpoint="shadowed"' in labels)) for each in counts
        )
        return Found(capacity, found, answered, shadowed)


def upper_bound(ratios: list[float]) -> float:
    """The upper end of a two-sided interval of the mean ratio, by Student's t on logarithms.

    >>> round(upper_bound([1.0, 1.1, 0.9, 1.05]), 2)
    1.11
    """
    logs = [math.log(each) for each in ratios]
    spread = statistics.stdev(logs) / math.sqrt(len(logs))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(logs) - 1))
    return math.exp(statistics.mean(logs) + reach * spread)


def gates(found: Found) -> list[dict[str, Any]]:
    """What is promised."""
    ratios = [with_.p99_ms() / without.p99_ms() for without, with_ in found.pairs]
    failed = sum(
        count for pair in found.pairs for each in pair for status, count in each.statuses.items() if status != 200
    )
    late = statistics.median(without.late_ms for without, _ in found.pairs)
    return [
        report.at_most("requests that were not answered, at most", failed, 0),
        report.at_most(
            "p99 with a shadow / without, upper end of a 90 % interval, at most", upper_bound(ratios), SLOWER
        ),
        report.at_least("share of the live version's rows the shadow answered, at least", _executed(found), EXECUTED),
        report.at_most(
            "ms by which requests left late without a shadow, the median stretch, at most", late, PUNCTUAL_MS
        ),
    ]


def _executed(found: Found) -> float:
    return found.shadowed / found.answered if found.answered else 0.0


def rows(found: Found) -> list[dict[str, Any]]:
    """The lines of the report: the stretch in the middle of each kind."""
    lines = []
    for place, name in enumerate(("without a shadow", "with a shadow")):
        ordered = sorted((pair[place] for pair in found.pairs), key=lambda each: each.p99_ms())
        middle = ordered[len(ordered) // 2]
        more = {"capacity_per_s": round(found.capacity.rate), "stretches": len(ordered)}
        lines.append(openloop.row(name, middle, **more, executed=round(_executed(found), 4) if place else ""))
    return lines


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Stretches in pairs."""
    found = measure(folder.resolve(), 4 if chosen.quick else 12)
    return rows(found), gates(found)


def main() -> int:
    """See the module."""
    return report.run("shadow", __doc__, findings, quick="four pairs of stretches", libraries=_LIBRARIES)


if __name__ == "__main__":
    sys.exit(main())
