"""Keras and TensorFlow models: ONNX where Keras can export it here, else the model's own file in the runtime host."""

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput, MissingExtra
from headgate.registry import native
from headgate.registry.importers import graph
from headgate.registry.importers.importer import Candidate, Imported, Traits, matrix, of_module
from headgate.registry.package import Engine, ModelInput, ModelOutput, Signature
from headgate.registry.ports import Predicted

ARTEFACT: Final = "model.keras"


def recognises(model: Any) -> bool:
    """Whether it is a Keras model, of whichever package Keras comes in."""
    return of_module(model, "keras", "tf_keras", "tensorflow") and hasattr(model, "predict")


def traits(model: Any) -> Traits:
    """Nothing: a network knows shapes, not columns; the contract and the labels say the rest."""
    return Traits()


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Its own answers; ONNX, and the model's own file, to stand for it."""
    inputs = bind(contract)
    truth = Native(model, contract, inputs)
    decode = truth.decode(reference)
    name = "scores" if contract.output.classes else "prediction"
    width = truth.width(reference)
    scores = name if contract.output.classes else None
    signature = Signature(inputs, [ModelOutput(name, "float32", [width])], None if scores else name, scores)

    def write_onnx(folder: Path) -> None:
        if decode in ("softmax", "sigmoid"):
            raise BadInput("model", "type", "gives logits; end it in a softmax or sigmoid layer to convert it")
        model.export(folder / graph.ARTEFACT, format="onnx", verbose=False)
        proto = graph.parse_file(folder / graph.ARTEFACT)
        proto.graph.output[0].name, made = name, proto.graph.output[0].name
        proto.graph.input[0].name, read = inputs[0].name, proto.graph.input[0].name
        graph.rename(proto.graph, {made: name, read: inputs[0].name})
        graph.save(proto, folder)

    def write(folder: Path) -> None:
        model.save(folder / ARTEFACT)

    candidates = (
        Candidate("ONNX, float32 inputs", Engine.ONNX, graph.ARTEFACT, signature, write_onnx),
        Candidate("Keras itself, in the runtime host", Engine.KERAS, ARTEFACT, signature, write, {"decode": decode}),
    )
    return Imported("Keras", truth, candidates, ("keras", "tensorflow", "numpy", "onnx"))


def bind(contract: Contract) -> list[ModelInput]:
    """The single input of a network: a tensor field, or a matrix of all fields."""
    if len(contract.fields) == 1 and contract.fields[0].kind is Kind.TENSOR:
        only = contract.fields[0]
        return [ModelInput("X", "float32", [only.name], list(only.shape or (None,)))]
    return matrix(contract, contract.names, "float32")


class Native:
    """The model answering tables by itself."""

    def __init__(self, model: Any, contract: Contract, inputs: list[ModelInput]) -> None:
        self._model = model
        self._contract = contract
        self._inputs = inputs
        self._decode = "number"

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row."""
        raw = graph.as_probabilities(self._raw(table), self._decode)
        if self._contract.output.classes:
            return native.predicted(None, raw, self._contract)
        return native.predicted(raw, None, self._contract)

    def decode(self, reference: pa.Table) -> str:
        """How its answers become probabilities, by what it says of reference rows; remembered for `predict`."""
        if self._contract.output.classes:
            self._decode = graph.decoding(self._raw(reference))
        return self._decode

    def width(self, reference: pa.Table) -> int:
        """Numbers per row."""
        return int(self._raw(reference.slice(0, 1)).reshape(1, -1).shape[1])

    def _raw(self, table: pa.Table) -> Any:
        rows = native.feeds(table, Signature(self._inputs, []))[self._inputs[0].name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(self._model(rows, training=False))


def read(path: Path) -> Any:
    """The model in a ``.keras`` file, without running code from it. Raises MissingExtra without Keras."""
    try:
        import keras  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("a Keras model", "keras") from error
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, TypeError) as error:
        raise BadInput(
            "model", "type", "is not a model Keras saved, or contains code; save it without Lambda"
        ) from error
