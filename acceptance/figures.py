"""Figures of the benchmarks, for rows that hold a promise of speed to what was measured."""

import json
import re
from typing import Any, Final

from acceptance.rows import Bench, Measured, Red

PERFORMANCE: Final = "docs/performance.md"


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


def figures(page: str, part: str, *words: str) -> list[str]:
    """The lines of the tables in a part of a page; Red where none of them says one of `words`, or a gate was missed.

    >>> figures("<!-- begin x -->\\n| rate | 3 | ok |\\n<!-- end x -->", "x", "rate")
    ['| rate | 3 | ok |']
    """
    found = re.search(rf"<!-- begin {part} -->(.*?)<!-- end {part} -->", page, re.DOTALL)
    lines = [line for line in (found[1].splitlines() if found else ()) if line.startswith("|")]
    if missing := [each for each in words if not any(each in line for line in lines)]:
        raise Red(f"no figure of {', '.join(missing)} in {part}")
    if missed := [line for line in lines if "MISSED" in line]:
        raise Red(f"{part}: {missed[0]}")
    return lines


def shown(bench: Bench, parts: dict[str, tuple[str, ...]], *modules: str) -> Measured:
    """How many lines of tables stand in `parts` of the page on performance, each with its words as `figures` has them.

    Red where the page does not say how to repeat one of the benchmarks they came from.
    """
    text = (bench.clone / PERFORMANCE).read_text()
    commands = text.partition("## How to repeat")[2].partition("## Results")[0]
    if missing := [each for each in modules if f"python -m benchmarks.{each} " not in commands]:
        raise Red(f"it does not say how to repeat {', '.join(missing)}")
    lines = [line for part, words in parts.items() for line in figures(text, part, *words)]
    return Measured(len(lines), len(modules), at_least=True)
