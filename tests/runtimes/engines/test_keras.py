"""A Keras package in a runtime host: what it answers over the socket is what the model says."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.registry.importers.libraries import import_keras, quiet
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, PackageStore
from headgate.runtimes.hosted import HostedRuntime
from headgate.testing.conformance_runtime import check_runtime
from headgate.testing.scripted import write_contract
from headgate.vocabulary import Task

from ..conftest import hosting

pytest.importorskip("torch", reason="PyTorch is not installed; `make test-full` installs it")
pytest.importorskip("h5py", reason="Keras is not installed; `make test-full` installs it")
pytestmark = pytest.mark.full
FIELDS = tuple(Field(name, Kind.NUMBER) for name in ("a", "b"))
ROWS = np.random.default_rng(5).normal(size=(9, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with quiet():
        return import_keras()


def package(root: Path, model: Any, inputs: list[ModelInput], options: dict[str, str]) -> Path:
    contract = Contract(FIELDS, Output(Task.BINARY, classes=(0, 1), probability=True))

    def build(folder: Path) -> Manifest:
        write_contract(folder, contract)
        with quiet():
            model.save(folder / "model.keras")
        signature = Signature(inputs, [ModelOutput("scores", "float32", [1])], None, "scores")
        return Manifest(FORMAT, Engine.KERAS, "model.keras", signature, {}, {}, options)

    store = PackageStore(root)
    return store.path(store.put(build))


def test_one_matrix_of_logits(keras: Any, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    inputs = [ModelInput("X", "float32", ["a", "b"], [2])]
    made = package(tmp_path / "packages", model, inputs, {"decode": "sigmoid", "backend": "torch"})
    with quiet():
        logits = keras.ops.convert_to_numpy(model(ROWS, training=False))
    with hosting(made, tmp_path / "keras.sock") as host:
        client = HostedRuntime(host.socket)
        found = client.run({"X": ROWS})
        client.close()
        check_runtime(lambda: HostedRuntime(host.socket), {"X": ROWS[:5]})
    assert found.scores is not None
    np.testing.assert_allclose(found.scores[:, 1:], 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert found.prediction.tolist() == (logits[:, 0] > 0).astype(int).tolist()


def test_inputs_by_name_and_the_first_of_two_outputs(keras: Any, tmp_path: Path) -> None:
    a, b = keras.Input((1,), name="a"), keras.Input((1,), name="b")
    joined = keras.layers.Concatenate()([a, b])
    model = keras.Model([a, b], [keras.layers.Dense(1, activation="sigmoid")(joined), joined])
    inputs = [ModelInput(name, "float32", [name], [1]) for name in ("a", "b")]
    made = package(tmp_path / "packages", model, inputs, {"decode": "proba"})
    with quiet():
        expected = keras.ops.convert_to_numpy(model([ROWS[:, :1], ROWS[:, 1:]], training=False)[0])
    with hosting(made, tmp_path / "keras.sock") as host:
        client = HostedRuntime(host.socket)
        found = client.run({"b": ROWS[:, 1:], "a": ROWS[:, :1]})
        client.close()
    assert found.scores is not None
    np.testing.assert_allclose(found.scores[:, 1:], expected, atol=1e-6)
