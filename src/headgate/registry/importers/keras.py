"""Keras and TensorFlow models: ONNX where Keras can export it here, else the model's own file in the runtime host.

The last step to probabilities is written into the graph, or applied by the host, so that what is served answers in
probabilities whether the model gave logits or not.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput, RuntimeFailed
from headgate.registry import native
from headgate.registry.importers import graph
from headgate.registry.importers.importer import Candidate, Imported, Traits, matrix, of_module
from headgate.registry.importers.libraries import BACKENDS, import_keras, quiet
from headgate.registry.package import Engine, ModelInput, ModelOutput, Signature
from headgate.registry.ports import Predicted

ARTEFACT: Final = "model.keras"


def recognises(model: Any) -> bool:
    """Whether it is a Keras model, of whichever package Keras comes in; on PyTorch it is a module as well."""
    return of_module(model, "keras", "tf_keras", "tensorflow") and hasattr(model, "predict")


def traits(model: Any) -> Traits:
    """Nothing: a network knows shapes, not columns; the contract and the labels say the rest."""
    return Traits()


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Its own answers; ONNX, and the model's own file, to stand for it."""
    keras = import_keras()
    inputs = bind(model, contract)
    truth = Native(model, contract, inputs)
    decode = truth.decode(reference)
    scores = "scores" if contract.output.classes else None
    name = scores or "prediction"
    signature = Signature(
        inputs, [ModelOutput(name, "float32", [truth.width(reference)])], None if scores else name, scores
    )

    def write_onnx(folder: Path) -> None:
        with quiet():
            model.export(folder / graph.ARTEFACT, format="onnx", verbose=False)
        proto = graph.parse_file(folder / graph.ARTEFACT)
        graph.call(proto, [each.name for each in inputs], name)
        graph.finish(proto, name, decode)
        graph.save(proto, folder)

    def write(folder: Path) -> None:
        with quiet():
            model.save(folder / ARTEFACT)

    options = {"decode": decode, "backend": str(keras.backend.backend())}
    candidates = (
        Candidate("ONNX, float32 inputs", Engine.ONNX, graph.ARTEFACT, signature, write_onnx),
        Candidate("Keras itself, in the runtime host", Engine.KERAS, ARTEFACT, signature, write, options),
    )
    return Imported("Keras", truth, candidates, ("keras", *BACKENDS, "numpy", "onnx"))


def bind(model: Any, contract: Contract) -> list[ModelInput]:
    """What each input is made of: the field of its name; for a single input a tensor field, or all fields.

    Raises BadInput naming the input that nothing fits.
    """
    read = list(getattr(model, "inputs", None) or [None])
    if len(read) > 1:
        return [_of_its_name(each, contract) for each in read]
    dtype = _dtype(read[0])
    if len(contract.fields) == 1 and contract.fields[0].kind is Kind.TENSOR:
        only = contract.fields[0]
        return [ModelInput("X", dtype, [only.name], list(only.shape or (None,)))]
    wanted = None if read[0] is None or len(read[0].shape) != 2 else read[0].shape[1]
    if wanted not in (None, len(contract.names)):
        raise BadInput(
            "model", "shape", f"reads {wanted} numbers per row, the contract has {len(contract.names)} fields"
        )
    return matrix(contract, contract.names, dtype)


def _of_its_name(read: Any, contract: Contract) -> ModelInput:
    fields = {each.name: each for each in contract.fields}
    if read.name not in fields:
        raise BadInput(f"model.{read.name}", "missing", "no field of the contract has the name of this input")
    field = fields[read.name]
    if field.kind is Kind.TENSOR:
        return ModelInput(read.name, _dtype(read), [read.name], list(field.shape or (None,)))
    return matrix(contract, (read.name,), _dtype(read), read.name)[0]


def _dtype(read: Any) -> str:
    return "int64" if "int" in str(getattr(read, "dtype", "")) else "float32"


class Native:
    """The model answering tables by itself."""

    def __init__(self, model: Any, contract: Contract, inputs: list[ModelInput]) -> None:
        self._model = model
        self._contract = contract
        self._inputs = inputs
        self._decode = "number"

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row. Raises RuntimeFailed when the model does not take them."""
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
        feeds = native.feeds(table, Signature(self._inputs, []))
        rows = feeds[self._inputs[0].name] if len(feeds) == 1 else feeds
        try:
            with quiet():
                return first(self._model(rows, training=False))
        except (ValueError, TypeError, RuntimeError) as error:
            raise RuntimeFailed(f"the model refused its own reference rows: {native.first_line(error)}") from error


def first(said: Any) -> Any:
    """The first of a model's outputs as a NumPy array, whatever its backend keeps it in."""
    if isinstance(said, dict):
        said = list(said.values())
    if isinstance(said, Sequence):
        said = said[0]
    return np.asarray(import_keras().ops.convert_to_numpy(said))


def read(path: Path) -> Any:
    """The model in a ``.keras`` file, without running code from it. Raises MissingExtra without Keras."""
    keras = import_keras()
    try:
        with quiet():
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a zip, JSON, HDF5 or a layer nobody registered: many classes
        raise BadInput(
            "model",
            "type",
            "is not a model Keras saved, or contains code of its own; save it without Lambda and custom layers",
        ) from error
