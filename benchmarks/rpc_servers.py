"""Which of grpcio's two public servers costs a gateway less: `python -m benchmarks.rpc_servers [--quick]`.

The same gateway twice, each on the first core: with `grpc.server` as Headgate uses it, and with `grpc.aio.server` in
its place. One row, 64 calls at once from a process on the last core, in turns and repeated. A caller of gRPC in Python
takes more of its core than the server of its own, so what is compared is calls per second of processor time that the
server took: the median of the ratios within one repeat. Writes ``rpc_servers.json`` and ``rpc_servers.md``; exit code
1 when the one that was chosen answers fewer. See docs/decisions/0012.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import serving
from benchmarks.rpc import CALLS, LIBRARIES, Row, calls, compared, message

from benchmarks import load, models, report

ROOT: Final = Path(__file__).parent.parent
CHOSEN, OTHER = "grpc.server", "grpc.aio.server"
MODULES: Final = {CHOSEN: "benchmarks.headgate_server", OTHER: "benchmarks.aio_server"}


@contextmanager
def gateway(name: str, onnx: Path, folder: Path) -> Iterator[Callable[[float], Row]]:
    """A gateway whose gRPC is that server's; what asks it for so many seconds."""
    home = folder / "home"
    home.mkdir(parents=True)
    digest, asked = models.package(onnx, home / "packages"), message("FP32")
    port, grpc_port = load.free_port(), load.free_port()
    words = (home, digest, port, "buffered", "--grpc-port", grpc_port)
    paths = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with serving([sys.executable, "-m", MODULES[name], *map(str, words)], variables, folder, port) as tree:
        yield lambda seconds: calls(name, tree, grpc_port, asked, seconds)


def line(row: Row) -> dict[str, Any]:
    """A run as a row of the table."""
    return {
        "server": row.server,
        "calls_per_processor_s": round(row.per_processor_second),
        "calls_per_s": round(row.rate),
        "p50_ms": round(row.p50_ms, 2),
        "p99_ms": round(row.p99_ms, 2),
        "server_share": round(row.server_share, 2),
        "generator_share": round(row.generator_share, 2),
        "errors": row.errors,
    }


def gates(rows: list[Row]) -> list[report.Gate]:
    """What is promised of all runs."""
    says = f"{CHOSEN} / {OTHER}: calls per second of processor time at {CALLS} calls at once, at least"
    return [
        report.at_least(says, compared(rows, CHOSEN, OTHER), 1.0),
        report.at_most("calls that failed, at most", sum(each.errors for each in rows), 0),
    ]


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Both gateways side by side, asked in turns."""
    seconds, repeats = (2.0, 3) if chosen.quick else (4.0, 5)
    folder = folder.resolve()
    onnx, _ = models.build("logistic", folder / "model")
    rows: list[Row] = []
    with ExitStack() as stack:
        both = [stack.enter_context(gateway(name, onnx, folder / name)) for name in MODULES]
        for measure in both:
            measure(1.0)
        for repeat in range(repeats):
            for measure in both:
                rows.append(measure(seconds))
                print(f"run {repeat + 1}: {rows[-1]}", file=sys.stderr, flush=True)
    return [line(each) for each in rows], gates(rows)


def main() -> int:
    """See the module."""
    return report.run("rpc_servers", __doc__, findings, quick="three runs of 2 s of each", libraries=LIBRARIES)


if __name__ == "__main__":
    sys.exit(main())
