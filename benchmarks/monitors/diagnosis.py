"""Whether the right drift is named, and the true split covered: `python -m benchmarks.monitors.diagnosis [--quick]`.

Windows of 5,000 rows with shifts of 0, 0.25, 0.5 and 1 standard deviation and changed relations that cost 0, 2, 5 and
10 points of accuracy, in every combination; then series of days whose change began at a known moment. Seeds are fixed,
unless `--seed` draws others. Writes ``diagnosis.json`` and ``diagnosis.md``; exit code 1 when a gate is missed.
`--quick` runs eight cells.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from benchmarks.monitors import series
from benchmarks.monitors.planted import ROWS, Drifted, draw, truth
from benchmarks.monitors.series import COVERED, NAMED, most_lacking

from benchmarks import machine, report
from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.attribute import Attribution, attributions

SHIFTS, POINTS = (0.0, 0.25, 0.5, 1.0), (0.0, 2.0, 5.0, 10.0)
METRICS: Final = ("accuracy", "log_loss", "auc")
PARTS: Final = ("drop", "data", "concept", "unshared")
RUNS, QUICK_RUNS = 20, 5
SERIES, QUICK_SERIES = 100, 10
QUICK: Final = (*itertools.product((0.0, 0.5), (0.0, 5.0)), (1.0, 0.0), (1.0, 10.0), (0.0, 10.0), (0.25, 2.0))
KINDS: Final = ("none", "data", "concept", "both", "undecided")
SECONDS, QUICK_SECONDS = 120, 20
ONE_S: Final = 1.0
"""A comparison of two windows, one metric, on one core."""

TITLES: Final = {
    "named": "What is named, by the shift in deviations and the points that the changed relation costs",
    "covered": "Intervals of 95 % against the true split",
    "courses": "Courses and beginnings of a share that is measured on 500 rows a day, for 60 days",
}


@dataclass(frozen=True)
class Run:
    """What was said of one pair of windows, by metric."""

    world: Drifted
    found: dict[str, Attribution]

    def is_right(self, metric: str) -> bool:
        """Whether the right kind is named."""
        return self.found[metric].drift == self.world.kind

    def covers(self, metric: str, part: str) -> bool:
        """Whether the interval of a part holds the truth; one without a value does not."""
        figure: Estimate = getattr(self.found[metric], part)
        wanted: float = getattr(truth(self.world, metric), part)
        # Where every row drawn has a counterpart this part is said to be zero, and the truth is next to nothing.
        slack = 5e-4 if part == "unshared" else 0.0
        if figure.low is None or figure.high is None:
            return False
        return figure.low - slack <= wanted <= figure.high + slack


def is_promised(world: Drifted) -> bool:
    """Whether the kind must be right: no drift, or every drift there is has half a deviation or five points."""
    return (world.shift == 0 or world.shift >= 0.5) and (world.points == 0 or world.points >= 5)


def runs(cells: list[Drifted], count: int, seed: int) -> list[Run]:
    """So many runs of every cell, each from a seed of its own."""
    found = []
    for place, world in enumerate(cells):
        for turn in range(count):
            random = np.random.default_rng([seed, place, turn])
            reference, current = draw(world, ROWS, random)
            found.append(Run(world, attributions(reference, current, METRICS, seed=turn)))
    return found


def named(made: list[Run]) -> report.Rows:
    """How often each kind is named, by cell, for the accuracy; and the right one for every metric."""
    rows = []
    for world, each in itertools.groupby(made, key=lambda run: run.world):
        own = list(each)
        said = [run.found["accuracy"].drift.value for run in own]
        shares = {kind: round(said.count(kind) / len(said), 3) for kind in KINDS}
        right = {f"right by {name}": share([run.is_right(name) for run in own]) for name in METRICS}
        rows.append({"shift": world.shift, "points": world.points, **shares, **right, "runs": len(own)})
    return rows


def covered(made: list[Run]) -> report.Rows:
    """How often intervals of 95 % hold the truth, by metric and part, and how wide and how far off they are."""
    rows = []
    for name, part in itertools.product(METRICS, PARTS):
        pairs = [(getattr(run.found[name], part), getattr(truth(run.world, name), part)) for run in made]
        told = [(each, wanted) for each, wanted in pairs if each.high is not None]
        errors = [each.value - wanted for each, wanted in told]
        rows.append(
            {
                "metric": name,
                "part": part,
                "covered": share([run.covers(name, part) for run in made]),
                "bias": round(float(np.mean(errors)), 5),
                "error": round(float(np.std(errors)), 5),
                "half_width": round(float(np.mean([(each.high - each.low) / 2 for each, _ in told])), 5),
                "without": len(pairs) - len(told),
                "runs": len(made),
            }
        )
    return rows


def share(hits: list[bool]) -> float:
    """The share of true ones."""
    return round(sum(hits) / len(hits), 4)


def gates(made: list[Run]) -> Iterator[report.Gate]:
    """What is promised: kinds from half a deviation or five points on, and coverage, each less three errors."""
    promised = [run for run in made if is_promised(run.world)]
    for name in METRICS:
        value = share([run.is_right(name) for run in promised])
        yield report.at_least(f"{name}: right kind named from 0.5 deviations or 5 points on, at least", value, NAMED)
        worst = min(share([run.is_right(name) for run in own]) for own in by_cell(promised))
        slack = most_lacking(NAMED, len(next(by_cell(promised))))
        yield report.at_least(f"{name}: the same in the worst cell, less three standard errors, at least", worst, slack)
        for part in PARTS:
            value = share([run.covers(name, part) for run in made])
            yield report.at_least(f"{name}: intervals of 95 % that hold the true {part}, at least", value, COVERED)


def by_cell(made: list[Run]) -> Iterator[list[Run]]:
    """The runs of each cell."""
    return (list(each) for _, each in itertools.groupby(made, key=lambda run: run.world))


def seconds() -> float:
    """Processor time of one comparison, both drifts there, one metric; the median of five."""
    reference, current = draw(Drifted(0.5, 5.0), ROWS, np.random.default_rng(0))
    times = []
    for _ in range(5):
        begun = time.process_time()
        attributions(reference, current, ["accuracy"])
        times.append(time.process_time() - begun)
    return float(np.median(times))


def cells(*, quick: bool) -> list[Drifted]:
    """The grid, or eight cells of it."""
    return [Drifted(*each) for each in (QUICK if quick else itertools.product(SHIFTS, POINTS))]


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="eight cells, five runs each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, help="runs of every cell")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    made = runs(cells(quick=chosen.quick), chosen.runs or (QUICK_RUNS if chosen.quick else RUNS), chosen.seed)
    courses = list(series.lines(QUICK_SERIES if chosen.quick else SERIES, chosen.seed))
    found = {"named": named(made), "covered": covered(made), "courses": courses}
    promised = [*gates(made), *series.gates(courses)]
    promised.append(report.at_most("processor seconds of one comparison of 5,000 rows, at most", seconds(), ONE_S))
    limit = QUICK_SECONDS if chosen.quick else SECONDS
    if chosen.runs is None:
        whole_s = time.process_time() - begun
        promised.append(report.at_most("processor seconds for all of it, at most", whole_s, limit))
    facts = machine.facts(chosen.out, ("headgate", "numpy", "scipy"))
    whole = {"machine": facts, "quick": chosen.quick, "seed": chosen.seed, "tables": found, "gates": promised}
    (chosen.out / "diagnosis.json").write_text(json.dumps(whole, indent=1) + "\n")
    lines = [line for name, rows in found.items() for line in (f"### {TITLES[name]}", "", *report.table(rows), "")]
    said = "\n".join([*lines, "### Gates", "", *report.ending(promised, facts)]) + "\n"
    (chosen.out / "diagnosis.md").write_text(said)
    print(said)
    return 0 if all(each["ok"] for each in promised) else 1


if __name__ == "__main__":
    sys.exit(main())
