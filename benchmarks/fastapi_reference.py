"""What people write first: FastAPI with scikit-learn, or with ONNX Runtime. Started by `serving.py`."""

import argparse
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, create_model

fields: dict[str, Any] = {f"f{place}": (float, ...) for place in range(20)}
Row: Any = create_model("Row", **fields)


class Body(BaseModel):
    rows: list[Row]


def sklearn_app(path: str) -> FastAPI:
    app, model = FastAPI(), pickle.loads(Path(path).read_bytes())  # noqa: S301 - written by serving.py a moment ago

    @app.post("/predict")
    async def predict(body: Body) -> dict[str, Any]:
        matrix = np.array([list(row.model_dump().values()) for row in body.rows])
        scores = model.predict_proba(matrix)
        labels = scores.argmax(axis=1).tolist()
        return {
            "predictions": [
                {"prediction": label, "scores": row} for label, row in zip(labels, scores.tolist(), strict=True)
            ]
        }

    return app


def onnx_app(path: str) -> FastAPI:
    app = FastAPI()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = session.get_inputs()[0].name

    @app.post("/predict")
    async def predict(body: Body) -> dict[str, Any]:
        matrix = np.array([list(row.model_dump().values()) for row in body.rows], np.float32)
        labels, scores = session.run(None, {feed: matrix})
        return {
            "predictions": [
                {"prediction": label, "scores": row}
                for label, row in zip(labels.tolist(), scores.tolist(), strict=True)
            ]
        }

    return app


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("port", type=int)
    chosen = arguments.parse_args()
    make = sklearn_app if chosen.model.endswith(".pkl") else onnx_app
    uvicorn.run(make(chosen.model), port=chosen.port, log_level="error", access_log=False)
