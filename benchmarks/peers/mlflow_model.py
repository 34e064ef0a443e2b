"""Saves ``model.joblib`` as an MLflow model whose answer is its probabilities. Runs in MLflow's environment."""

import sys
from pathlib import Path

import joblib
import mlflow.sklearn  # type: ignore[import-not-found]

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    model = joblib.load(folder / "model.joblib")
    mlflow.sklearn.save_model(
        model,
        str(folder / "mlflow"),
        pyfunc_predict_fn="predict_proba",
        skops_trusted_types=["sklearn.tree._tree.Tree"],
        pip_requirements=[],
    )
