"""What a benchmark found, written down: rows as a table, promises as gates. Called by the newer benchmarks."""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import load, machine

Gate = dict[str, Any]
Rows = list[dict[str, Any]]
Measure = Callable[[Path, argparse.Namespace], tuple[Rows, list[Gate]]]
"""What a benchmark does: a folder to work in and the words it was given, to its rows and its gates."""


def at_least(says: str, value: float, limit: float) -> Gate:
    """A promise that `value` is not below `limit`.

    >>> at_least("ratio", 0.4, 0.4)["ok"]
    True
    """
    return _gate(says, value, limit, lambda each: bool(each >= limit))


def at_most(says: str, value: float, limit: float) -> Gate:
    """A promise that `value` is not above `limit`.

    >>> at_most("seconds", 1.12345, 2)["value"], at_most("seconds", 2.00002, 2)["value"]
    (1.123, 2.00002)
    """
    return _gate(says, value, limit, lambda each: bool(each <= limit))


def _gate(says: str, value: float, limit: float, kept: Callable[[float], bool]) -> Gate:
    """The value to three decimals, or to as many as do not turn a promise that was missed into one that was kept."""
    shown = (round(value, digits) for digits in range(3, 16))
    return {
        "says": says,
        "value": next((each for each in shown if kept(each) == kept(value)), value),
        "limit": limit,
        "ok": kept(value),
    }


def line(names: dict[str, Any], runs: Sequence[load.Row]) -> dict[str, Any]:
    """The medians of one server's runs as a row of a table, under its names."""
    rate = statistics.median(each.rate for each in runs)
    return {
        **names,
        "requests_per_s": round(rate),
        "p50_ms": round(statistics.median(each.p50_ms for each in runs), 2),
        "p99_ms": round(statistics.median(each.p99_ms for each in runs), 2),
        "server_share": round(statistics.median(each.server_share for each in runs), 2),
        "generator_share": round(statistics.median(each.generator_share for each in runs), 2),
        "errors": sum(each.errors for each in runs),
        "limit": min(runs, key=lambda each: abs(each.rate - rate)).limit,
    }


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Rows of the same names as a table in Markdown."""
    names = list(rows[0]) if rows else []
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return [*lines, *("| " + " | ".join(f"{row[name]}" for name in names) + " |" for row in rows)]


def ending(gates: Sequence[Gate], facts: dict[str, Any]) -> list[str]:
    """What a report ends with: the gates as a table, if there are any, and the machine."""
    kept = [{**each, "ok": "ok" if each["ok"] else "MISSED"} for each in gates]
    promised = [*table(kept), ""] if kept else []
    return [*promised, f"Measured on: {', '.join(f'{name} {value}' for name, value in facts.items())}."]


def markdown(whole: dict[str, Any]) -> str:
    """The rows, the gates, the machine."""
    return "\n".join([*table(whole["rows"]), "", *ending(whole["gates"], whole["machine"])]) + "\n"


def write(name: str, out: Path, whole: dict[str, Any]) -> int:
    """Leave ``NAME.json`` and ``NAME.md`` of `whole` (machine, rows, gates) in `out`; exit code 1 if one was missed."""
    (out / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")
    (out / f"{name}.md").write_text(markdown(whole))
    print(markdown(whole))
    return 0 if all(each["ok"] for each in whole["gates"]) else 1


def run(
    name: str,
    description: str | None,
    measure: Measure,
    *,
    quick: str,
    libraries: Sequence[str],
    cores: int = 1,
    words: Callable[[argparse.ArgumentParser], object] = lambda _: None,
) -> int:
    """A benchmark as a program: measure in a folder of its own, write both reports, 1 when a promise was missed.

    `quick` says what ``--quick`` shortens, `words` adds further options. Without wrk, or with fewer than `cores` cores,
    nothing is measured and the report says so.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{quick}, for development")
    words(parser)
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    if load.wrk_path() is None:
        return ungated(name, "wrk is not installed", chosen.out)
    if len(os.sched_getaffinity(0)) < cores:
        return ungated(name, f"it needs {cores} cores", chosen.out)
    # Ended from outside, the blocks that measure still end the servers they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen.out.mkdir(parents=True, exist_ok=True)
    # Under the output directory, because /tmp is often memory and its fdatasync would prove nothing.
    with tempfile.TemporaryDirectory(dir=chosen.out) as folder:
        seen = machine.facts(Path(folder), libraries)
        rows, gates = measure(Path(folder), chosen)
    return write(name, chosen.out, {"machine": seen, "quick": chosen.quick, "rows": rows, "gates": gates})


def ungated(name: str, why: str, out: Path) -> int:
    """Leave a report that nothing was measured and why; it keeps no promise."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps({"ungated": why}) + "\n")
    (out / f"{name}.md").write_text(f"Not measured: {why}.\n")
    print(f"ungated: {why}, so nothing was measured")
    return 0
