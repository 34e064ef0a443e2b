"""`python -m benchmarks.rpc [--quick] [--mlserver]`: gRPC beside HTTP with binary tensors, and beside MLServer.

Same row, same model, one core for the server, 64 calls in flight. A caller of gRPC in Python takes more of its core
than the server of its own, so rates as they were seen say little: what is compared is calls per second of processor
time that the whole server took, interleaved and repeated, the median of the ratios within one repeat. `--mlserver`
makes MLServer's environment under ``build/peers`` as `benchmarks.peers` does, and asks for 3 times its figure.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from benchmarks.peers import environment, servers
from benchmarks.processes import Tree, serving

from benchmarks import load, machine, models, report
from headgate.gateway.rpc.messages import INFERENCE, message_classes

CALLS: Final = 64
TIMES_MLSERVER: Final = 3.0
LIBRARIES: Final = ("headgate", "grpcio", "protobuf", "onnxruntime", "uvloop", "numpy")
_BINARY_PATH: Final = "/v2/models/e/infer"
_REQUEST: Final = message_classes(INFERENCE)["ModelInferRequest"]


@dataclass(frozen=True)
class Row:
    """One run: what was seen, and the processor time of the server."""

    server: str
    rate: float
    p50_ms: float
    p99_ms: float
    errors: int
    server_share: float
    generator_share: float

    @property
    def per_processor_second(self) -> float:
        return self.rate / self.server_share


def message(datatype: str, **more: Any) -> bytes:
    """The one row as an inference request with raw contents."""
    request = _REQUEST(model_name="e", **more)
    request.inputs.add(name="x", datatype=datatype, shape=[1, models.FIELDS])
    row = models.row().astype({"FP32": "<f4", "FP64": "<f8"}[datatype])
    request.raw_input_contents.append(row.tobytes())
    content: bytes = request.SerializeToString()
    return content


def calls(name: str, tree: Tree, port: int, asked: bytes, seconds: float) -> Row:
    """One run of `rpc_load.py` on the last core."""
    words = load.pinned_to(max(os.sched_getaffinity(0)), load.python("rpc_load.py", port, CALLS, seconds))
    before = tree.busy()
    done = subprocess.run(words, input=asked, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    # Its own start, and its last calls, are outside the time it states; the server was idle or nearly so.
    share = (tree.busy() - before) / (found["calls"] / found["rate"])
    return Row(name, found["rate"], found["p50_ms"], found["p99_ms"], int(found["errors"]), share, found["share"])


Measure = Callable[[float], Row]


@contextmanager
def headgate(folder: Path) -> Iterator[list[tuple[Tree, Measure]]]:
    """One gateway, asked over HTTP and over gRPC."""
    onnx, _ = models.build("logistic", folder / "model")
    ready = servers.headgate(onnx, folder / "buffered", "buffered")
    port, grpc_port = load.free_port(), load.free_port()
    command = [*ready.command(port), "--grpc-port", str(grpc_port)]
    body, headers = models.binary_body()
    target = load.Target(port, _BINARY_PATH, body, headers)
    with serving(command, ready.variables, ready.folder, port) as tree:

        def binary(seconds: float) -> Row:
            row = tree.measure(target, CALLS, seconds)
            shares = row.server_share, row.generator_share
            return Row("headgate HTTP binary", row.rate, row.p50_ms, row.p99_ms, row.errors, *shares)

        asked = message("FP32")
        yield [(tree, binary), (tree, lambda seconds: calls("headgate gRPC", tree, grpc_port, asked, seconds))]


@contextmanager
def mlserver(folder: Path, built: environment.Environment) -> Iterator[list[tuple[Tree, Measure]]]:
    """MLServer with its scikit-learn runtime, as `benchmarks.peers` starts it, asked over gRPC."""
    peer = next(each for each in servers.PEERS if each.name == "mlserver")
    rows, own = folder / "rows.json", folder / "peer"
    own.mkdir(parents=True)
    rows.write_bytes(msgspec.json.encode([models.row().tolist()]))
    ready = peer.ready(built, "logistic", rows.resolve(), own.resolve())
    port = load.free_port()
    command = ready.command(port)
    grpc_port = json.loads((own / "settings.json").read_text())["grpc_port"]
    asked = message("FP64", outputs=[{"name": "predict_proba"}])
    with serving(command, ready.variables, ready.folder, port) as tree:
        yield [(tree, lambda seconds: calls("mlserver gRPC", tree, grpc_port, asked, seconds))]


def compared(rows: list[Row], one: str, other: str) -> float:
    """The median over the repeats of the ratio of calls per second of processor time."""
    pairs = zip(
        *([each.per_processor_second for each in rows if each.server == name] for name in (one, other)), strict=True
    )
    return float(statistics.median(ours / theirs for ours, theirs in pairs))


def markdown(rows: list[Row], ratios: dict[str, float], gates: list[report.Gate], facts: dict[str, Any]) -> str:
    """The report as a table, its ratios, and what was promised of them."""
    lines = [
        "| server | calls/s of processor time | calls/s seen | p50 ms | p99 ms | errors | server CPU | caller CPU |"
    ]
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|")
    lines += [
        f"| {each.server} | {each.per_processor_second:,.0f} | {each.rate:,.0f} | {each.p50_ms:.2f} | "
        f"{each.p99_ms:.2f} | {each.errors} | {each.server_share:.0%} | {each.generator_share:.0%} |"
        for each in rows
    ]
    lines += ["", *(f"{says}: {value:.2f}" for says, value in ratios.items()), ""]
    return "\n".join([*lines, *report.ending(gates, facts)]) + "\n"


def main() -> int:
    """Measure, write ``rpc.json`` and ``rpc.md``; exit code 1 when MLServer was asked for and the promise missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three runs of 2 s each, for development")
    parser.add_argument("--mlserver", action="store_true", help="MLServer as well")
    parser.add_argument("--environments", type=Path, default=Path("build/peers"))
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    if load.wrk_path() is None:
        return report.ungated("rpc", "wrk is not installed", chosen.out)
    chosen.out.mkdir(parents=True, exist_ok=True)
    seconds, repeats = (2.0, 3) if chosen.quick else (4.0, 5)
    rows: list[Row] = []
    # Under the output directory, because /tmp is often memory and its fdatasync would prove nothing.
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.out)))
        facts = machine.facts(folder, LIBRARIES)
        awake = stack.enter_context(headgate(folder / "headgate"))
        if chosen.mlserver:
            built = environment.make("mlserver", chosen.environments)
            awake += stack.enter_context(mlserver(folder / "mlserver", built))
        for _, measure in awake:
            measure(1.0)
        for repeat in range(repeats):
            for _, measure in awake:
                rows.append(measure(seconds))
                print(f"run {repeat + 1}: {rows[-1]}", file=sys.stderr, flush=True)
    ratios = {"gRPC / HTTP binary": compared(rows, "headgate gRPC", "headgate HTTP binary")}
    gates = []
    if chosen.mlserver:
        says = f"gRPC / MLServer's gRPC at {CALLS}"
        ratios[says] = compared(rows, "headgate gRPC", "mlserver gRPC")
        gates.append(report.at_least(says, ratios[says], TIMES_MLSERVER))
    whole = {"machine": facts, "rows": [asdict(each) for each in rows], "ratios": ratios, "gates": gates}
    (chosen.out / "rpc.json").write_text(json.dumps(whole, indent=1) + "\n")
    (chosen.out / "rpc.md").write_text(said := markdown(rows, ratios, gates, facts))
    print(said)
    return 0 if all(each["ok"] for each in gates) else 1


if __name__ == "__main__":
    sys.exit(main())
