"""What comparing a million rows of fifty columns with a million costs: `python -m benchmarks.monitors.columns`.

Two Parquet files; every figure is of a process of its own, on one core, from opening the files to how all
columns stand, the files in the page cache, imports left out, median of three. Three ways: exactly from all rows
of both files; from sketches with the reference's kept, as a monitor works, where the window's file alone is read;
and from sketches that are both made. Then exact figures are compared with SciPy's. `--peers` measures Evidently and
NannyML, each in an environment of its own, on the same files in the same run. Writes ``columns.json`` and
``columns.md``; exit code 1 when a promise was missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.monitors import peers
from benchmarks.monitors.used import Used
from benchmarks.processes import ServerFailed
from scipy.stats import ks_2samp, wasserstein_distance

from benchmarks import machine, report
from headgate.monitors.comparison.compared import Comparison
from headgate.monitors.comparison.comparison import compare, compare_summaries
from headgate.monitors.comparison.sources import ParquetSource
from headgate.monitors.comparison.summaries import read_summary, summary_of, window_summary

ROWS, COLUMNS = 1_000_000, 50
QUICK_ROWS, QUICK_COLUMNS = 20_000, 10
GROUP: Final = 1 << 17
"""Rows of a row group, as `pyarrow.parquet.write_table` leaves them by the million."""
SHAPES: Final = ("normal", "heavy", "waiting", "often zero", "two decimals")
LIMITS_S: Final = {"sketched": 1.0, "exact": 5.0}
MEMORY_MB: Final = 600.0
RATIOS: Final = {("evidently", "sketched"): 100.0, ("evidently", "exact"): 20.0, ("nannyml", "sketched"): 4.0}
LIBRARIES: Final = ("headgate", "numpy", "scipy", "pyarrow")


def column(shape: str, rows: int, random: np.random.Generator, shift: float) -> np.ndarray:
    """A column of one of the shapes, `shift` of a standard deviation further on where it is normal."""
    normal = random.normal(shift, 1.0, rows)
    shapes: dict[str, Callable[[], np.ndarray]] = {
        "normal": lambda: normal,
        "heavy": lambda: np.exp(2 * normal),
        "waiting": lambda: -np.log1p(-random.random(rows)) * (1 + shift),
        "often zero": lambda: np.where(random.random(rows) < 0.4, 0.0, np.exp(normal)),
        "two decimals": lambda: np.round(100 + 15 * normal, 2),
    }
    return shapes[shape]()


def write(path: Path, rows: int, columns: int, seed: int, shift: float) -> None:
    """A file of so many float columns; every other fifth of them is moved by `shift`."""
    arrays = {
        f"x{place}": column(SHAPES[place % 5], rows, np.random.default_rng((seed, place)), shift * (place // 5 % 2))
        for place in range(columns)
    }
    pq.write_table(pa.table(arrays), path, row_group_size=GROUP)


def exact(reference: Path, current: Path, kept: Path) -> Comparison:
    """From all rows of both files."""
    return compare(ParquetSource(reference), ParquetSource(current))


def sketched(reference: Path, current: Path, kept: Path) -> Comparison:
    """From the reference's kept sketches and the window's rows."""
    summary = read_summary(kept.read_bytes())
    return compare_summaries(summary, window_summary(ParquetSource(current), summary))


def sketched_both(reference: Path, current: Path, kept: Path) -> Comparison:
    """From sketches of both files, made now."""
    summary = summary_of(ParquetSource(reference))
    return compare_summaries(summary, window_summary(ParquetSource(current), summary))


WAYS: Final = {"sketched": sketched, "sketched, both files": sketched_both, "exact": exact}


def warm(path: Path) -> None:
    """Read a file to its end, so that what is measured is not the disk."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def child(way: str, folder: Path) -> None:
    """One figure, printed as JSON: called in a process of its own."""
    used = Used()
    found = WAYS[way](folder / "reference.parquet", folder / "current.parquet", folder / "kept.sketch")
    taken = used.so_far()
    ks = max(each.statistic.error for each in found.columns)
    area = max(each.effects["wasserstein_normed"].error for each in found.columns)
    standings = {each.name: each.standing.value for each in found.columns}
    figures = {each.name: (each.statistic.value, each.p, each.effects["wasserstein"].value) for each in found.columns}
    said = {"ks_error": ks, "wasserstein_error": area, "standings": standings, "figures": figures}
    print(json.dumps({**taken, **said}))


