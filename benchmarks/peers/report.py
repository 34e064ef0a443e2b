"""Judges the rows of `make bench-peers` and writes them down. Called by `__main__`.

A row is the server's own figure when its core was busy and the generator's was not; else `limit` says what stood in
the way. A peer whose core was partly idle is credited, in the gates, with the requests the rest of its core would
have answered.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import load

CONNECTIONS: Final = (1, 16, 64)
ACKS: Final = ("buffered", "durable")
# What is promised of Headgate over MLServer on gradient boosting at 64 connections.
PROMISED: Final = {"buffered": 15.0, "durable": 8.0}


@dataclass(frozen=True)
class Figure:
    """The median of one server's runs; `beside` is the peer it was interleaved with, its own name for a peer."""

    model: str
    beside: str
    server: str
    connections: int
    runs: int
    rate: float
    p50_ms: float
    p99_ms: float
    server_share: float
    generator_share: float
    errors: int
    limit: str
    resident_mb: float


@dataclass(frozen=True)
class Ratio:
    """Headgate's requests per second over a peer's; `credited` when the peer's idle share is counted for it."""

    model: str
    peer: str
    ack: str
    connections: int
    ratio: float
    credited: float


@dataclass(frozen=True)
class Gate:
    """One promise and what was found; no value when it could not be measured."""

    says: str
    value: float | None
    limit: float
    ok: bool
    why: str = ""


def figure(model: str, beside: str, server: str, connections: int, runs: list[tuple[load.Row, int]]) -> Figure:
    """The medians of `runs`, each with the server's resident kB after it."""
    rows = [row for row, _ in runs]
    middle = statistics.median
    share, generator = middle(row.server_share for row in rows), middle(row.generator_share for row in rows)
    errors = sum(row.errors for row in rows)
    return Figure(
        model,
        beside,
        server,
        connections,
        len(rows),
        middle(row.rate for row in rows),
        middle(row.p50_ms for row in rows),
        middle(row.p99_ms for row in rows),
        share,
        generator,
        errors,
        "errors" if errors else load.Row(0, 0, 0, 0, share, generator).limit,
        middle(kb for _, kb in runs) / 1024,
    )


def ratios(figures: list[Figure]) -> Iterator[Ratio]:
    """Headgate over each peer, from the runs that were interleaved with it."""
    found = {(each.model, each.beside, each.server, each.connections): each for each in figures}
    for (model, peer, server, connections), theirs in found.items():
        if server != peer or not theirs.rate:
            continue
        for ack in ACKS:
            if our := found.get((model, peer, ack, connections)):
                ratio = our.rate / theirs.rate
                yield Ratio(model, peer, ack, connections, ratio, ratio * min(1.0, theirs.server_share))


def gates(peer: str, figures: list[Figure], found: list[Ratio], failed: dict[str, str]) -> Iterator[Gate]:
    """The promises over MLServer, started as `peer` says; not kept when it could not be measured."""
    limits = {(each.model, each.beside, each.server, each.connections): each.limit for each in figures}
    for ack, limit in PROMISED.items():
        says = f"boosting: {ack} / {peer} at 64 connections, its idle share credited"
        chosen = (each for each in found if (each.model, each.peer, each.connections) == ("boosting", peer, 64))
        ratio = next((each for each in chosen if each.ack == ack), None)
        if ratio is None:
            yield Gate(says, None, limit, False, failed.get(peer, "not measured"))
            continue
        stood = limits["boosting", peer, peer, 64]
        why = {"generator": f"wrk held {peer} back", "errors": f"{peer} answered with errors"}.get(stood, "")
        if limits["boosting", peer, ack, 64] == "errors":
            why = "Headgate answered with errors"
        yield Gate(says, ratio.credited, limit, ratio.credited >= limit and not why, why)


def markdown(report: dict[str, Any], figures: list[Figure], found: list[Ratio], judged: list[Gate]) -> str:
    """The report for people."""
    lines = _table(
        "model | beside | server | connections | requests/s | p50 ms | p99 ms | server CPU | wrk CPU | MB | limit", 3
    )
    lines += [
        f"| {each.model} | {each.beside} | {each.server} | {each.connections} | {each.rate:,.0f} | {each.p50_ms:.2f} "
        f"| {each.p99_ms:.2f} | {each.server_share:.0%} | {each.generator_share:.0%} | {each.resident_mb:.0f} "
        f"| {each.limit} |"
        for each in figures
    ]
    lines += ["", *_table("model | Headgate / | connections | buffered | durable", 2)]
    rows: dict[tuple[str, str, int], dict[str, float]] = {}
    for each in found:
        rows.setdefault((each.model, each.peer, each.connections), {})[each.ack] = each.ratio
    lines += [
        f"| {model} | {peer} | {connections} | {by['buffered']:.1f} | {by['durable']:.1f} |"
        for (model, peer, connections), by in rows.items()
    ]
    if judged:
        lines += ["", *_table("gate | found | limit | ", 1)]
    for gate in judged:
        value = "none" if gate.value is None else f"{gate.value:.1f}"
        verdict = "ok" if gate.ok else f"MISSED {gate.why}".strip()
        lines.append(f"| {gate.says} | {value} | {gate.limit:.1f} | {verdict} |")
    lines += ["", *(f"**Not measured:** {name}: {why}\n" for name, why in report["failed"].items())]
    lines += [f"* {name} {each['version']}: {each['how']}." for name, each in report["peers"].items()]
    lines += ["", "Measured on: " + ", ".join(f"{name} {value}" for name, value in report["machine"].items()) + "."]
    return "\n".join(lines) + "\n"


def _table(heads: str, words: int) -> list[str]:
    names = heads.split(" | ")
    return [f"| {heads} |", "|" + "|".join("---" if at < words else "--:" for at in range(len(names))) + "|"]
