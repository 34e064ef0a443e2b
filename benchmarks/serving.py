"""`make bench`: Headgate beside the bare reference and beside FastAPI, same body, same model, same machine.

Runs are interleaved and repeated, figures are medians over the repeats. Gates are ratios: each repeat gives one, of
two servers that ran one after the other, and the median of those counts, so that a machine whose speed drifts does
not decide. Needs wrk for figures that gate; without it the report says so.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from benchmarks import load, machine, models
from headgate.access.keys import new_key

CONNECTIONS: Final = (1, 16, 64)
REPEATS: Final = {1: 15, 16: 5, 64: 21}
"""By connections: most where a gate may be near, for the ratio of one repeat may be off by a fifth."""
SECONDS: Final = 1.0
"""Of each run: servers that are compared follow each other before the machine's own speed has drifted."""
QUICK_REPEATS: Final = 3
SERVERS: Final = ("bare", "buffered", "keyed", "durable", "fastapi-onnx", "fastapi-sklearn")
PROMISED: Final = (("buffered", 64, 0.40), ("keyed", 64, 0.40), ("buffered", 1, 0.60), ("durable", 64, 0.25))
"""Of the bare reference's rate, at so many connections. `keyed` is `buffered` with a key, a rate and a deadline."""
LIBRARIES: Final = (
    "headgate",
    "onnxruntime",
    "uvloop",
    "httptools",
    "msgspec",
    "numpy",
    "fastapi",
    "uvicorn",
    "scikit-learn",
)
_NATIVE: Final = "/v1/endpoints/e/predict"
_, _KEY = new_key()
_HEADERS: Final = (("Content-Type", "application/json"),)
_DEADLINE_MS: Final = 5000
"""What callers of `keyed` state; they show a key, and its rate is counted. Metrics are on in every Headgate here."""

Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Figure:
    """The median of one server's runs."""

    model: str
    server: str
    connections: int
    rate: float
    p50_ms: float
    p99_ms: float
    server_share: float
    generator_share: float
    errors: int
    limit: str
    rates: list[float]
    """Of each repeat, in order."""
    p99s_ms: list[float]
    syncs_p99_ms: list[float]
    """Of fdatasync with every server standing still, in that repeat before its servers were measured."""

    def over(self, other: "Figure") -> float:
        """Its rate over the other's: the median of the ratios within one repeat."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.rates, other.rates, strict=True))


@dataclass(frozen=True)
class Gate:
    """One promise and what was found."""

    says: str
    value: float
    limit: float
    ok: bool


def commands(kind: str, folder: Path) -> dict[str, tuple[Callable[[int], list[str]], str]]:
    """How each server is started, and the path it answers on."""
    onnx, native = models.build(kind, folder)
    # A home for each: two writers of one journal refuse requests as soon as one of them begins its next segment.
    homes = {name: folder / f"home-{kind}-{name}" for name in ("buffered", "keyed", "durable")}
    (digest,) = {models.package(onnx, home / "packages") for home in homes.values()}

    def headgate(name: str, ack: str, *more: str) -> Callable[[int], list[str]]:
        return lambda port: load.python("headgate_server.py", homes[name], digest, port, ack, *more)

    return {
        "bare": (lambda port: load.python("bare_reference.py", onnx, port), "/predict"),
        "buffered": (headgate("buffered", "buffered"), _NATIVE),
        "keyed": (headgate("keyed", "buffered", "--key", _KEY), _NATIVE),
        "durable": (headgate("durable", "durable"), _NATIVE),
        "fastapi-onnx": (lambda port: load.python("fastapi_reference.py", onnx, port), "/predict"),
        "fastapi-sklearn": (lambda port: load.python("fastapi_reference.py", native, port), "/predict"),
    }


def run(folder: Path, *, repeats: Mapping[int, int], said: Callable[[str], None]) -> list[Figure]:
    """Every model on every server at every number of connections, each number as often as `repeats` says.

    The repeats of each are spread over the whole time, so that some bad minutes of a machine or its disk meet a part of
    all repeats and not most of one model's.
    """
    rows: dict[tuple[str, str, int], list[load.Row]] = {}
    syncs: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        asleep = {kind: dict(_started(kind, folder, stack)) for kind in models.KINDS}
        for repeat, kind in product(range(max(repeats.values())), models.KINDS):
            for connections in (each for each in CONNECTIONS if repeat < repeats[each]):
                syncs.setdefault((kind, connections), []).append(machine.sync_quantiles_ms(folder)[1])
                for name, (process, target) in asleep[kind].items():
                    load.wake(process)
                    row = load.measure(process, target, connections, SECONDS)
                    load.sleep(process)
                    rows.setdefault((kind, name, connections), []).append(row)
                    said(f"{kind} {name} {connections} connections, run {repeat + 1}: {row.rate:.0f}/s ({row.limit})")
    found = [(kind, name, each) for kind, servers in asleep.items() for each in CONNECTIONS for name in servers]
    return [_figure(*key, rows[key], syncs[key[0], key[2]]) for key in found]


def _started(kind: str, folder: Path, stack: ExitStack) -> Iterator[tuple[str, tuple[Process, load.Target]]]:
    """The servers of a model, warm and standing still: an idle neighbour's timers would share the core."""
    body = models.body()
    for name, (command, path) in commands(kind, folder).items():
        target = load.Target(load.free_port(), path, body, _HEADERS)
        if name == "keyed":
            shown = (("Authorization", f"Bearer {_KEY}"),)
            target = replace(target, body=models.body(deadline_ms=_DEADLINE_MS), headers=_HEADERS + shown)
        process = stack.enter_context(load.server(command(target.port), target, folder / f"{kind}-{name}.log"))
        load.measure(process, target, 16, 1.0)
        load.sleep(process)
        yield name, (process, target)


