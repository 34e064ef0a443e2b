"""What estimates without labels cost: `python -m benchmarks.monitors.estimates [--quick] [--peers]`.

A reference of a million labelled answers of a binary model and a window of a million without labels, from Parquet, in
ten parts as NannyML's default has it: CBPE of eight metrics, with the reference's calibration, bands and intervals, on
one core. Every figure is of a process of its own, imports left out, files in the page cache, median of three. `--peers`
measures NannyML's CBPE of five metrics in its own environment, on the same files in the same run. Writes
``estimates.json`` and ``estimates.md``; exit code 1 when a promise was missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.monitors import peers
from benchmarks.monitors.columns import warm
from benchmarks.monitors.used import Used
from benchmarks.processes import ServerFailed

from benchmarks import machine, report
from headgate.evaluation.rows import Rows
from headgate.monitors.answered import Answered
from headgate.monitors.estimation.cbpe import cbpe
from headgate.monitors.estimation.footing import footing
from headgate.monitors.estimation.performance import performance
from headgate.monitors.standing import Shortfall
from headgate.vocabulary import Task

ROWS, QUICK_ROWS = 1_000_000, 50_000
CHUNKS: Final = 10
CLASSES: Final = (0, 1)
MEMORY_MB: Final = 600.0
TIMES: Final = 4.0
"""As fast as NannyML's, at least."""
SAME: Final = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1", "auc": "roc_auc"}
"""Our name of each metric that both have, and NannyML's."""
FILES: Final = ("reference.parquet", "window.parquet")
LIBRARIES: Final = ("headgate", "numpy", "scikit-learn", "pyarrow")


def write(path: Path, rows: int, seed: int, centre: float) -> None:
    """Answers of a model that is surer than it should be; `centre` moves what it is asked."""
    random = np.random.default_rng(seed)
    odds = random.normal(centre, 1.5, rows)
    truth = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    score = 1 / (1 + np.exp(-1.7 * odds + 0.3 * random.normal(size=rows)))
    pq.write_table(pa.table({"score": score, "predicted": (score >= 0.5).astype(np.int64), "truth": truth}), path)


def read(path: Path) -> Rows:
    """The answers with their truth."""
    table = pq.read_table(path)
    score, predicted, truth = (table[name].to_numpy() for name in ("score", "predicted", "truth"))
    return Rows(Task.BINARY, truth, predicted, np.column_stack((1 - score, score)), CLASSES)


def estimated(folder: Path) -> dict[str, Any]:
    """Fit on the reference, estimate each part of the window; seconds, memory, and the figures of each part."""
    used = Used()
    made = footing(read(folder / FILES[0]), chunks=CHUNKS)
    assert not isinstance(made, Shortfall)
    fitted = used.so_far()
    window = Answered.of(read(folder / FILES[1]))
    figures: dict[str, list[float | None]] = {name: [] for name in made.metrics}
    for part in np.array_split(np.arange(len(window)), CHUNKS):
        said = window.take(part)
        for name, each in performance(made, cbpe(made, said), said).figures.items():
            figures[name].append(each.estimate.value)
    whole = used.so_far()
    return {**whole, "estimate_s": whole["seconds"] - fitted["seconds"], "figures": figures}


def in_a_process(folder: Path) -> dict[str, Any]:
    """The same in a fresh process."""
    for name in FILES:
        warm(folder / name)
    command = [sys.executable, "-m", "benchmarks.monitors.estimates", "--child", str(folder)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def row(who: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of one."""
    median = {name: statistics.median(each[name] for each in runs) for name in ("seconds", "cpu", "estimate_s")}
    return {
        "who": who,
        "seconds": round(median["seconds"], 3),
        "of them for the window": round(median["estimate_s"], 3),
        "CPU seconds": round(median["cpu"], 3),
        "MB over imports": round(max(each["peak_mb"] for each in runs), 1),
        "metrics": len(runs[0]["figures"]),
    }


def apart(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> float:
    """The largest difference of a metric that both have, over all parts."""
    return max(
        abs(one - other) for name, their in SAME.items() for one, other in zip(ours[name], theirs[their], strict=True)
    )


def gates(rows: report.Rows, difference: float | None, failed: str) -> Iterator[report.Gate]:
    """Memory, and what is promised beside NannyML where it was asked for."""
    yield report.at_most("CBPE: MB over imports, at most", rows[0]["MB over imports"], MEMORY_MB)
    says = "CBPE, reference and window: times as fast as nannyml, at least"
    if failed:
        yield {"says": f"{says}: {failed}", "value": None, "limit": TIMES, "ok": False}
    elif difference is not None:
        yield report.at_least(says, rows[1]["seconds"] / rows[0]["seconds"], TIMES)
        yield report.at_most("CBPE: difference of a metric from nannyml's, at most", difference, 0.001)


def measure(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Write the files, measure ours, then the peer where it is asked for."""
    count = QUICK_ROWS if chosen.quick else ROWS
    write(folder / FILES[0], count, seed=1, centre=0.0)
    write(folder / FILES[1], count, seed=2, centre=0.4)
    runs = [in_a_process(folder) for _ in range(1 if chosen.quick else 3)]
    rows, difference, failed = [row("headgate", runs)], None, ""
    if chosen.peers:
        try:
            theirs = peers.ask("nannyml", "estimates", chosen.environments, *(folder / each for each in FILES))
            rows.append(row("nannyml", [theirs]))
            difference = apart(runs[0]["figures"], theirs["figures"])
        except ServerFailed as problem:
            failed = str(problem)
    return rows, list(gates(rows, difference, failed))


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50,000 rows, for development")
    parser.add_argument("--peers", action="store_true", help="NannyML too")
    parser.add_argument("--environments", type=Path, default=Path("build/peers"))
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(estimated(chosen.child)))
        return 0
    # Processes that are started from here stay on its core.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        seen = machine.facts(Path(name), LIBRARIES)
        rows, promised = measure(Path(name), chosen)
    whole = {"machine": seen, "quick": chosen.quick, "rows": rows, "gates": promised}
    return report.write("estimates", chosen.out, whole)


if __name__ == "__main__":
    sys.exit(main())
