"""The two models every server in `serving.py` answers with, and the one body every caller sends."""

import pickle
import warnings
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, PackageStore
from headgate.testing.scripted import write_contract
from headgate.vocabulary import Digest, Task

FIELDS: Final = 20
KINDS: Final = ("logistic", "boosting")
NAMES: Final = tuple(f"f{place}" for place in range(FIELDS))


def body() -> bytes:
    """One row of 20 floats."""
    rng = np.random.default_rng(7)
    return msgspec.json.encode({"rows": [dict(zip(NAMES, rng.normal(size=FIELDS).round(6).tolist(), strict=True))]})


def binary_body() -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """The same row as one binary tensor of the inference protocol, with the header that says so."""
    tensor = {"name": "x", "shape": [1, FIELDS], "datatype": "FP32", "parameters": {"binary_data_size": 4 * FIELDS}}
    json = msgspec.json.encode({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    return json + row().tobytes(), (("Inference-Header-Content-Length", str(len(json))),)


def row() -> npt.NDArray[np.float32]:
    """The one row as numbers."""
    return np.random.default_rng(7).normal(size=FIELDS).round(6).astype(np.float32)


def build(kind: str, folder: Path) -> tuple[Path, Path]:
    """Fit a model of `kind`; the ONNX file and the pickled estimator."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, FIELDS))
    y = (x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + rng.normal(size=4000) > 0).astype(np.int64)
    model: Any = LogisticRegression() if kind == "logistic" else GradientBoostingClassifier(n_estimators=100)
    model.fit(x, y)
    folder.mkdir(parents=True, exist_ok=True)
    native, onnx = folder / f"{kind}.pkl", folder / f"{kind}.onnx"
    native.write_bytes(pickle.dumps(model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = to_onnx(model, x[:1].astype(np.float32), options={"zipmap": False})
    onnx.write_bytes(converted.SerializeToString())
    return onnx, native


def package(onnx: Path, root: Path) -> Digest:
    """The ONNX file as a Headgate package whose contract has a range on every field."""
    session = onnxruntime.InferenceSession(onnx.read_bytes(), providers=["CPUExecutionProvider"])
    label, scores = (each.name for each in session.get_outputs())
    feed = session.get_inputs()[0].name
    fields = tuple(Field(name, Kind.NUMBER, minimum=-10, maximum=10) for name in NAMES)
    contract = Contract(fields, Output(Task.BINARY, classes=(0, 1), probability=True))
    signature = Signature(
        [ModelInput(feed, "float32", list(NAMES), [FIELDS])],
        [ModelOutput(label, "int64", []), ModelOutput(scores, "float32", [2])],
        prediction=label,
        scores=scores,
    )

    def write(folder: Path) -> Manifest:
        (folder / "model.onnx").write_bytes(onnx.read_bytes())
        write_contract(folder, contract)
        return Manifest(FORMAT, Engine.ONNX, "model.onnx", signature, {}, {})

    return PackageStore(root).put(write)
