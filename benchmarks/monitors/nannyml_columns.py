"""NannyML's univariate drift over two Parquet files: ``nannyml_columns.py REFERENCE CURRENT``. Runs in its environment.

Kolmogorov-Smirnov and Wasserstein, the figures Headgate gives, of the window as one chunk; beyond 10,000 rows NannyML
estimates both from bins.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import nannyml  # type: ignore[import-not-found]
import pandas as pd

if __name__ == "__main__":
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    imports_mb, begun = pages * os.sysconf("SC_PAGE_SIZE") / 1e6, time.perf_counter()
    reference, current = map(pd.read_parquet, sys.argv[1:3])
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns),
        continuous_methods=["kolmogorov_smirnov", "wasserstein"],
        chunk_size=len(current),
    )
    found = calculator.fit(reference).calculate(current).to_df()
    seconds = time.perf_counter() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6 - imports_mb
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "figures": len(found.columns)}))
