"""The spine: a model from file to answered, remembered, labelled and measured."""

import json
import statistics
import time
from typing import Any

from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
FLIGHTS = 284_821
"""Departures of March to December 2013 in the demo's data."""


@SUITE.row("show-demo", "make demo succeeds as the first command on a fresh clone", "make demo")
def demo_first(bench: Bench) -> None:
    bench.run("make", "demo", timeout=900)


@SUITE.row("show-test", "make test succeeds on a fresh clone within 8 minutes", "make test")
def test_first(bench: Bench) -> Measured:
    bench.run("make", "clean")
    bench.run("make", ".venv/.dev", timeout=900)
    closing = bench.run("make", "test", timeout=900).strip().splitlines()[-1]
    return Measured(float(closing.split(" in ")[1].split("s")[0]), 480)


@SUITE.row("1-check", "format, lint, strict types, import contracts, spelling and documentation hold", "make check")
def check(bench: Bench) -> None:
    bench.run("make", "check")


@SUITE.row("1-constraints", "the constraints file names pinned versions and nothing else", "constraints.txt")
def constraints(bench: Bench) -> None:
    for text in (bench.clone / "constraints.txt").read_text().splitlines():
        if text and not text.startswith("#") and ("==" not in text or set(text) & set("/@:; ")):
            raise Red("a line is not NAME==VERSION")


@SUITE.row("show-json", "the demo's own account adds up and every label is joined", "headgate demo --json")
def demo_json(bench: Bench) -> Measured:
    begun = time.monotonic()
    told: dict[str, Any] = json.loads(bench.run(".venv/bin/headgate", "demo", "--json").splitlines()[-1])
    bench.notes["demo seconds"] = str(time.monotonic() - begun)
    holds = {
        "requests": told["requests"] == FLIGHTS,
        "answered + refused": told["answered"] + told["refused"] == told["requests"],
        "failed": told["failed"] == 0,
        "journalled": told["journalled"] == told["requests"],
        "labels joined": told["labels_joined"] == told["labels_posted"] > 0,
        "months": len(told["months"]) == 10,
        "intervals": all(m["auc_low"] <= m["auc"] <= m["auc_high"] for m in told["months"]),
    }
    if not all(holds.values()):
        raise Red(f"does not hold: {', '.join(name for name, held in holds.items() if not held)}")
    return Measured(told["requests"], FLIGHTS, at_least=True)


@SUITE.row("8-seconds", "the demo ends within 4 minutes", "headgate demo --json")
def demo_seconds(bench: Bench) -> Measured:
    if "demo seconds" not in bench.notes:
        raise Red("the demo did not end")
    return Measured(float(bench.notes["demo seconds"]), 240)


@SUITE.row("speed-help", "headgate --help within 0.3 s, the median of five", "headgate --help")
def help_seconds(bench: Bench) -> Measured:
    seconds = []
    for _ in range(5):
        begun = time.monotonic()
        bench.run(".venv/bin/headgate", "--help")
        seconds.append(time.monotonic() - begun)
    return Measured(statistics.median(seconds), 0.3)


@SUITE.row("size-base", "the base install is at most 160 MB", "pip install .")
def base_size(bench: Bench) -> Measured:
    bench.run("python3", "-m", "venv", "base")
    before = _megabytes(bench, "base")
    bench.run("base/bin/python", "-m", "pip", "install", "-q", "-c", "constraints.txt", ".")
    return Measured(_megabytes(bench, "base") - before, 160)


@SUITE.row("3-store", "versions, events and endpoints are kept alike in memory, SQLite and PostgreSQL", "tests/store")
def stores(bench: Bench) -> Measured:
    return bench.tests("tests/store", "tests/migrations")


@SUITE.row("long", "the long forms of fuzzing, overload, kills and simulations", "pytest -m slow")
def long_forms(bench: Bench) -> Measured:
    return bench.tests("-m", "slow", timeout=7200)


def _megabytes(bench: Bench, folder: str) -> float:
    return int(bench.run("du", "-sb", folder).split()[0]) / 1e6
