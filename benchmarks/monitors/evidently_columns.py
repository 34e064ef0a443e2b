"""Evidently's drift preset over two Parquet files: ``evidently_columns.py REFERENCE CURRENT``, in its environment."""

import json
import os
import resource
import sys
import time
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]

if __name__ == "__main__":
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    imports_mb, begun = pages * os.sysconf("SC_PAGE_SIZE") / 1e6, time.perf_counter()
    reference, current = (
        Dataset.from_pandas(frame, DataDefinition(numerical_columns=list(frame.columns)))
        for frame in map(pd.read_parquet, sys.argv[1:3])
    )
    found = Report([DataDriftPreset()]).run(current, reference).dict()
    seconds = time.perf_counter() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6 - imports_mb
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "figures": len(found["metrics"])}))