def in_a_process(way: str, folder: Path) -> dict[str, Any]:
    """What `child` found, in a fresh process on this one's core."""
    for side in ("reference", "current"):
        warm(folder / f"{side}.parquet")
    command = [sys.executable, "-m", "benchmarks.monitors.columns", "--child", way, "--folder", str(folder)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def ours(folder: Path, repeats: int) -> tuple[report.Rows, dict[str, Any]]:
    """A row for each way, and what the exact one found."""
    rows, found = [], {}
    for way in WAYS:
        runs = [in_a_process(way, folder) for _ in range(repeats)]
        found[way] = runs[0]
        rows.append(row(f"headgate, {way}", runs))
    return rows, found["exact"]


def row(who: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of one way; who prints no error bounds has none in the table."""

    def bound(name: str) -> float | str:
        return float(f"{runs[0][name]:.3g}") if name in runs[0] else "not said"

    return {
        "who": who,
        "seconds": round(statistics.median(each["seconds"] for each in runs), 3),
        "CPU seconds": round(statistics.median(each["cpu"] for each in runs), 3),
        "MB over imports": round(max(each["peak_mb"] for each in runs), 1),
        "KS error at most": bound("ks_error"),
        "Wasserstein/sd error at most": bound("wasserstein_error"),
    }


def far_from_scipy(folder: Path, figures: dict[str, Any]) -> float:
    """The largest relative difference of KS, p and Wasserstein from SciPy's, over two columns of each shape."""
    worst = 0.0
    for name in [f"x{place}" for place in range(min(len(figures), 2 * len(SHAPES)))]:
        before, after = (
            pq.read_table(folder / f"{side}.parquet", columns=[name])[name].to_numpy()
            for side in ("reference", "current")
        )
        expected = ks_2samp(before, after)
        for value, true in zip(
            figures[name], (expected.statistic, expected.pvalue, wasserstein_distance(before, after)), strict=True
        ):
            worst = max(worst, abs(value - true) / max(abs(true), 1e-300) if value != true else 0.0)
    return worst


def gates(rows: report.Rows, worst: float, failed: Mapping[str, str]) -> Iterator[report.Gate]:
    """What is promised of our rows, and beside peers where those were asked for; `failed` says why one was not."""
    by_name = {row["who"]: row for row in rows}
    for way, limit in LIMITS_S.items():
        row = by_name[f"headgate, {way}"]
        yield report.at_most(f"{way}: seconds, at most", row["seconds"], limit)
        yield report.at_most(f"{way}: MB over imports, at most", row["MB over imports"], MEMORY_MB)
    yield report.at_most("exact: relative difference from SciPy / 1e-9, at most", worst / 1e-9, 1.0)
    for (peer, way), limit in RATIOS.items():
        says = f"{way}: times as fast as {peer}, at least"
        if peer in by_name:
            ratio = by_name[peer]["seconds"] / by_name[f"headgate, {way}"]["seconds"]
            yield report.at_least(says, ratio, limit)
        elif peer in failed:
            yield {"says": f"{says}: {failed[peer]}", "value": None, "limit": limit, "ok": False}


def beside(folder: Path, environments: Path) -> tuple[report.Rows, dict[str, str]]:
    """A row for each peer, and why others have none."""
    rows: report.Rows = []
    failed: dict[str, str] = {}
    files = [folder / f"{side}.parquet" for side in ("reference", "current")]
    for name in dict.fromkeys(peer for peer, _ in RATIOS):
        for each in files:
            warm(each)
        try:
            found = peers.ask(name, "columns", environments, *files)
        except ServerFailed as problem:
            failed[name] = str(problem)
        else:
            rows.append(row(name, [found]))
    return rows, failed


def measure(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Write the files, measure every way, then whoever else was asked for."""
    rows, columns = (QUICK_ROWS, QUICK_COLUMNS) if chosen.quick else (ROWS, COLUMNS)
    write(folder / "reference.parquet", rows, columns, seed=1, shift=0.0)
    write(folder / "current.parquet", rows, columns, seed=2, shift=0.05)
    (folder / "kept.sketch").write_bytes(summary_of(ParquetSource(folder / "reference.parquet")).to_bytes())
    found, figures = ours(folder, repeats=1 if chosen.quick else 3)
    worst = far_from_scipy(folder, figures["figures"])
    others, failed = beside(folder, chosen.environments) if chosen.peers else ([], {})
    found += others
    return found, list(gates(found, worst, failed))


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 rows of ten columns, for development")
    parser.add_argument("--peers", action="store_true", help="Evidently and NannyML too; minutes, and 4 GB")
    parser.add_argument("--environments", type=Path, default=Path("build/peers"))
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.folder)
        return 0
    # Processes that are started from here stay on its core.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        seen = machine.facts(Path(name), LIBRARIES)
        rows, promised = measure(Path(name), chosen)
    return report.write(
        "columns", chosen.out, {"machine": seen, "quick": chosen.quick, "rows": rows, "gates": promised}
    )


if __name__ == "__main__":
    sys.exit(main())
