"""NannyML's univariate drift over two Parquet files: ``nannyml_columns.py REFERENCE CURRENT``. Runs in its environment.

Kolmogorov-Smirnov and Wasserstein, the figures Headgate gives, of the window as one chunk; beyond 10,000 rows NannyML
estimates both from bins.
"""

import json
import sys

import nannyml  # type: ignore[import-not-found]
import pandas as pd
from used import Used  # type: ignore[import-not-found]

if __name__ == "__main__":
    used = Used()
    reference, current = map(pd.read_parquet, sys.argv[1:3])
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns),
        continuous_methods=["kolmogorov_smirnov", "wasserstein"],
        chunk_size=len(current),
    )
    found = calculator.fit(reference).calculate(current).to_df()
    print(json.dumps({**used.so_far(), "figures": len(found.columns)}))
