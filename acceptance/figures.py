"""Figures of the benchmarks, for rows that hold a promise of speed to what was measured."""

import json
from typing import Any

from acceptance.rows import Bench, Measured, Red


def report(bench: Bench, module: str, file: str, *words: str) -> dict[str, Any]:
    """What a benchmark wrote down, run once; it may end with 1 for another line's limit, but not without a report."""

    def run() -> dict[str, Any]:
        bench.make(".venv/.full")
        bench.run(bench.python, "tools/real_parts.py")
        path = bench.clone / "build" / "bench" / file
        path.unlink(missing_ok=True)
        said = bench.run(bench.python, "-m", f"benchmarks.{module}", *words, timeout=7200, status=None)
        if not path.is_file():
            raise Red(f"no report: {said.strip()[-500:]}")
        found: dict[str, Any] = json.loads(path.read_text())
        if "ungated" in found:
            raise Red(f"ungated: {found['ungated']}")
        return found

    return bench.once(" ".join((module, *words)), run)


def gate(found: dict[str, Any], *words: str, limit: float, at_least: bool = False) -> Measured:
    """The one gate of a report whose sentence holds all `words`, held to the row's own limit; Red without exactly one.

    >>> gate({"gates": [{"says": "a / b", "value": 2.0}]}, "a /", limit=1.5, at_least=True).kept
    True
    """
    fitting = [each for each in found["gates"] if all(word in each["says"] for word in words)]
    if len(fitting) != 1:
        raise Red(f"{len(fitting)} gates speak of {' and '.join(words)}: {[each['says'] for each in found['gates']]}")
    if fitting[0]["value"] is None:
        raise Red(f"not measured: {fitting[0]}")
    return Measured(fitting[0]["value"], limit, at_least=at_least)
