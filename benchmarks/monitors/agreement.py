"""Our figures beside NannyML's and Fairlearn's on the same rows: `python -m benchmarks.monitors.agreement`.

NannyML, in an environment of its own, computes univariate drift, CBPE and the error of reconstruction on the car loans
it ships with, Fairlearn in another one the gaps between groups of the same loans; ours are computed here from what they
left. Writes ``agreement.json`` and ``agreement.md``; exit code 1 when a figure is another one.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
from benchmarks.monitors import peers
from benchmarks.processes import ServerFailed

from benchmarks import machine, report
from headgate.evaluation.rows import Rows
from headgate.monitors.answered import Answered
from headgate.monitors.comparison.binnings import Binning, binned
from headgate.monitors.comparison.contingency import ChiSquare, chi_square
from headgate.monitors.comparison.distances import Counts, hellinger, jensen_shannon, l_infinity
from headgate.monitors.estimation.cbpe import cbpe
from headgate.monitors.estimation.footing import footing
from headgate.monitors.estimation.performance import performance
from headgate.monitors.fairness.gaps import Method
from headgate.monitors.fairness.measure import fairness
from headgate.monitors.outliers.reconstruction import rebuilt, reconstruction
from headgate.monitors.standing import Shortfall
from headgate.monitors.two_samples import ks_statistic, wasserstein
from headgate.vocabulary import Task

TOLERANCE: Final = {"univariate drift": 1e-9, "CBPE": 1e-6, "reconstruction": 1e-6, "fairness": 1e-9}
"""Largest relative difference by kind of figure."""
METRICS: Final = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1", "roc_auc": "auc"}
"""NannyML's metrics and our names of them."""
Compared = tuple[str, str, str, float, float]
"""Kind, peer, what, theirs and ours."""


def of_numbers(before: pa.ChunkedArray, after: pa.ChunkedArray) -> dict[str, float]:
    """Distances of two columns of numbers, over NannyML's bins where there are any."""
    reference, current = (each.to_numpy().astype(np.float64) for each in (before, after))
    counts = binned(reference, current, Binning.NANNYML)
    sorted_ones = np.sort(reference), np.sort(current)
    return {
        "kolmogorov_smirnov": ks_statistic(*sorted_ones),
        "wasserstein": wasserstein(*sorted_ones),
        "jensen_shannon": jensen_shannon(*counts).distance,
        "hellinger": hellinger(*counts),
    }


def of_names(before: pa.ChunkedArray, after: pa.ChunkedArray) -> dict[str, float]:
    """Distances of two columns of categories."""
    names = sorted(set(before.unique().to_pylist()) | set(after.unique().to_pylist()))
    counts = [_counts(each, names) for each in (before, after)]
    found = chi_square(counts[0], counts[1])
    assert isinstance(found, ChiSquare)
    return {
        "chi2": found.statistic,
        "jensen_shannon": jensen_shannon(counts[0], counts[1]).distance,
        "hellinger": hellinger(counts[0], counts[1]),
        "l_infinity": l_infinity(counts[0], counts[1]),
    }


def _counts(column: pa.ChunkedArray, names: list[str]) -> Counts:
    found = {each["values"]: each["counts"] for each in column.value_counts().to_pylist()}
    return np.array([found.get(name, 0) for name in names])


def answers(table: pa.Table) -> Answered:
    """What the model said of the loans."""
    score = table["y_pred_proba"].to_numpy()
    return Answered(Task.BINARY, table["y_pred"].to_numpy(), np.column_stack((1 - score, score)), (0, 1))


def labelled(table: pa.Table) -> Rows:
    """And whether they were repaid."""
    return answers(table).with_truth(table["repaid"].to_numpy().astype(np.int64))


def univariate(theirs: dict[str, dict[str, float]], reference: pa.Table, window: pa.Table) -> Iterator[Compared]:
    """Every distance of every column."""
    for name, distances in theirs.items():
        ours = (of_names if "chi2" in distances else of_numbers)(reference[name], window[name])
        for each, value in distances.items():
            yield "univariate drift", "nannyml", f"{each} of {name}", value, ours[each]


