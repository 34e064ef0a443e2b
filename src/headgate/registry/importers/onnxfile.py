"""ONNX files as they are: checked, given a free batch dimension, and asked once before they are believed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput
from headgate.registry.importers import graph
from headgate.registry.importers.importer import Candidate, Imported, Traits
from headgate.registry.package import Engine, ModelInput
from headgate.vocabulary import Task

_INT32: Final = 6
"""onnx.TensorProto.INT32: read from a graph as whole numbers like any, but no graph takes wider ones in its place."""


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """The bytes of a checked ONNX file."""

    content: bytes


def recognises(model: Any) -> bool:
    """Whether it is a file `read` returned."""
    return isinstance(model, OnnxFile)


def read(path: Path) -> OnnxFile:
    """The file, checked. Raises BadInput when it is not an ONNX model ONNX Runtime can load."""
    return check(path.read_bytes())


def check(content: bytes) -> OnnxFile:
    """The same bytes, known to be an ONNX model with named inputs. Raises BadInput when they are not."""
    proto = parse(content)
    try:
        graph.session(graph.tidy(proto).SerializeToString())
    except Exception as error:  # ONNX Runtime has a dozen classes for this, none of them public
        raise BadInput("model", "type", "ONNX Runtime cannot load this graph; export it again") from error
    return OnnxFile(content)


def parse(content: bytes) -> Any:
    """The graph in these bytes. Raises BadInput when there is none."""
    import onnx  # noqa: PLC0415  adapter

    try:
        proto = onnx.load_model_from_string(content)
    except Exception as error:  # the class is protobuf's, and differs by its version
        raise BadInput("model", "type", "is not an ONNX file") from error
    if not proto.graph.node or not proto.opset_import:
        raise BadInput("model", "type", "is not an ONNX file")
    if any(each.data_location == onnx.TensorProto.EXTERNAL for each in proto.graph.initializer):
        raise BadInput("model", "type", "keeps its weights in other files; save it as one file")
    return proto


def traits(model: OnnxFile) -> Traits:
    """Nothing: an ONNX file knows shapes, not columns; the contract and the labels say the rest."""
    return Traits()


def build(model: OnnxFile, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """The graph itself, as the truth and as the only candidate."""
    proto = graph.tidy(parse(model.content))
    content = proto.SerializeToString()
    signature = graph.signature(proto, bind(proto, contract), contract)
    if contract.output.classes and signature.prediction is None and signature.scores is None:
        raise BadInput("model", "shape", "has no output with one score per class or one class per row")
    truth = graph.OnnxModel(content, signature, contract)
    _ask(truth, contract, reference)

    def write(folder: Path) -> None:
        (folder / graph.ARTEFACT).write_bytes(content)

    candidate = Candidate("the ONNX file itself", Engine.ONNX, graph.ARTEFACT, signature, write)
    return Imported("ONNX", truth, (candidate,), ("onnx", "onnxruntime"))


def bind(proto: Any, contract: Contract) -> list[ModelInput]:
    """Which fields each graph input is made of: the field of its name, or all numbers for a single matrix.

    Raises BadInput naming the input that nothing fits.
    """
    given = {each.name for each in proto.graph.initializer}
    inputs = [each for each in proto.graph.input if each.name not in given]
    bound = []
    for each in inputs:
        kind = each.type.tensor_type
        dtype = graph.DTYPES.get(kind.elem_type) if kind.elem_type != _INT32 else None
        shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim[1:]]
        if dtype is None:
            raise BadInput(f"model.{each.name}", "type", "has an element type Headgate does not feed")
        bound.append(_bind(each.name, dtype, shape, contract, alone=len(inputs) == 1))
    return bound


def _bind(name: str, dtype: str, shape: list[int | None], contract: Contract, *, alone: bool) -> ModelInput:
    fields = {each.name: each for each in contract.fields}
    if name in fields:
        return ModelInput(name, dtype, [name], shape or [1])
    if alone and len(fields) == 1:
        return ModelInput(name, dtype, list(fields), shape or [1])
    if alone and len(shape) == 1 and all(each.kind is not Kind.TENSOR for each in fields.values()):
        if shape[0] not in (None, len(fields)):
            raise BadInput(f"model.{name}", "shape", f"reads {shape[0]} columns, the contract has {len(fields)} fields")
        return ModelInput(name, dtype, list(fields), [len(fields)])
    raise BadInput(f"model.{name}", "missing", "no field of the contract has this input's name")


def _ask(model: graph.OnnxModel, contract: Contract, reference: pa.Table) -> None:
    for rows in (1, 3):
        if reference.num_rows < rows:
            return
        try:
            said = model.predict(reference.slice(0, rows))
        except BadInput:
            raise
        except Exception as error:  # ONNX Runtime's own classes again
            raise BadInput(
                "model", "shape", f"fails on {rows} reference rows; export it with a free batch dimension"
            ) from error
        if contract.output.task is not Task.TENSOR and len(said.prediction) != rows:
            raise BadInput("model", "shape", f"gives {len(said.prediction)} answers for {rows} rows")
