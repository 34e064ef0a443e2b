"""The smallest LitServe server: ``litserve_server.py PORT``, beside ``model.joblib``, in LitServe's environment."""

import sys
from typing import Any

import joblib
import litserve  # type: ignore[import-not-found]
import numpy as np


class Served(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:
        self.model = joblib.load("model.joblib")

    def decode_request(self, request: dict[str, Any]) -> Any:
        return np.array(request["input"])

    def predict(self, x: Any) -> Any:
        return self.model.predict_proba(x)

    def encode_response(self, output: Any) -> dict[str, Any]:
        return {"output": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Served(), accelerator="cpu", devices=1, workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False, log_level="error",
        access_log=False,
    )  # fmt: skip
