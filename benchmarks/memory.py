"""Whether a gateway's memory stays where it is: `python -m benchmarks.memory [--quick] [--ack durable|buffered]`.

One worker answers five million predictions of 20 floats at 64 connections, every feature on, its journal on the disk
of the output folder. Resident memory is sampled after every few seconds of load; the growth is the median of the slopes
between any two samples after the warm-up. What waits while a disk stands still is a step and comes once; a leak is in
most slopes. Writes ``memory.json`` and ``memory.md``, ``memory-buffered`` for the other promise, so that one does not
overwrite the other's samples; exit code 1 above the limit.
Minutes; ``--quick`` answers 300,000 and is too short to gate anything but a gross leak.
"""

import argparse
import json
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from benchmarks.peers import servers
from benchmarks.processes import Tree, serving

from benchmarks import load, machine, models

LIMIT_MB: Final = 1.0
_LIBRARIES: Final = ("headgate", "onnxruntime", "uvloop", "httptools", "msgspec", "numpy")
_ROW: Final = np.random.default_rng(7).normal(size=(1, models.FIELDS)).round(6).tolist()


@dataclass(frozen=True)
class Sample:
    """Resident memory of the worker once it had answered so many predictions."""

    answered: int
    resident_mb: float
    rate: float


@dataclass(frozen=True)
class Length:
    """Predictions to answer in all, those of the warm-up, and seconds between samples."""

    predictions: int
    warm_up: int
    seconds: float


def watch(tree: Tree, target: load.Target, length: Length) -> list[Sample]:
    """Load without a pause, one sample after each stretch."""
    samples: list[Sample] = []
    answered = 0.0
    while answered < length.predictions:
        row = tree.measure(target, 64, length.seconds)
        if row.errors:
            raise RuntimeError(f"{row.errors} requests failed after {answered:,.0f}")
        answered += row.rate * length.seconds
        samples.append(Sample(round(answered), tree.resident_kb() / 1024, row.rate))
        print(f"{answered:,.0f} answered, {samples[-1].resident_mb:.1f} MB, {row.rate:,.0f}/s", file=sys.stderr)
    return samples


def growth(samples: list[Sample], warm_up: int) -> float:
    """MB per million predictions: the median of the slopes between samples after the warm-up (Theil 1950, Sen 1968).

    >>> growth([Sample(0, 90.0, 1.0), Sample(1_000_000, 70.0, 1.0), Sample(3_000_000, 71.0, 1.0)], 500_000)
    0.5
    """
    later = [each for each in samples if each.answered >= warm_up]
    if len(later) < 2:
        raise RuntimeError("fewer than two samples after the warm-up: let it run longer")
    millions = np.array([each.answered / 1e6 for each in later])
    resident = np.array([each.resident_mb for each in later])
    earlier, after = np.triu_indices(len(later), 1)
    slopes = (resident[after] - resident[earlier]) / (millions[after] - millions[earlier])
    return round(float(np.median(slopes)), 3)


def main() -> int:
    """Measure, write both reports, and say by the exit code whether the limit was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300,000 predictions, for development")
    parser.add_argument("--millions", type=float, default=5.0, help="predictions to answer; the promise is about five")
    parser.add_argument("--ack", choices=["durable", "buffered"], default="durable")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    if load.wrk_path() is None:
        print("memory needs wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return 1
    # Ended from outside, the blocks below still end the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    length = Length(300_000, 100_000, 2.0) if chosen.quick else Length(int(chosen.millions * 1e6), 500_000, 5.0)
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out) as temporary:
        folder = Path(temporary)
        seen = machine.facts(folder, _LIBRARIES)
        onnx, _ = models.build("logistic", folder)
        started = servers.headgate(onnx, folder / "served", chosen.ack)
        port = load.free_port()
        target = load.Target(port, servers.HEADGATE_PATH, msgspec.json.encode(servers.headgate_body(_ROW)))
        with serving(started.command(port), started.variables, started.folder, port) as tree:
            tree.measure(target, 64, 1.0)
            samples = watch(tree, target, length)
    grown = growth(samples, length.warm_up)
    ok = grown <= LIMIT_MB
    gate = {"says": f"MB per million predictions, {chosen.ack}, at most", "value": grown, "limit": LIMIT_MB, "ok": ok}
    whole = {"machine": seen, "quick": chosen.quick, "rows": [asdict(each) for each in samples], "gates": [gate]}
    lines = ["| answered | resident MB | requests/s |", "|--:|--:|--:|"]
    lines += [f"| {each.answered:,} | {each.resident_mb:.1f} | {each.rate:,.0f} |" for each in samples]
    lines += ["", f"Growth after {length.warm_up:,}: {grown:.3f} MB per million, limit {LIMIT_MB}: "]
    lines[-1] += "ok" if ok else "MISSED"
    name = "memory" if chosen.ack == "durable" else f"memory-{chosen.ack}"
    (chosen.out / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")
    (chosen.out / f"{name}.md").write_text("\n".join(lines) + "\n")
    print(lines[-1])
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
