"""What a table of 10 000 rows costs beside the model alone: `python -m benchmarks.arrow [--quick]`.

One gateway on the first core is sent one Arrow stream at a time from the last core and answers with another; the raw
`session.run` on the same rows runs on the first core too, on one thread as in the gateway, while the gateway stands
still. The two take turns and each turn gives a ratio or a difference, whose median counts. The gates are of a gateway
with buffered acks, which journals everything and waits for no fsync; durable is shown beside. Writes ``arrow.json``
and ``arrow.md``; exit code 1 when a gate is missed. About a minute.
"""

import argparse
import http.client
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.ipc

from benchmarks import load, models, report
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


def run(kind: str, folder: Path, *, turns: int, calls: int, said: Callable[[str], None]) -> Iterator[dict[str, Any]]:
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


def figure(kind: str, ack: str, bare: list[float], ours: list[float]) -> dict[str, Any]:
    """Medians over the turns."""
    pairs = list(zip(bare, ours, strict=True))
    return {
        "model": kind,
        "ack": ack,
        "raw_ms": round(statistics.median(bare) * 1e3, 2),
        "headgate_ms": round(statistics.median(ours) * 1e3, 2),
        "ratio": round(statistics.median(our / alone for alone, our in pairs), 3),
        "beyond_us_per_row": round(statistics.median((our - alone) / ROWS * 1e6 for alone, our in pairs), 3),
    }


def gates(figures: report.Rows) -> Iterator[report.Gate]:
    """What is promised of these figures."""
    for each in figures:
        if each["ack"] != "buffered":
            continue
        if each["model"] == "boosting":
            says = f"boosting: a table of {ROWS} rows / session.run, at most"
            yield report.at_most(says, each["ratio"], BOOSTING_LIMIT)
        else:
            says = f"{each['model']}: a table of {ROWS} rows - session.run, us per row, at most"
            yield report.at_most(says, each["beyond_us_per_row"], LOGISTIC_LIMIT_US)


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Both models, one after the other."""
    turns, calls = (3, 3) if chosen.quick else (15, 5)
    figures: report.Rows = []
    for kind in models.KINDS:
        figures += run(kind, folder, turns=turns, calls=calls, said=_say)
    return figures, list(gates(figures))


def main() -> int:
    """See the module."""
    return report.run("arrow", __doc__, findings, quick="few turns", libraries=_LIBRARIES)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
