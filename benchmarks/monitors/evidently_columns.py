"""Evidently's drift preset over two Parquet files: ``evidently_columns.py REFERENCE CURRENT``, in its environment."""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]


def resident_mb(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * 1024 / 1e6


if __name__ == "__main__":
    imports_mb, begun, used = resident_mb("VmRSS"), time.perf_counter(), time.process_time()
    reference, current = (
        Dataset.from_pandas(frame, DataDefinition(numerical_columns=list(frame.columns)))
        for frame in map(pd.read_parquet, sys.argv[1:3])
    )
    found = Report([DataDriftPreset()]).run(current, reference).dict()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    peak_mb = resident_mb("VmHWM") - imports_mb
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak_mb, "figures": len(found["metrics"])}))
