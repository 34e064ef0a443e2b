"""How long the monthly windows of a year of flights take: 285,000 rows, ten months, every binary metric.

Run it as ``python benchmarks/windows.py``; it prints one JSON object. The limit is 0.8 s (median of five).
"""

import json
import statistics
import sys
import time

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Output
from headgate.monitors.windows import windows
from headgate.vocabulary import Task

ROWS = 285_000
LIMIT_S = 0.8
SECOND = 1_000_000


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


def main() -> int:
    """Measure, print, and say by the exit code whether the limit was kept."""
    table, output = journal(), Output(Task.BINARY, classes=(False, True), probability=True)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        found = windows(table, output)
        times.append(time.perf_counter() - begun)
    median = statistics.median(times)
    metrics = len(found[0].metrics)
    print(
        json.dumps(
            {"rows": ROWS, "windows": len(found), "metrics": metrics, "median_s": round(median, 4),
             "limit_s": LIMIT_S, "ok": median <= LIMIT_S}
        )
    )  # fmt: skip
    return 0 if median <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
