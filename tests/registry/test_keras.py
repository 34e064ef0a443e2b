"""Keras models on the PyTorch backend, as objects and as files: what is served says what they say."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest

from headgate.contracts.tables import as_table
from headgate.errors import BadInput
from headgate.registry.importers.libraries import import_keras, quiet
from headgate.registry.package import Engine
from headgate.registry.packages import open_package
from headgate.registry.parity import recheck
from headgate.registry.register import Registered
from headgate.runtimes.predictor import predict_with
from headgate.vocabulary import Task

pytest.importorskip("torch", reason="PyTorch is not installed; `make test-full` installs it")
pytest.importorskip("h5py", reason="Keras is not installed; `make test-full` installs it")
pytestmark = pytest.mark.full
NUMBERS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with quiet():
        found = import_keras()
    found.utils.set_random_seed(3)
    return found


def network(keras: Any, width: int, last: str | None, *, inputs: int = 3) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((inputs,)), layers.Dense(5, activation="relu"), layers.Dense(width, activation=last)]
    )


def asked(keras: Any, model: Any, rows: Any) -> Any:
    with quiet():
        return keras.ops.convert_to_numpy(model(rows, training=False))


def own(done: Registered, frame: pd.DataFrame) -> Any:
    said = predict_with(done.package.path).predict(as_table(frame))
    return said.prediction if said.scores is None else said.scores


def test_a_classifier_is_exported_exactly(enter: Any, frame: pd.DataFrame, keras: Any) -> None:
    model = network(keras, 1, "sigmoid")
    done = enter(model, frame[[*NUMBERS, "y"]])
    assert done.chosen == "ONNX, float32 inputs"
    assert done.version.task == Task.BINARY
    assert {"keras", "torch"} <= set(done.package.manifest.environment)
    expected = asked(keras, model, frame[NUMBERS].to_numpy("float32"))
    for rows in (1, 64, len(frame)):
        np.testing.assert_allclose(own(done, frame[:rows])[:, 1:], expected[:rows], atol=1e-5)


@pytest.mark.parametrize(("width", "labels"), [(1, 2), (3, 3)])
def test_logits_are_served_as_probabilities(
    enter: Any, frame: pd.DataFrame, keras: Any, width: int, labels: int
) -> None:
    model = network(keras, width, None)
    data = frame[NUMBERS].assign(y=np.arange(len(frame)) % labels)
    done = enter(model, data)
    assert done.package.manifest.engine is Engine.ONNX
    logits = asked(keras, model, frame[NUMBERS].to_numpy("float32")).astype(float)
    powers = np.exp(np.column_stack([np.zeros(len(logits)), logits]) if width == 1 else logits)
    np.testing.assert_allclose(own(done, data), powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_a_regressor(enter: Any, frame: pd.DataFrame, keras: Any) -> None:
    model = network(keras, 1, None)
    data = frame[NUMBERS].assign(y=frame.a * 1.5)
    done = enter(model, data)
    assert done.version.task == Task.REGRESSION
    expected = asked(keras, model, frame[NUMBERS].to_numpy("float32"))[:, 0]
    np.testing.assert_allclose(own(done, data), expected, rtol=1e-4, atol=1e-5)


def test_a_file_on_the_native_engine(
    enter: Any, frame: pd.DataFrame, keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(keras, 1, None)
    with quiet():
        model.save(tmp_path / "model.keras")
    monkeypatch.setattr(keras.Model, "export", lambda *_, **__: 1 / 0)
    done = enter(tmp_path / "model.keras", frame[[*NUMBERS, "y"]])
    assert done.chosen == "Keras itself, in the runtime host"
    assert "ZeroDivisionError" in done.reason
    assert done.package.manifest.options == {"decode": "sigmoid", "backend": "torch"}
    again = recheck(open_package(done.package.path), predict_with)
    assert again is not None
    assert again.exact
    logits = asked(keras, model, frame[NUMBERS].to_numpy("float32"))
    np.testing.assert_allclose(own(done, frame)[:, 1:], 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_inputs_by_name(enter: Any, frame: pd.DataFrame, keras: Any) -> None:
    number, count = keras.Input((1,), name="a"), keras.Input((1,), name="k", dtype="int64")
    words = keras.layers.Flatten()(keras.layers.Embedding(50, 2)(count))
    joined = keras.layers.Concatenate()([number, words])
    model = keras.Model([number, count], keras.layers.Dense(1, activation="sigmoid")(joined))
    done = enter(model, frame[["k", "a", "y"]])
    inputs = {each.name: each.dtype for each in done.package.manifest.signature.inputs}
    assert inputs == {"a": "float32", "k": "int64"}
    expected = asked(keras, model, [frame[["a"]].to_numpy("float32"), frame[["k"]].to_numpy("int64")])
    np.testing.assert_allclose(own(done, frame)[:, 1:], expected, atol=1e-5)
    with pytest.raises(BadInput, match=r"^model\.k"):
        enter(model, frame[["a", "b", "y"]])


def test_a_picture(enter: Any, keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3, activation="softmax")]
    )
    random = np.random.default_rng(1)
    pictures = random.normal(size=(30, 4, 4, 1))
    table = pa.table({"picture": pictures.tolist(), "y": [place % 3 for place in range(30)]})
    done = enter(model, table)
    assert done.package.manifest.signature.inputs[0].shape == [4, 4, 1]
    said = predict_with(done.package.path).predict(table).scores
    assert said is not None
    np.testing.assert_allclose(said, asked(keras, model, pictures.astype("float32")), atol=1e-5)


def test_what_does_not_fit_is_named(enter: Any, frame: pd.DataFrame, keras: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="reads 5 numbers per row, the contract has 3 fields"):
        enter(network(keras, 1, "sigmoid", inputs=5), frame[[*NUMBERS, "y"]])
    for content in (b"", b"not a model", b"PK\x03\x04" + bytes(60)):
        (tmp_path / "bad.keras").write_bytes(content)
        with pytest.raises(BadInput, match="is not a model Keras saved"):
            enter(tmp_path / "bad.keras", frame)


def test_code_in_a_file_is_not_run(enter: Any, frame: pd.DataFrame, keras: Any, tmp_path: Path) -> None:
    layers = keras.layers
    model = keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2), layers.Dense(1)])
    with quiet():
        model.save(tmp_path / "model.keras")
    with pytest.raises(BadInput, match="Lambda"):
        enter(tmp_path / "model.keras", frame[[*NUMBERS, "y"]])


def test_the_graph_has_a_free_batch_and_the_names_of_the_signature(enter: Any, frame: pd.DataFrame, keras: Any) -> None:
    done = enter(network(keras, 3, None), frame[NUMBERS].assign(y=np.arange(len(frame)) % 3))
    proto = onnx.load(done.package.path / "model.onnx")
    onnx.checker.check_model(proto)
    assert [each.name for each in proto.graph.input] == ["X"]
    assert [each.name for each in proto.graph.output] == ["scores"]
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_backend_is_found_without_being_named() -> None:
    code = "from headgate.registry.importers.libraries import import_keras as k; print(k().backend.backend())"
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[-1] in ("torch", "tensorflow", "jax")