def _figure(kind: str, name: str, connections: int, rows: list[load.Row], syncs: list[float]) -> Figure:
    def middle(read: Callable[[load.Row], float]) -> float:
        return statistics.median(map(read, rows))

    nearest = min(rows, key=lambda row: abs(row.rate - middle(lambda each: each.rate)))
    return Figure(
        kind,
        name,
        connections,
        middle(lambda row: row.rate),
        middle(lambda row: row.p50_ms),
        middle(lambda row: row.p99_ms),
        middle(lambda row: row.server_share),
        middle(lambda row: row.generator_share),
        sum(row.errors for row in rows),
        nearest.limit,
        [row.rate for row in rows],
        [row.p99_ms for row in rows],
        [round(each, 3) for each in syncs],
    )


def gates(figures: list[Figure]) -> Iterator[Gate]:
    """What the design promises of these figures."""
    found = {(each.model, each.server, each.connections): each for each in figures}
    for kind in sorted({each.model for each in figures}):
        for server, connections, limit in PROMISED:
            value = found[kind, server, connections].over(found[kind, "bare", connections])
            yield Gate(f"{kind}: {server} / bare at {connections}", value, limit, value >= limit)
        value = found[kind, "keyed", 64].over(found[kind, "buffered", 64])
        yield Gate(f"{kind}: keyed / buffered at 64", value, 0.90, value >= 0.90)
        value = found[kind, "bare", 64].over(found[kind, "fastapi-onnx", 64])
        yield Gate(f"{kind}: bare / FastAPI + ONNX at 64", value, 7.0, value >= 7.0)
        durable, buffered = found[kind, "durable", 64], found[kind, "buffered", 64]
        value = p99_over(durable, buffered)
        yield Gate(f"{kind}: durable p99 - buffered p99 - 3 fdatasync p99 in ms at 64, at most", value, 2, value <= 2)
        if kind == "boosting":
            value = buffered.over(found[kind, "fastapi-sklearn", 64])
            yield Gate(f"{kind}: buffered / FastAPI + scikit-learn at 64", value, 10.0, value >= 10.0)


def p99_over(durable: Figure, buffered: Figure) -> float:
    """By how many ms the p99 of one exceeds the other's and three of the disk's own: the median over the repeats."""
    repeats = zip(durable.p99s_ms, buffered.p99s_ms, durable.syncs_p99_ms, strict=True)
    return statistics.median(ours - theirs - 3 * sync for ours, theirs, sync in repeats)


def grown_per_million(folder: Path, millions: float, said: Callable[[str], None]) -> Gate:
    """MB of resident memory a buffered gateway gains per million predictions, after the first half million."""
    command, path = commands("logistic", folder)["buffered"]
    port = load.free_port()
    target = load.Target(port, path, models.body())
    with load.server(command(port), target, folder / "memory.log") as process:
        asked, first, start = 0.0, 0, 0.0
        while asked < millions * 1e6:
            row = load.measure(process, target, 64, 5.0)
            asked += row.rate * 5.0
            if asked > 5e5 and not first:
                first, start = load.resident_kb(process.pid), asked
            said(f"{asked / 1e6:.1f} million predictions, {load.resident_kb(process.pid)} kB resident")
        grown = (load.resident_kb(process.pid) - first) / 1024 / ((asked - start) / 1e6)
    return Gate("MB of memory per million predictions, at most", grown, 1.0, grown <= 1.0)


def markdown(figures: list[Figure], found: list[Gate], facts: dict[str, Any]) -> str:
    """The report as two tables."""
    lines = ["| model | server | connections | requests/s | p50 ms | p99 ms | server CPU | wrk CPU | limit |"]
    lines.append("|---|---|--:|--:|--:|--:|--:|--:|---|")
    for each in figures:
        lines.append(
            f"| {each.model} | {each.server} | {each.connections} | {each.rate:,.0f} | {each.p50_ms:.2f} | "
            f"{each.p99_ms:.2f} | {each.server_share:.0%} | {each.generator_share:.0%} | {each.limit} |"
        )
    lines += ["", "| gate | found | limit | |", "|---|--:|--:|---|"]
    lines += [
        f"| {each.says} | {each.value:.2f} | {each.limit:.2f} | {'ok' if each.ok else 'MISSED'} |" for each in found
    ]
    lines += ["", "Measured on: " + ", ".join(f"{name} {value}" for name, value in facts.items()) + "."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run, write ``serving.json`` and ``serving.md``, say which gates were missed; exit code 1 if any was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three runs each, for development")
    parser.add_argument("--memory", type=float, default=0.0, metavar="MILLIONS", help="also watch memory over so many")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    # Ended from outside, the blocks below still end the server that runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if load.wrk_path() is None:
        (chosen.out / "serving.json").write_text(json.dumps({"ungated": "wrk is not installed"}) + "\n")
        print("ungated: wrk is not installed, so nothing was measured")
        return 0
    repeats = dict.fromkeys(CONNECTIONS, QUICK_REPEATS) if chosen.quick else REPEATS
    # Under the output directory, because /tmp is often memory and its fdatasync would prove nothing.
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.out)))
        facts = machine.facts(folder, LIBRARIES)
        figures = run(folder, repeats=repeats, said=_say)
        found = list(gates(figures))
        if chosen.memory:
            found.append(grown_per_million(folder, chosen.memory, _say))
    report = {"machine": facts, "rows": [asdict(each) for each in figures], "gates": [asdict(each) for each in found]}
    (chosen.out / "serving.json").write_text(json.dumps(report, indent=1) + "\n")
    (chosen.out / "serving.md").write_text(markdown(figures, found, facts))
    print(markdown(figures, found, facts))
    return 0 if all(each.ok for each in found) else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
