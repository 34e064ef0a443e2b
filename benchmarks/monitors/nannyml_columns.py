"""NannyML's univariate drift over two Parquet files: ``nannyml_columns.py REFERENCE CURRENT``. Runs in its environment.

Kolmogorov-Smirnov and Wasserstein, the figures Headgate gives, of the window as one chunk; beyond 10,000 rows NannyML
estimates both from bins.
"""

import json
import sys
import time
from pathlib import Path

import nannyml  # type: ignore[import-not-found]
import pandas as pd


def resident_mb(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * 1024 / 1e6


if __name__ == "__main__":
    imports_mb, begun, used = resident_mb("VmRSS"), time.perf_counter(), time.process_time()
    reference, current = map(pd.read_parquet, sys.argv[1:3])
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns),
        continuous_methods=["kolmogorov_smirnov", "wasserstein"],
        chunk_size=len(current),
    )
    found = calculator.fit(reference).calculate(current).to_df()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    peak_mb = resident_mb("VmHWM") - imports_mb
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak_mb, "figures": len(found.columns)}))
