"""What a table of 10 000 rows costs beside the model alone: `python -m benchmarks.arrow [--quick]`.

One gateway on the first core is sent one Arrow stream at a time from the last core and answers with another; the raw
`session.run` on the same rows runs on the first core too, on one thread as in the gateway, while the gateway stands
still. The two take turns and each turn gives a ratio or a difference, whose median counts. The gates are of a gateway
with buffered acks, which journals everything and waits for no fsync; durable is shown beside. Writes ``arrow.json``
and ``arrow.md``; exit code 1 when a gate is missed. About a minute.
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.ipc

from benchmarks import load, machine, models
from headgate.runtimes.onnx import open_session

ROWS: Final = 10_000
BOOSTING_LIMIT: Final = 1.5
"""Times the raw session.run."""
LOGISTIC_LIMIT_US: Final = 2.0
"""Microseconds per row beyond the raw session.run."""
_CORES: Final = sorted(os.sched_getaffinity(0))
_PATH: Final = "/v1/endpoints/e/predict"
_STREAM: Final = "application/vnd.apache.arrow.stream"
_LIBRARIES: Final = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy", "pyarrow")


@dataclass(frozen=True)
class Figure:
    """One model behind one kind of acks."""

    model: str
    ack: str
    raw_ms: float
    headgate_ms: float
    ratio: float
    beyond_us_per_row: float


@dataclass(frozen=True)
class Gate:
    """One promise and what was found."""

    says: str
    value: float
    limit: float
    ok: bool


def table() -> tuple[np.ndarray[Any, np.dtype[np.float32]], bytes]:
    """The rows as the model reads them, and as a caller sends them."""
    matrix = np.random.default_rng(7).normal(size=(ROWS, models.FIELDS)).round(6)
    columns = {name: matrix[:, place] for place, name in enumerate(models.NAMES)}
    sink = pa.BufferOutputStream()
    rows = pa.table(columns)
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return matrix.astype(np.float32), sink.getvalue().to_pybytes()


def raw(session: onnxruntime.InferenceSession, matrix: Any) -> Callable[[], float]:
    """Seconds of one call of the model alone, on the first core."""
    name = session.get_inputs()[0].name

    def once() -> float:
        os.sched_setaffinity(0, {_CORES[0]})
        began = time.perf_counter()
        session.run(None, {name: matrix})
        return time.perf_counter() - began

    return once


def asked(port: int, body: bytes, matrix: Any) -> Callable[[], float]:
    """Seconds of one request, from the last core."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()

    def once() -> float:
        os.sched_setaffinity(0, {_CORES[-1]})
        began = time.perf_counter()
        connection.request("POST", _PATH, body, {"Content-Type": _STREAM, "Accept": _STREAM})
        reply = connection.getresponse()
        said = reply.read()
        took = time.perf_counter() - began
        if reply.status != 200 or pa.ipc.open_stream(said).read_all().num_rows != len(matrix):
            raise RuntimeError(f"status {reply.status}: {said[:200]!r}")
        return took

    return once


def run(kind: str, folder: Path, *, turns: int, calls: int, said: Callable[[str], None]) -> Iterator[Figure]:
    """One model: the raw call, then a gateway of each kind, turn by turn."""
    onnx, _ = models.build(kind, folder)
    matrix, body = table()
    alone = raw(open_session(onnx), matrix)
    with ExitStack() as stack:
        gateways: dict[str, tuple[Any, Callable[[], float]]] = {}
        for ack in ("buffered", "durable"):
            home = folder / f"{kind}-{ack}"
            digest = models.package(onnx, home / "packages")
            target = load.Target(load.free_port(), _PATH, models.body())
            command = load.python("headgate_server.py", home, digest, target.port, ack)
            process = stack.enter_context(load.server(command, target, folder / f"{kind}-{ack}.log"))
            ask = asked(target.port, body, matrix)
            for _ in range(3):
                ask()
            load.sleep(process)
            gateways[ack] = process, ask
        bare: dict[str, list[float]] = {ack: [] for ack in gateways}
        ours: dict[str, list[float]] = {ack: [] for ack in gateways}
        for turn in range(turns):
            for ack, (process, ask) in gateways.items():
                bare[ack].append(statistics.median(alone() for _ in range(calls)))
                load.wake(process)
                ours[ack].append(statistics.median(ask() for _ in range(calls)))
                load.sleep(process)
                said(f"{kind} {ack}, turn {turn + 1}: {bare[ack][-1] * 1e3:.2f} and {ours[ack][-1] * 1e3:.2f} ms")
    os.sched_setaffinity(0, set(_CORES))
    for ack in gateways:
        yield figure(kind, ack, bare[ack], ours[ack])


def figure(kind: str, ack: str, bare: list[float], ours: list[float]) -> Figure:
    """Medians over the turns."""
    pairs = list(zip(bare, ours, strict=True))
    return Figure(
        kind,
        ack,
        statistics.median(bare) * 1e3,
        statistics.median(ours) * 1e3,
        statistics.median(our / alone for alone, our in pairs),
        statistics.median((our - alone) / ROWS * 1e6 for alone, our in pairs),
    )


def gates(figures: list[Figure]) -> Iterator[Gate]:
    """What is promised of these figures."""
    for each in figures:
        if each.ack == "buffered" and each.model == "boosting":
            says = f"boosting: a table of {ROWS} rows / session.run, at most"
            yield Gate(says, each.ratio, BOOSTING_LIMIT, each.ratio <= BOOSTING_LIMIT)
        elif each.ack == "buffered":
            says = f"{each.model}: a table of {ROWS} rows - session.run, us per row, at most"
            yield Gate(says, each.beyond_us_per_row, LOGISTIC_LIMIT_US, each.beyond_us_per_row <= LOGISTIC_LIMIT_US)


def markdown(figures: list[Figure], found: list[Gate], facts: dict[str, Any]) -> str:
    """The report as two tables."""
    lines = [
        "| model | acks | session.run ms | headgate ms | ratio | beyond, us per row |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {each.model} | {each.ack} | {each.raw_ms:.2f} | {each.headgate_ms:.2f} | {each.ratio:.2f} | "
        f"{each.beyond_us_per_row:.2f} |"
        for each in figures
    ]
    lines += ["", "| gate | found | limit | |", "|---|--:|--:|---|"]
    lines += [
        f"| {each.says} | {each.value:.2f} | {each.limit:.2f} | {'ok' if each.ok else 'MISSED'} |" for each in found
    ]
    lines += ["", "Measured on: " + ", ".join(f"{name} {value}" for name, value in facts.items()) + "."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run, write ``arrow.json`` and ``arrow.md``, say which gates were missed; exit code 1 if any was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few turns, for development")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    # Ended from outside, the blocks below still end the servers that run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    turns, calls = (3, 3) if chosen.quick else (15, 5)
    figures: list[Figure] = []
    # Under the output directory, because /tmp is often memory and its fdatasync would prove nothing.
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        folder = Path(name)
        facts = machine.facts(folder, _LIBRARIES)
        for kind in models.KINDS:
            figures += run(kind, folder, turns=turns, calls=calls, said=_say)
    found = list(gates(figures))
    report = {"machine": facts, "rows": [asdict(each) for each in figures], "gates": [asdict(each) for each in found]}
    (chosen.out / "arrow.json").write_text(json.dumps(report, indent=1) + "\n")
    text = markdown(figures, found, facts)
    (chosen.out / "arrow.md").write_text(text)
    print(text)
    return 0 if all(each.ok for each in found) else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
