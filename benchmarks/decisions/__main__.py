"""How rollouts would be decided, in simulated traffic whose truth is known: `python -m benchmarks.decisions [--quick]`.

A look at every interval, seeds fixed, means censored at the horizon. Cells without a true difference are run most:
there a rule must not roll back more often than it says. Writes ``decisions.json`` and ``decisions.md``; exit code 1
when a gate is missed. `--quick` runs twenty cells.
"""

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks.decisions import latency, paired
from benchmarks.decisions.rules import ALPHA, RULES, allocation, figures
from benchmarks.decisions.worlds import World, draw

from benchmarks import machine, report
from headgate.evidence.allocation import AllocationTest

NULL_RUNS, RUNS = 2000, 500
STICKY_NULL_RUNS, STICKY_RUNS = 400, 100
LATENCY_RUNS: Final = 100
RATES, RATIOS, SHARES = (0.005, 0.05, 0.3), (0.8, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0, 5.0), (0.01, 0.1, 0.5, None)
DIFFERENCES: Final = (-0.02, -0.01, 0.0, 0.01, 0.02, 0.04)
SHOWN: Final = (
    World(0.05, 1.0, 0.1),
    World(0.05, 1.0, 0.1, drifts=True),
    World(0.05, 1.5, 0.1),
    World(0.05, 2.0, 0.1),
    World(0.005, 5.0, 0.1),
)
"""Cells in which every rule is run, for the table."""
USERS: Final = 200
EVENTS: Final = 1_000_000
SECONDS, QUICK_SECONDS = 300, 30
TITLES: Final = {
    "rules": "Every rule, where the candidate has 10 % of the traffic",
    "splits": "Headgate, split traffic",
    "sticky": "Headgate, sticky users: all errors are no evidence, the first of each user is",
    "pairs": "Headgate, shadow mode",
    "latency": "Headgate, latency",
}


def worlds() -> Iterator[World]:
    """The grid of splits: every rate, ratio, share and weather; sticky users mostly where a rollback is wrong."""
    for rate, ratio, share, drifts in itertools.product(RATES, RATIOS, SHARES, (False, True)):
        if ratio != 5.0 or rate == 0.005:
            yield World(rate, ratio, share, drifts)
    for rate, share, drifts in itertools.product(RATES, (0.1, 0.5, None), (False, True)):
        yield World(rate, 1.0, share, drifts, users=USERS)
    for ratio, share in itertools.product((1.5, 2.0), (0.1, 0.5, None)):
        yield World(0.05, ratio, share, users=USERS)


def runs_of(world: World) -> int:
    """Most where a rollback is wrong: that is rare, and how rare is what is promised."""
    null, other = (NULL_RUNS, RUNS) if world.users is None else (STICKY_NULL_RUNS, STICKY_RUNS)
    return null if world.is_null else other


def splits(chosen: list[World]) -> Iterator[dict[str, Any]]:
    """Our rule in every cell."""
    for place, world in enumerate(chosen):
        seen = draw(world, runs_of(world), np.random.default_rng(place))
        yield {**world.names(), "null": world.is_null, **figures(world, seen, allocation(world, seen))}


def compared() -> Iterator[dict[str, Any]]:
    """Every rule in the cells that are shown."""
    for place, world in enumerate(SHOWN):
        seen = draw(world, NULL_RUNS, np.random.default_rng(1000 + place))
        for name, rule in RULES.items():
            yield {"rule": name, **world.names(), **figures(world, seen, rule(world, seen))}


def stuck() -> Iterator[dict[str, Any]]:
    """Callers who keep their version: all their errors as evidence, and the first of each alone."""
    for place, share in enumerate((0.1, 0.5)):
        world = World(0.05, 1.0, share, users=USERS)
        seen = draw(world, STICKY_NULL_RUNS, np.random.default_rng(5000 + place))
        for counts, found in (("all", replace(seen, counted=seen.errors)), ("the first of each user", seen)):
            yield {"errors counted": counts, **world.names(), **figures(world, found, allocation(world, found))}


def pairs() -> Iterator[dict[str, Any]]:
    """Shadow mode, by how much worse the candidate is and how its labels come."""
    for place, (worse, delay) in enumerate(itertools.product(DIFFERENCES, paired.DELAYS)):
        runs = NULL_RUNS if worse == 0 else RUNS
        counts = paired.draw(paired.Pairs(worse, delay), runs, np.random.default_rng(2000 + place))
        yield {"worse": worse, "delay": delay, "runs": runs, **paired.judged(counts)}


def latencies() -> Iterator[dict[str, Any]]:
    """Latency, with and without a load that swings."""
    for place, world in enumerate(latency.CELLS):
        found = latency.judged(world, LATENCY_RUNS, np.random.default_rng(3000 + place))
        yield {"latency": world.name, "swings": "yes" if world.swings else "no", **found}


def update_seconds() -> float:
    """How long a million events take to become evidence, at a share that changes all the time."""
    random = np.random.default_rng(4000)
    shares = random.uniform(0.01, 0.5, EVENTS)
    ours, test = random.random(EVENTS) < shares, AllocationTest.worse()
    begun = time.perf_counter()
    test.update(test.start(), ours, shares)
    return time.perf_counter() - begun


def most_wrong(alpha: float, runs: int) -> float:
    """How often a rule that keeps `alpha` is seen to be wrong in `runs` runs, three standard errors included."""
    return alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


