"""Whether alarms are false as rarely as was said: `python -m benchmarks.monitors.false_alarms [--quick]`.

Endpoints of 20 features and 5 segments are lived through without a change, with one sentence or the other about false
alarms; then with a change, to see how soon it is found at that price; and the detectors alone beside the reference
figures. Seeds are fixed. Writes ``false_alarms.json`` and ``false_alarms.md``; exit code 1 when a gate is missed.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks.monitors import delays
from benchmarks.monitors.endpoints import FEATURES, SEGMENTS, Change, alarms

from benchmarks import machine, report
from headgate.monitors.alarms.terms import INPUT, RISK

RUNS, QUICK_RUNS = 200, 20
QUICK_DELAYS: Final = 100
"""Runs of each delay: a median of fewer says little."""
DAYS: Final = 365
MEAN, CERTAIN = "at most one per 90 days", "at most 5 % per year"
SOON: Final = 30
CHANGED_AT: Final = 60.0
CHANGES: Final = (
    ("one feature by 0.5 sd", Change(CHANGED_AT, shift=0.5, features=1)),
    ("one feature by 1 sd", Change(CHANGED_AT, shift=1.0, features=1)),
    ("ten features by 0.5 sd", Change(CHANGED_AT, shift=0.5, features=10)),
    ("losses of 20 %", Change(CHANGED_AT, rate=0.2)),
    ("losses of 30 %", Change(CHANGED_AT, rate=0.3)),
)
CHANGED_DAYS: Final = 180
SECONDS, QUICK_SECONDS = 480, 90
"""Of one core: what a person would sit through."""
TITLES: Final = {
    "nothing": f"Nothing changes: {FEATURES} features, {len(SEGMENTS)} segments, all monitors of an endpoint",
    "changes": f"A change of one segment after {CHANGED_AT:g} days",
    "delays": "The detectors alone, beside the reference figures",
}


def nothing(runs: int) -> Iterator[dict[str, Any]]:
    """Lives without a change, by what was said about false alarms."""
    for words in (MEAN, CERTAIN):
        lives = [[day for day, _ in alarms(words, DAYS, seed)] for seed in range(runs)]
        # Where there is no alarm the end of the life counts, which is less than the truth.
        first = np.array([min(each, default=float(DAYS)) for each in lives])
        yield {
            "false_alarms": words,
            "lives": runs,
            "alarm_within_30_days": round(float((first <= SOON).mean()), 4),
            "alarm_within_a_year": round(float((first < DAYS).mean()), 4),
            "days_to_the_first": round(float(first.mean()), 1),
            "standard_error": round(float(first.std() / math.sqrt(runs)), 1),
            "alarms_per_90_days": round(sum(map(len, lives)) / (runs * DAYS / 90), 3),
        }


def changes(runs: int) -> Iterator[dict[str, Any]]:
    """Lives with a change, at the mean rate: how many alarms name it, and when the first one does."""
    for name, change in CHANGES:
        about = f"{RISK if change.features == 0 else INPUT} of {SEGMENTS[0]}"
        found = [
            next((day - CHANGED_AT for day, what in life if day >= CHANGED_AT and what.startswith(about)), None)
            for life in (alarms(MEAN, CHANGED_DAYS, 10_000 + seed, change) for seed in range(runs))
        ]
        waited = sorted(each for each in found if each is not None)
        yield {
            "change": name,
            "lives": runs,
            "found": round(len(waited) / runs, 3),
            "median_days": round(float(np.median(waited)), 1) if waited else None,
            "longest_days": round(waited[-1], 1) if waited else None,
        }


def gates(found: dict[str, report.Rows]) -> Iterator[report.Gate]:
    """What is promised of these tables."""
    mean, certain = found["nothing"]
    yield report.at_most(f"'{MEAN}': share that alarms within 30 days, at most", mean["alarm_within_30_days"], 0.43)
    least = 90 - 3 * mean["standard_error"]
    yield report.at_least(f"'{MEAN}': days to the first alarm, at least", mean["days_to_the_first"], round(least, 1))
    yield report.at_most(f"'{MEAN}': alarms per 90 days, at most", mean["alarms_per_90_days"], 1.0)
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / certain["lives"])
    share = certain["alarm_within_a_year"]
    yield report.at_most(f"'{CERTAIN}': share that alarms within a year, at most", share, round(most, 3))
    for each in found["delays"]:
        says = f"{each['detector']}, limit {each['limit']:g}, {each['change']}: median delay, at most"
        yield report.at_most(says, each["median"], each["at_most"])


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the lives, for development")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    runs = QUICK_RUNS if chosen.quick else RUNS
    found = {
        "nothing": list(nothing(runs)),
        "changes": list(changes(runs // 10)),
        "delays": list(delays.rows(max(runs, QUICK_DELAYS))),
    }
    promised = list(gates(found))
    most = QUICK_SECONDS if chosen.quick else SECONDS
    promised.append(report.at_most("seconds of one core for all of it, at most", time.process_time() - begun, most))
    facts = machine.facts(chosen.out, ("headgate", "numpy"))
    whole = {"machine": facts, "quick": chosen.quick, "tables": found, "gates": promised}
    (chosen.out / "false_alarms.json").write_text(json.dumps(whole, indent=1) + "\n")
    lines = [line for name, rows in found.items() for line in (f"### {TITLES[name]}", "", *report.table(rows), "")]
    said = "\n".join([*lines, "### Gates", "", *report.ending(promised, facts)]) + "\n"
    (chosen.out / "false_alarms.md").write_text(said)
    print(said)
    return 0 if all(each["ok"] for each in promised) else 1


if __name__ == "__main__":
    sys.exit(main())
