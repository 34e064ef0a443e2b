"""`make bench-peers`: `python -m benchmarks.peers [--quick] [--only NAME]`.

For each peer: an environment of its own under ``build/peers``, its smallest server on one core with one worker, its
answers compared with its model's, then wrk from the other core at 1, 16 and 64 connections, interleaved with Headgate
buffered and durable on that same core. Writes ``peers.json`` and ``peers.md``; exit code 1 when a promise was missed
or could not be measured. A quarter of an hour once the environments are there; ten minutes with ``--quick``.
"""

import argparse
import http.client
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from benchmarks.peers import environment, report, servers
from benchmarks.processes import ServerFailed, Tree, last_words, listens, serving

from benchmarks import load, machine, models

LIBRARIES = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy", "scikit-learn")
ROWS = np.random.default_rng(7).normal(size=(3, models.FIELDS)).round(6).tolist()
# ONNX answers in float32; the peers compute in float64.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Length:
    """How long each run is and how often all are repeated."""

    seconds: float
    repeats: int


@dataclass(frozen=True)
class Contender:
    """One server of a comparison, ready to be started."""

    name: str
    started: servers.Started
    path: str
    body: Any
    scores: Any
    expected: servers.Scores


def contenders(peer: servers.Peer, kind: str, built: environment.Environment, folder: Path) -> list[Contender]:
    """The peer and both Headgates, the model fitted and saved for each."""
    rows, own = folder / "rows.json", folder / "peer"
    own.mkdir(parents=True)
    rows.write_bytes(msgspec.json.encode(ROWS))
    started = peer.ready(built, kind, rows.resolve(), own.resolve())
    expected = json.loads((own / "expected.json").read_text())
    onnx, _ = models.build(kind, folder / "model")
    found = [Contender(peer.name, started, peer.path, peer.body, peer.scores, expected)]
    for ack in report.ACKS:
        ready = servers.headgate(onnx, folder / ack, ack)
        path, body, scores = servers.HEADGATE_PATH, servers.headgate_body, servers.headgate_scores
        # The peer's own model is what Headgate is held to as well: both answer the same question.
        found.append(Contender(ack, ready, path, body, scores, expected))
    return found


def answers_as_expected(each: Contender, port: int) -> None:
    """Ask for every row alone; ServerFailed when an answer is not the model's."""
    for row, expected in zip(ROWS, each.expected, strict=True):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", each.path, msgspec.json.encode(each.body([row])), headers)
        reply = connection.getresponse()
        said = reply.read()
        connection.close()
        if reply.status != 200:
            raise ServerFailed(f"{each.name} answered {reply.status}: {last_words(said.decode())}")
        scores = np.array(each.scores(json.loads(said)), float)
        if scores.shape != (1, 2) or np.abs(scores[0] - expected).max() > TOLERANCE:
            raise ServerFailed(f"{each.name} answered {scores.tolist()} where its model says {expected}")


def once(each: Contender, length: Length) -> dict[int, tuple[load.Row, int]]:
    """One start of one server: checked, warmed, and one run at every number of connections."""
    port = load.free_port()
    target = load.Target(port, each.path, msgspec.json.encode(each.body(ROWS[:1])))
    with serving(each.started.command(port), each.started.variables, each.started.folder, port) as tree:
        _until_answering(each, tree, port)
        tree.measure(target, 16, 1.0)
        found = {n: (tree.measure(target, n, length.seconds), tree.resident_kb()) for n in report.CONNECTIONS}
        answers_as_expected(each, port)
    if listens(port):
        raise ServerFailed(f"{each.name} still listens after it was ended")
    return found


def compare(
    peer: servers.Peer, kind: str, built: environment.Environment, folder: Path, length: Length
) -> list[report.Figure]:
    """Peer, buffered and durable in turn, one at a time, `length.repeats` times; the medians."""
    runs: dict[tuple[str, int], list[tuple[load.Row, int]]] = {}
    every = contenders(peer, kind, built, folder)
    for repeat in range(length.repeats):
        for each in every:
            for connections, run in once(each, length).items():
                runs.setdefault((each.name, connections), []).append(run)
                row = run[0]
                _say(f"{kind} {each.name} {connections}, run {repeat + 1}: {row.rate:,.0f}/s ({row.limit})")
    return [report.figure(kind, peer.name, name, n, found) for (name, n), found in runs.items()]


def main() -> int:
    """Measure every peer, write both reports, say which promise was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one run of 2 s each, for development")
    parser.add_argument("--only", choices=[each.name for each in servers.PEERS], help="this peer alone")
    parser.add_argument("--environments", type=Path, default=Path("build/peers"))
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    # Ended from outside, the blocks below still end every process they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if load.wrk_path() is None:
        print("bench-peers needs wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return 1
    chosen.out.mkdir(parents=True, exist_ok=True)
    peers = [each for each in servers.PEERS if chosen.only in (None, each.name)]
    figures: list[report.Figure] = []
    failed: dict[str, str] = {}
    # Under the output folder, because a temporary one is often memory and its sync would prove nothing.
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        folder = Path(name)
        seen = machine.facts(folder, LIBRARIES)
        for peer in peers:
            try:
                _say(f"{peer.name}: its environment")
                built = environment.make(peer.package, chosen.environments)
                # Repeated where a promise hangs on it; the others are there to be seen beside.
                length = Length(2.0, 3) if _gated(peer) and not chosen.quick else Length(2.0, 1)
                for kind in models.KINDS:
                    figures += compare(peer, kind, built, folder / peer.name / kind, length)
            except (ServerFailed, OSError, RuntimeError) as problem:
                failed[peer.name] = last_words(str(problem))
                _say(f"{peer.name}: not measured: {failed[peer.name]}")
    return _written(chosen.out, seen=seen, peers=peers, figures=figures, failed=failed)


def _written(
    out: Path,
    *,
    seen: dict[str, Any],
    peers: list[servers.Peer],
    figures: list[report.Figure],
    failed: dict[str, str],
) -> int:
    found = list(report.ratios(figures))
    judged = [gate for each in peers if _gated(each) for gate in report.gates(each.name, figures, found, failed)]
    whole = {
        "machine": seen,
        "peers": {
            each.name: {"version": environment.pins(each.package)[each.package], "how": each.how} for each in peers
        },
        "failed": failed,
        "rows": [asdict(each) for each in figures],
        "ratios": [asdict(each) for each in found],
        "gates": [asdict(each) for each in judged],
    }
    text = report.markdown(whole, figures, found, judged)
    (out / "peers.json").write_text(json.dumps(whole, indent=1) + "\n")
    (out / "peers.md").write_text(text)
    print(text)
    return 0 if all(each.ok for each in judged) and not failed else 1


def _gated(peer: servers.Peer) -> bool:
    """Whether a promise is made over this peer."""
    return peer.package == "mlserver"


def _until_answering(each: Contender, tree: Tree, port: int) -> None:
    """Some servers listen before their model is there; give them time, then hold them to their answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return answers_as_expected(each, port)
        except (ServerFailed, OSError, http.client.HTTPException):
            if tree.process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
