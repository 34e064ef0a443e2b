"""Evidently's drift preset over two Parquet files: ``evidently_columns.py REFERENCE CURRENT``, in its environment."""

import json
import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]
from used import Used  # type: ignore[import-not-found]

if __name__ == "__main__":
    used = Used()
    reference, current = (
        Dataset.from_pandas(frame, DataDefinition(numerical_columns=list(frame.columns)))
        for frame in map(pd.read_parquet, sys.argv[1:3])
    )
    found = Report([DataDriftPreset()]).run(current, reference).dict()
    print(json.dumps({**used.so_far(), "figures": len(found["metrics"])}))
