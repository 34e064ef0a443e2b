"""NannyML's CBPE of a window: ``nannyml_estimates.py REFERENCE WINDOW``, two Parquet files. Runs in its environment.

Thresholds and windows are those of ten chunks, which is its default.
"""

import json
import sys

import nannyml  # type: ignore[import-not-found]
import pandas as pd
from used import Used  # type: ignore[import-not-found]

METRICS = ["accuracy", "precision", "recall", "f1", "roc_auc"]
CHUNKS = 10

if __name__ == "__main__":
    used = Used()
    reference, window = map(pd.read_parquet, sys.argv[1:3])
    estimator = nannyml.CBPE(
        y_true="truth",
        y_pred="predicted",
        y_pred_proba="score",
        problem_type="classification_binary",
        metrics=METRICS,
        chunk_number=CHUNKS,
    ).fit(reference)
    fitted = used.so_far()
    found = estimator.estimate(window).filter(period="analysis").to_df()
    figures = {name: found[name]["value"].tolist() for name in METRICS}
    whole = used.so_far()
    print(json.dumps({**whole, "estimate_s": whole["seconds"] - fitted["seconds"], "figures": figures}))
