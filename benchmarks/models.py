"""The models every server here answers with, and the bodies every caller sends."""

import pickle
import statistics
import time
import warnings
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, PackageStore
from headgate.testing.installation import Installation
from headgate.testing.scripted import write_contract
from headgate.vocabulary import Digest, Task

FIELDS: Final = 20
KINDS: Final = ("logistic", "boosting")
HEAVY_VECTORS: Final = 45_000
"""Of `heavy`: more than half a millisecond a row on a machine of 2020 or later."""
NAMES: Final = tuple(f"f{place}" for place in range(FIELDS))


def body(**more: object) -> bytes:
    """One row of 20 floats, and what else a caller may say."""
    rng = np.random.default_rng(7)
    row = dict(zip(NAMES, rng.normal(size=FIELDS).round(6).tolist(), strict=True))
    return msgspec.json.encode({"rows": [row], **more})


def binary_body(rows: int = 1) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Rows as one binary tensor of the inference protocol, with the header that says so."""
    size = {"binary_data_size": 4 * FIELDS * rows}
    tensor = {"name": "x", "shape": [rows, FIELDS], "datatype": "FP32", "parameters": size}
    json = msgspec.json.encode({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    return json + matrix(rows).tobytes(), (("Inference-Header-Content-Length", str(len(json))),)


def json_body(rows: int) -> bytes:
    """The same rows as the same tensor, its numbers in JSON."""
    data = np.random.default_rng(7).normal(size=FIELDS * rows).round(6).tolist()
    tensor = {"name": "x", "shape": [rows, FIELDS], "datatype": "FP32", "data": data}
    return msgspec.json.encode({"inputs": [tensor]})


def row() -> npt.NDArray[np.float32]:
    """The one row as numbers."""
    found: npt.NDArray[np.float32] = matrix(1)[0]
    return found


def matrix(rows: int) -> npt.NDArray[np.float32]:
    """So many rows as numbers; the first is always the same."""
    return np.random.default_rng(7).normal(size=(rows, FIELDS)).round(6).astype(np.float32)


def build(kind: str, folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Fit a model of `kind` to rows of that `seed`; the ONNX file and the pickled estimator."""
    rng = np.random.default_rng(seed)
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


def heavy(folder: Path, vectors: int = HEAVY_VECTORS) -> Path:
    """A support vector machine that nobody trained: every row costs the same, alone or in company, however many."""
    rng = np.random.default_rng(0)
    node = helper.make_node(
        "SVMClassifier",
        ["x"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        kernel_type="RBF",
        kernel_params=[0.05, 0.0, 3.0],
        support_vectors=rng.normal(size=vectors * FIELDS).tolist(),
        vectors_per_class=[vectors // 2, vectors - vectors // 2],
        coefficients=rng.normal(size=vectors).tolist(),
        rho=[0.1],
        prob_a=[-0.1],
        prob_b=[0.0],
        classlabels_ints=[0, 1],
    )
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, FIELDS])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2]),
    ]
    graph = helper.make_graph([node], "heavy", inputs, outputs)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    folder.mkdir(parents=True, exist_ok=True)
    onnx = folder / "heavy.onnx"
    onnx.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    return onnx


def row_us(onnx: Path, rows: int = 64) -> float:
    """Microseconds of processor time a row costs in a call of so many, one thread: the median of 15 calls."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx.read_bytes(), options, providers=["CPUExecutionProvider"])
    feeds, times = {session.get_inputs()[0].name: matrix(rows)}, []
    for _ in range(16):
        began = time.thread_time()
        session.run(None, feeds)
        times.append(time.thread_time() - began)
    return statistics.median(times[1:]) / rows * 1e6


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


def kept(installation: Installation, kind: str, folder: Path, seed: int) -> str:
    """A model of that kind as the next version of ``m`` in an installation; returns ``m:number``."""
    onnx, _ = build(kind, folder / str(seed), seed)
    digest = package(onnx, installation.home.packages)
    return installation.keep("m", installation.home.packages / digest.partition(":")[2])
