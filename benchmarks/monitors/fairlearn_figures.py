"""Fairlearn's gaps between groups: ``fairlearn_figures.py REFERENCE``, in its environment.

The rows are those that `nannyml_figures.py` left, for Fairlearn ships no data: who repaid a loan, by range of salary.
"""

import json
import sys

import fairlearn  # type: ignore[import-not-found]
import pandas as pd
from fairlearn import metrics

GAPS = [
    f"{family}_{kind}"
    for family in ("demographic_parity", "equal_opportunity", "equalized_odds")
    for kind in ("difference", "ratio")
]
METHODS = ["between_groups", "to_overall"]

if __name__ == "__main__":
    rows = pd.read_csv(sys.argv[1])
    told, by = (rows["repaid"], rows["y_pred"]), rows["salary_range"]
    found = {
        f"{name}, {method}": float(getattr(metrics, name)(*told, sensitive_features=by, method=method))
        for name in GAPS
        for method in METHODS
    }
    print(json.dumps({"version": fairlearn.__version__, "gaps": found}))
