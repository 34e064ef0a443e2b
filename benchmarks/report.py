"""What a benchmark found, written down: rows as a table, promises as gates. Called by the newer benchmarks."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import load

Gate = dict[str, Any]


def at_least(says: str, value: float, limit: float) -> Gate:
    """A promise that `value` is not below `limit`.

    >>> at_least("ratio", 0.4, 0.4)["ok"]
    True
    """
    return {"says": says, "value": round(value, 3), "limit": limit, "ok": bool(value >= limit)}


def at_most(says: str, value: float, limit: float) -> Gate:
    """A promise that `value` is not above `limit`."""
    return {"says": says, "value": round(value, 3), "limit": limit, "ok": bool(value <= limit)}


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


def markdown(whole: dict[str, Any]) -> str:
    """The rows, the gates, the machine."""
    gates = [{**each, "ok": "ok" if each["ok"] else "MISSED"} for each in whole["gates"]]
    facts = ", ".join(f"{name} {value}" for name, value in whole["machine"].items())
    return "\n".join([*table(whole["rows"]), "", *table(gates), "", f"Measured on: {facts}."]) + "\n"


def write(name: str, out: Path, whole: dict[str, Any]) -> int:
    """Leave ``NAME.json`` and ``NAME.md`` of `whole` (machine, rows, gates) in `out`; exit code 1 if one was missed."""
    (out / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")
    (out / f"{name}.md").write_text(markdown(whole))
    print(markdown(whole))
    return 0 if all(each["ok"] for each in whole["gates"]) else 1


def ungated(name: str, why: str, out: Path) -> int:
    """Leave a report that nothing was measured and why; it keeps no promise."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps({"ungated": why}) + "\n")
    (out / f"{name}.md").write_text(f"Not measured: {why}.\n")
    print(f"ungated: {why}, so nothing was measured")
    return 0