def estimated(theirs: dict[str, float], reference: pa.Table, window: pa.Table) -> Iterator[Compared]:
    """Every metric expected without labels."""
    made, said = footing(labelled(reference)), answers(window)
    assert not isinstance(made, Shortfall)
    figures = performance(made, cbpe(made, said), said).figures
    for name, value in theirs.items():
        ours = figures[METRICS[name]].estimate.value
        assert ours is not None
        yield "CBPE", "nannyml", name, value, ours


def rebuilding(theirs: float, columns: list[str], reference: pa.Table, window: pa.Table) -> Iterator[Compared]:
    """The mean error of reconstruction."""
    fitted = reconstruction(reference.select(columns))
    assert not isinstance(fitted, Shortfall)
    found = rebuilt(fitted, window.select(columns))
    assert not isinstance(found, Shortfall)
    assert found.error.value is not None
    yield "reconstruction", "nannyml", "mean error", theirs, found.error.value


def apart(theirs: dict[str, float], reference: pa.Table) -> Iterator[Compared]:
    """Every gap between groups, by either method."""
    sensitive, truth = {"salary_range": reference["salary_range"].to_pylist()}, labelled(reference).truth
    for method in Method:
        found = fairness(answers(reference), truth, sensitive, method=method)
        assert not isinstance(found, Shortfall)
        for name, gap in found[0].gaps.items():
            assert gap.estimate.value is not None
            yield "fairness", "fairlearn", f"{name}, {method}", theirs[f"{name}, {method}"], gap.estimate.value


def compared(folder: Path, environments: Path) -> Iterator[Compared]:
    """Every figure of the peers with ours. Raises ServerFailed where a peer does not run."""
    nannyml = peers.ask("nannyml", "figures", environments, folder)
    fairlearn = peers.ask("fairlearn", "figures", environments, folder / "reference.csv")
    reference, window = (pyarrow.csv.read_csv(folder / f"{side}.csv") for side in ("reference", "window"))
    yield from univariate(nannyml["columns"], reference, window)
    yield from estimated(nannyml["estimates"], reference, window)
    yield from rebuilding(nannyml["reconstruction"], list(nannyml["columns"]), reference, window)
    yield from apart(fairlearn["gaps"], reference)


def row(found: Compared) -> dict[str, Any]:
    """One figure with its relative difference."""
    kind, peer, what, theirs, ours = found
    away = abs(ours - theirs) / abs(theirs) if theirs else abs(ours)
    return {
        "kind": kind,
        "peer": peer,
        "what": what,
        "theirs": float(f"{theirs:.10g}"),
        "ours": float(f"{ours:.10g}"),
        "relative difference": float(f"{away:.2g}"),
    }


def gates(rows: report.Rows, failed: str) -> Iterator[report.Gate]:
    """The largest difference of each kind, as a share of what is allowed; missed where nothing was compared."""
    for kind, limit in TOLERANCE.items():
        found = [each["relative difference"] for each in rows if each["kind"] == kind]
        says = f"{kind}: the largest relative difference / {limit:g}, of {len(found)} figures, at most"
        if found:
            yield report.at_most(says, max(found) / limit, 1.0)
        else:
            yield {"says": f"{says}: {failed}", "value": None, "limit": 1.0, "ok": False}


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=Path("build/peers"))
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    rows, failed = [], ""
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        seen = machine.facts(Path(name), ("headgate", "numpy", "scipy"))
        try:
            rows = [row(each) for each in compared(Path(name), chosen.environments)]
        except ServerFailed as problem:
            failed = str(problem)
    return report.write("agreement", chosen.out, {"machine": seen, "rows": rows, "gates": list(gates(rows, failed))})


if __name__ == "__main__":
    sys.exit(main())
