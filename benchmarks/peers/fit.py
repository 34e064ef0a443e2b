"""Fits the benchmark's models with a peer's own scikit-learn: ``fit.py KIND ROWS.json FOLDER``.

Pickles do not move between versions, so each environment fits for itself, from the data and settings of
`benchmarks/models.py`. Leaves ``model.joblib`` and ``expected.json``, the probabilities of the rows.
"""

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

FIELDS = 20


def main(kind: str, rows: Path, folder: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, FIELDS))
    y = (x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + rng.normal(size=4000) > 0).astype(np.int64)
    model: Any = LogisticRegression() if kind == "logistic" else GradientBoostingClassifier(n_estimators=100)
    model.fit(x, y)
    joblib.dump(model, folder / "model.joblib")
    asked = np.array(json.loads(rows.read_text()))
    (folder / "expected.json").write_text(json.dumps(model.predict_proba(asked).tolist()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
