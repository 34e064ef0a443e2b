"""Packages whose behaviour a test chooses: a small linear model in ONNX, and models that err, hang, die or leak.

For the tests of every room that serves, routes or measures, and for anybody's who extends Headgate.
"""

import json
import shutil
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec
import numpy as np

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import CONTRACT, FORMAT, PackageStore
from headgate.testing import scripted_model
from headgate.vocabulary import Task


class Behaviour(StrEnum):
    """What a scripted model does when it is asked."""

    ECHO = "echo"
    """Answers the first field plus `value`, so that an answer shows whose row it is."""
    FIXED = "fixed"
    """Answers `value`."""
    SLOW = "slow"
    """Echoes after `seconds`."""
    FAILING = "failing"
    """Raises ValueError."""
    FAILING_ON_NEGATIVE = "failing_on_negative"
    """Raises ValueError when any first field of the batch is negative, else echoes."""
    HANGING = "hanging"
    """Never returns."""
    DYING = "dying"
    """Ends its process at once."""
    LEAKING = "leaking"
    """Echoes and keeps `leak_bytes` for ever."""
    WRONG_ROWS = "wrong_rows"
    """Echoes all rows but the last: a broken output contract."""
    NOT_FINITE = "not_finite"
    """Answers NaN: a broken output contract."""
    HUGE = "huge"
    """Answers ten megabytes, whatever it is asked: a broken output contract."""


def scripted_package(
    root: Path,
    behaviour: Behaviour | str = Behaviour.ECHO,
    *,
    n_fields: int = 2,
    value: float = 0.0,
    seconds: float = 0.2,
    leak_bytes: int = 16 << 20,
) -> Path:
    """The directory of a regression package under `root` that behaves as told; its name is its digest.

    It reads `n_fields` numbers ``f0``, ``f1``, … and runs its source wherever it is opened.

    >>> import tempfile
    >>> from headgate.runtimes.predictor import predict_with
    >>> import pyarrow as pa
    >>> path = scripted_package(Path(tempfile.mkdtemp()), "echo", n_fields=1, value=0.5)
    >>> predict_with(path).predict(pa.table({"f0": [1.0, 2.0]})).prediction.tolist()
    [1.5, 2.5]
    """
    script = {
        "behaviour": Behaviour(behaviour).value,
        "value": value,
        "seconds": seconds,
        "leak_bytes": leak_bytes,
    }
    contract = numbers_contract(n_fields, Output(Task.REGRESSION))
    inputs = [ModelInput(each, "float64", [each], [1]) for each in contract.names]
    manifest = Manifest(
        format=FORMAT,
        engine=Engine.PYTHON,
        artefact="model/model.py",
        signature=Signature(inputs, [ModelOutput("prediction", "float64", [])], prediction="prediction"),
        files={},
        environment={},
        options={"class": "Model", "input": "matrix"},
        trusted=True,
    )

    def build(folder: Path) -> Manifest:
        (folder / "model").mkdir()
        shutil.copyfile(scripted_model.__file__, folder / "model" / "model.py")
        (folder / "model" / "script.json").write_text(json.dumps(script))
        write_contract(folder, contract)
        return manifest

    return _put(root, build)


def linear_package(root: Path, n_fields: int = 20, *, bias: float = 0.0) -> Path:
    """The directory of a binary ONNX package under `root`: a logistic regression of `n_fields` numbers.

    Fields are ``f0``, ``f1``, …, classes 0 and 1; the coefficient of field i is
    ``linear_weights(n_fields)[i]``. Another `bias` makes another version. Needs onnx, not scikit-learn.
    """
    contract = numbers_contract(n_fields, Output(Task.BINARY, classes=(0, 1), probability=True))
    manifest = Manifest(
        format=FORMAT,
        engine=Engine.ONNX,
        artefact="model.onnx",
        signature=Signature(
            [ModelInput("X", "float32", list(contract.names), [n_fields])],
            [ModelOutput("label", "int64", []), ModelOutput("probabilities", "float32", [2])],
            prediction="label",
            scores="probabilities",
        ),
        files={},
        environment={},
    )

    def build(folder: Path) -> Manifest:
        (folder / "model.onnx").write_bytes(_logistic(n_fields, bias))
        write_contract(folder, contract)
        return manifest

    return _put(root, build)


def linear_weights(n_fields: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The coefficients of `linear_package`.

    >>> linear_weights(3).round(2).tolist()
    [1.0, 0.5400000214576721, -0.41999998688697815]
    """
    return np.cos(np.arange(n_fields)).astype(np.float32)


def numbers_contract(n_fields: int, output: Output) -> Contract:
    """A contract of `n_fields` numbers ``f0``, ``f1``, … with that output."""
    return Contract(tuple(Field(f"f{place}", Kind.NUMBER) for place in range(n_fields)), output)


def write_contract(folder: Path, contract: Contract) -> None:
    """Put the contract where packages keep theirs."""
    (folder / CONTRACT).write_bytes(msgspec.json.encode(to_document(contract)))


def _put(root: Path, build: Callable[[Path], Manifest]) -> Path:
    store = PackageStore(root)
    return store.path(store.put(build))


def _logistic(n_fields: int, bias: float) -> bytes:
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - only those who build a model need onnx

    weights = numpy_helper.from_array(linear_weights(n_fields).reshape(-1, 1), "weights")
    constants = [
        weights,
        numpy_helper.from_array(np.array([bias], np.float32), "bias"),
        numpy_helper.from_array(np.array(1.0, np.float32), "one"),
    ]
    nodes = [
        helper.make_node("MatMul", ["X", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "logistic",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, n_fields])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content
