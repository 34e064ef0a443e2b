"""The smallest BentoML service, beside ``model.joblib``. Runs in BentoML's environment."""

import bentoml  # type: ignore[import-not-found]
import joblib
import numpy as np


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Served:
    def __init__(self) -> None:
        self.model = joblib.load("model.joblib")

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, rows: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.model.predict_proba(rows)
        return found
