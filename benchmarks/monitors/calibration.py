"""How often rules for columns cry wolf, and see what is there: `python -m benchmarks.monitors.calibration [--quick]`.

Windows without drift for each rule that other tools use by default, and ours on the same windows; beside it
how many windows alarm that have drifted. A rule without a stated rate has no nominal one: 0.05 is what ours
keeps there. Writes ``calibration.json`` and ``calibration.md``; exit code 1 when ours alarms more often than it
says. `--quick` takes a tenth of the runs.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks.monitors import rules

from benchmarks import machine, report

RUNS: Final = 2000
SHIFTS: Final = (0.1, 0.25, 0.5)
"""In standard deviations; for categories, the share of rows that move from the first half of them to the second."""
Draw = Callable[[np.random.Generator, float], tuple[Any, Any]]


@dataclass(frozen=True)
class Case:
    """One row of the table: two rules on the same windows."""

    rule: str
    setting: str
    theirs: rules.Rule
    ours: rules.Rule
    draw: Draw
    nominal: float = rules.ALPHA
    share: float = 1.0
    """Of the runs, where one takes long."""


def numbers(rows: int, reference_rows: int, columns: int | None = None) -> Draw:
    """Normal samples, the window's first column moved by so many standard deviations."""
    width = () if columns is None else (columns,)

    def draw(random: np.random.Generator, shift: float) -> tuple[Any, Any]:
        reference, current = random.normal(size=(reference_rows, *width)), random.normal(size=(rows, *width))
        current[(..., 0) if columns else ...] += shift
        return reference, current

    return draw


def categories(count: int, rows: int, reference_rows: int) -> Draw:
    """Counts of categories that are equally frequent in the reference."""

    def draw(random: np.random.Generator, shift: float) -> tuple[Any, Any]:
        shares = np.full(count, 1 / count)
        moved = shares.copy()
        moved[: count // 2] *= 1 - shift
        moved[count - count // 2 :] *= 1 + shift
        return random.multinomial(reference_rows, shares), random.multinomial(rows, moved)

    return draw


def chunks(count: int, rows: int) -> Draw:
    """A reference in chunks, and a window as large as one of them."""

    def draw(random: np.random.Generator, shift: float) -> tuple[Any, Any]:
        return random.normal(size=(count, rows)), random.normal(shift, 1.0, rows)

    return draw


def cases() -> Iterator[Case]:
    """Every rule in the settings it was seen to alarm in."""
    for count, rows, reference_rows in ((3, 1000, 1000), (10, 1000, 1000), (10, 200, 1000), (10, 5000, 1000)):
        yield Case(
            "Evidently chi-square, p < 0.05", f"k={count}, {reference_rows}/{rows}",
            rules.evidently_chi_square, rules.our_categories, categories(count, rows, reference_rows),
        )  # fmt: skip
    for rows in (50, 100, 200, 500, 1000):
        yield Case(
            "Evidently Wasserstein >= 0.1", f"5000/{rows}",
            rules.evidently_wasserstein, rules.our_numbers, numbers(rows, 5000),
        )  # fmt: skip
    for count, rows in ((10, 100), (10, 200), (50, 200), (50, 500), (50, 1000)):
        yield Case(
            "Evidently Jensen-Shannon >= 0.1", f"k={count}, 5000/{rows}",
            rules.evidently_jensen_shannon, rules.our_categories, categories(count, rows, 5000),
        )  # fmt: skip
    yield Case(
        "NannyML Jensen-Shannon, mean + 3 sd", "10 chunks of 1000", rules.nannyml_three_sigma,
        rules.our_numbers_at_three_sigma, chunks(10, 1000), nominal=rules.THREE_SIGMA,
    )  # fmt: skip
    for rows in (50, 100, 200, 500):
        yield Case(
            "PSI > 0.1",
            f"10 deciles, {10 * rows}/{rows}",
            rules.psi_above(0.1),
            rules.our_psi,
            numbers(rows, 10 * rows),
        )
    twenty = numbers(200, 2000, columns=20)
    for name, rule in (
        ("KS p < 0.05 on any", rules.plain_ks), ("PSI > 0.1 on any", rules.psi_above(0.1)),
        ("PSI > 0.25 on any", rules.psi_above(0.25)),
    ):  # fmt: skip
        yield Case(name, "20 columns, 2000/200", rules.any_of(rule), rules.our_columns, twenty, share=0.25)


def measured(case: Case, place: int, runs: int) -> dict[str, Any]:
    """One row: shares of windows that alarm without drift, and with it."""
    row: dict[str, Any] = {"rule": case.rule, "setting": case.setting, "nominal": case.nominal}
    null_runs = max(20, round(runs * case.share))
    row["theirs"], row["ours"] = shares(case, np.random.default_rng(place), 0.0, null_runs)
    for step, shift in enumerate(SHIFTS):
        random = np.random.default_rng((place, step))
        row[f"theirs at {shift}"], row[f"ours at {shift}"] = shares(case, random, shift, max(20, null_runs // 5))
    return {**row, "runs": null_runs}


def shares(case: Case, random: np.random.Generator, shift: float, runs: int) -> tuple[float, float]:
    """How often both rules alarm on the same windows."""
    alarms = np.zeros(2)
    for _ in range(runs):
        samples = case.draw(random, shift)
        alarms += (case.theirs(*samples), case.ours(*samples))
    theirs, ours = np.round(alarms / runs, 4).tolist()
    return theirs, ours


def gates(rows: report.Rows) -> Iterator[report.Gate]:
    """Ours at or under nominal everywhere, three standard errors of the runs allowed."""
    for row in rows:
        says = f"{row['rule']}, {row['setting']}: our false alarms / what chance makes of the nominal rate, at most"
        yield report.at_most(says, row["ours"] / rules.with_chance(row["nominal"], row["runs"]), 1.0)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs, for development")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    runs = RUNS // 10 if chosen.quick else RUNS
    rows = [measured(case, place, runs) for place, case in enumerate(cases())]
    facts = machine.facts(chosen.out, ("headgate", "numpy", "scipy"))
    whole = {"machine": facts, "quick": chosen.quick, "rows": rows, "gates": list(gates(rows))}
    return report.write("calibration", chosen.out, json.loads(json.dumps(whole)))


if __name__ == "__main__":
    sys.exit(main())
