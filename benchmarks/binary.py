"""32 rows of 20 floats as one binary tensor: `python -m benchmarks.binary [--quick]`.

Beside a bare reference that reads and writes the same binary form of the inference protocol, and beside the same
tensor in JSON; 64 connections, acks buffered, servers interleaved, medians of the ratios within one repeat. Writes
``binary.json`` and ``binary.md``; exit code 1 when a promise was missed.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import load, models, report

ROWS: Final = 32
CONNECTIONS: Final = 64
OF_BARE: Final = 0.4
_LIBRARIES: Final = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy")
_PATH: Final = "/v2/models/e/infer"
_JSON: Final = (("Content-Type", "application/json"),)
_OCTETS: Final = (("Content-Type", "application/octet-stream"),)


@dataclass(frozen=True)
class Server:
    """How one is started on a port, and what it is asked."""

    command: Callable[[int], list[str]]
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


def servers(kind: str, folder: Path) -> dict[str, Server]:
    """The reference, and one gateway asked in both forms; it is one process for each, as the reference is."""
    onnx, _ = models.build(kind, folder)
    body, length = models.binary_body(ROWS)
    found = {
        "bare": Server(lambda port: load.python("bare_binary_reference.py", onnx, port), _PATH, body, _OCTETS + length)
    }
    for name, asked, headers in (
        ("binary", body, _OCTETS + length),
        ("json", models.json_body(ROWS), _JSON),
    ):
        home = folder / f"{kind}-{name}"
        words = load.python("headgate_server.py", home, models.package(onnx, home / "packages"))
        found[name] = Server(lambda port, words=words: [*words, str(port), "buffered"], _PATH, asked, headers)  # type: ignore[misc]
    return found


def run(kind: str, folder: Path, *, seconds: float, repeats: int) -> dict[str, list[load.Row]]:
    """Every server's runs, interleaved."""
    rows: dict[str, list[load.Row]] = {}
    with ExitStack() as stack:
        awake = {}
        for name, each in servers(kind, folder).items():
            target = load.Target(load.free_port(), each.path, each.body, each.headers)
            process = stack.enter_context(load.server(each.command(target.port), target, folder / f"{name}.log"))
            load.measure(process, target, CONNECTIONS, 1.0)
            load.sleep(process)
            awake[name] = process, target
        for repeat in range(repeats):
            for name, (process, target) in awake.items():
                load.wake(process)
                row = load.measure(process, target, CONNECTIONS, seconds)
                load.sleep(process)
                rows.setdefault(name, []).append(row)
                print(f"{kind} {name}, run {repeat + 1}: {row.rate:,.0f}/s ({row.limit})", file=sys.stderr, flush=True)
    return rows


def over(rows: dict[str, list[load.Row]], one: str, other: str) -> float:
    """The median of the ratios within one repeat."""
    return statistics.median(ours.rate / theirs.rate for ours, theirs in zip(rows[one], rows[other], strict=True))


def gates(kind: str, rows: dict[str, list[load.Row]]) -> list[dict[str, Any]]:
    """What is promised."""
    errors = sum(each.errors for found in rows.values() for each in found)
    return [
        report.at_least(f"{kind}: V2 binary / bare binary, {ROWS} rows", over(rows, "binary", "bare"), OF_BARE),
        report.at_least(f"{kind}: V2 binary / V2 JSON, {ROWS} rows, more than", over(rows, "binary", "json"), 1.001),
        report.at_most(f"{kind}: errors, at most", errors, 0),
    ]


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Both models, one after the other."""
    seconds, repeats = (1.0, 3) if chosen.quick else (2.0, 9)
    lines: report.Rows = []
    found: list[report.Gate] = []
    for kind in models.KINDS:
        rows = run(kind, folder, seconds=seconds, repeats=repeats)
        lines += [report.line({"model": kind, "server": name}, runs) for name, runs in rows.items()]
        found += gates(kind, rows)
    return lines, found


def main() -> int:
    """See the module."""
    return report.run("binary", __doc__, findings, quick="three short runs each", libraries=_LIBRARIES)


if __name__ == "__main__":
    sys.exit(main())
