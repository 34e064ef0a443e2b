"""How long measuring takes: the windows of 285,000 flights in ten months, and 25,000 labels, every binary metric.

Run it as ``python benchmarks/windows.py``; it prints one JSON object per measurement, medians of five. The limits
are 0.8 s and 0.1 s; the exit code says whether both were kept.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Output
from headgate.evaluation.metrics import measure
from headgate.monitors.windows import windows
from headgate.vocabulary import SECOND, Task

ROWS = 285_000
LIMITS_S = {"windows of ten months": 0.8, "evaluation": 0.1}


def journal(rows: int = ROWS, seed: int = 0) -> pa.Table:
    """A joined table as the journal's reader gives it: ten months, one row in fifty refused, labels for 97 %."""
    draw = np.random.default_rng(seed)
    start = np.datetime64("2013-03-01", "us").astype(np.int64)
    at = np.sort(start + draw.integers(0, 306 * 86_400, rows) * SECOND)
    refused = draw.random(rows) < 0.02
    delayed = np.round(draw.beta(2, 6, rows), 6)
    truth = draw.random(rows) < delayed
    scores = np.column_stack((1 - delayed, delayed))
    offsets = np.concatenate(([0], np.cumsum(np.where(refused, 0, 2)))).astype(np.int32)
    scores_column = pa.ListArray.from_arrays(
        pa.array(offsets, mask=np.append(refused, False)), pa.array(scores[~refused].reshape(-1))
    )

    def unless(values: pa.Array, gone: np.ndarray) -> pa.Array:
        return pa.compute.if_else(pa.array(gone), pa.scalar(None, type=values.type), values)

    version = pa.array(["flight-delay:1"] * rows)
    latency = draw.lognormal(6, 0.5, rows).astype(np.int64)
    return pa.table(
        {
            "input_id": pa.array([draw.bytes(16)] * rows, type=pa.binary(16)),
            "at": pa.array(at).cast(pa.timestamp("us", tz="UTC")),
            "assigned": unless(version, refused),
            "answered": unless(version, refused),
            "role": unless(pa.array(["live"] * rows), refused),
            "prediction": unless(pa.array(delayed > 0.5), refused),
            "scores": scores_column,
            "compute_us": unless(pa.array(latency // 3), refused),
            "latency_us": unless(pa.array(latency), refused),
            "fallback": unless(pa.array([""] * rows), refused),
            "refusal_rule": unless(pa.array(["range"] * rows), ~refused),
            "flags": pa.array([[]] * rows, type=pa.list_(pa.string())),
            "label": unless(pa.array(truth), refused | (draw.random(rows) < 0.03)),
            "label_observed_at": pa.array(at + 3600 * SECOND).cast(pa.timestamp("us", tz="UTC")),
            "source": pa.array(["label"] * rows),
        }
    )


def median(work: Callable[[], object]) -> float:
    """Median seconds of five runs."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> int:
    """Measure, print, and say by the exit code whether the limits were kept."""
    table, output = journal(), Output(Task.BINARY, classes=(False, True), probability=True)
    labelled = table.filter(pa.compute.is_valid(table["label"])).slice(0, 25_000)
    truth, said = labelled["label"].to_numpy(), labelled["prediction"].to_numpy()
    scores = pa.compute.list_flatten(labelled["scores"]).to_numpy().reshape(-1, 2)
    rows = {"windows of ten months": ROWS, "evaluation": len(truth)}
    times = {
        "windows of ten months": median(lambda: windows(table, output)),
        "evaluation": median(lambda: measure(Task.BINARY, truth, said, scores, output.classes)),
    }
    for name, seconds in times.items():
        limit = LIMITS_S[name]
        figures = {"what": name, "rows": rows[name], "median_s": round(seconds, 4), "limit_s": limit}
        print(json.dumps({**figures, "ok": seconds <= limit}))
    return 0 if all(seconds <= LIMITS_S[name] for name, seconds in times.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