def null_gate(rows: report.Rows, column: str, alpha: float, what: str) -> report.Gate:
    """The cell nearest to what it may not exceed, as a share of that."""
    nearest = max(each[column] / most_wrong(alpha, each["runs"]) for each in rows)
    return report.at_most(f"{what}: most wrong decisions / what alpha allows, at most", nearest, 1.0)


def one(rows: report.Rows, **named: Any) -> dict[str, Any]:
    """The row of these names."""
    return next(each for each in rows if all(each[name] == value for name, value in named.items()))


def gates(found: dict[str, report.Rows]) -> Iterator[report.Gate]:
    """What is promised of these tables; of those that were not made, nothing."""
    yield from split_gates(found["splits"])
    if "pairs" in found:
        yield from pair_gates(found["pairs"])
    if "latency" in found:
        same = [each for each in found["latency"] if each["latency"] == latency.SAME]
        yield null_gate(same, "rolled_back", ALPHA, "latency")


def split_gates(rows: report.Rows) -> Iterator[report.Gate]:
    """Of splits: never wrong too often, and quick where something is wrong."""
    for what, is_sticky in (("splits", False), ("sticky users", True)):
        null = [each for each in rows if each["null"] and (each["routing"] != "per request") is is_sticky]
        yield null_gate(null, "rolled_back", ALPHA, what)
    calm: dict[str, Any] = {"rate": "5.0%", "drift": "no", "routing": "per request"}
    for share, most in (("10%", 13_500), ("50%", 5_200)):
        found = one(rows, ratio=1.5, share=share, **calm)
        says = f"requests until 1.5 x is found at {share}, in {found['rolled_back']:.1%} of the runs, at most"
        yield report.at_most(says, found["requests"], most)
    for ratio, most in ((1.5, 120), (4.0, 15)):
        found = one(rows, ratio=ratio, share="ramp", **calm)
        says = f"errors served by a candidate of {ratio:g} x on the ramp, found in {found['rolled_back']:.1%}, at most"
        yield report.at_most(says, found["errors_served"], most)
    # A candidate of 1 % meets too few errors of so rare a kind before the horizon; its rows in the table say how often.
    rare = [
        each["rolled_back"] for each in rows if (each["rate"], each["ratio"]) == ("0.5%", 5.0) and each["share"] != "1%"
    ]
    says = (
        "5 x at a rate of 0.5 %, where the candidate has 10 % or more, or the ramp: share of runs in which it is found"
    )
    yield report.at_least(f"{says}, at least", min(rare), 1.0)


def pair_gates(rows: report.Rows) -> Iterator[report.Gate]:
    """Of shadows."""
    yield null_gate([each for each in rows if each["worse"] == 0], "rolled_back", ALPHA, "pairs")
    at_margin = [each for each in rows if each["worse"] >= paired.MARGIN]
    yield null_gate(at_margin, "promoted", paired.PROMOTE, "pairs, promoting")
    found = one(rows, worse=0.01, delay="none")
    says = f"labels until a candidate 1 point worse is found, in {found['rolled_back']:.1%} of the runs, at most"
    yield report.at_most(says, found["rolled_back_labels"], 10_500)


def quick_worlds() -> list[World]:
    """Twenty cells: those that gates speak of, and every kind of weather, share and routing."""
    told = [World(0.05, 1.5, 0.1), World(0.05, 1.5, 0.5), World(0.05, 1.5, None), World(0.05, 4.0, None)]
    rare = [World(0.005, 5.0, share, drifts) for share in (0.1, 0.5, None) for drifts in (False, True)]
    null = [World(0.05, 1.0, share, drifts) for share in SHARES for drifts in (False, True)]
    return [*told, *rare, *null, World(0.3, 1.0, 0.5), World(0.05, 1.0, 0.5, users=200)]


def tables(*, quick: bool) -> dict[str, report.Rows]:
    """Everything that is simulated, by name."""
    if quick:
        return {"splits": list(splits(quick_worlds()))}
    return {
        "rules": list(compared()),
        "splits": list(splits(list(worlds()))),
        "sticky": list(stuck()),
        "pairs": list(pairs()),
        "latency": list(latencies()),
    }


def markdown(found: dict[str, report.Rows], promised: list[report.Gate], facts: dict[str, Any]) -> str:
    """The tables one under the other, then the gates and the machine."""
    lines = [line for name, rows in found.items() for line in (f"### {TITLES[name]}", "", *report.table(rows), "")]
    return "\n".join([*lines, "### Gates", "", *report.ending(promised, facts)]) + "\n"


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="twenty cells of splits alone")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    found = tables(quick=chosen.quick)
    promised = list(gates(found))
    promised.append(report.at_most("seconds for a million events to become evidence, at most", update_seconds(), 1.0))
    whole_s = time.perf_counter() - begun
    promised.append(
        report.at_most("seconds for all of it, at most", whole_s, QUICK_SECONDS if chosen.quick else SECONDS)
    )
    facts = machine.facts(chosen.out, ("headgate", "numpy"))
    whole = {"machine": facts, "quick": chosen.quick, "tables": found, "gates": promised}
    (chosen.out / "decisions.json").write_text(json.dumps(whole, indent=1) + "\n")
    (chosen.out / "decisions.md").write_text(said := markdown(found, promised, facts))
    print(said)
    return 0 if all(each["ok"] for each in promised) else 1


if __name__ == "__main__":
    sys.exit(main())
