"""Small repairs of ONNX graphs that every converter's output may need, and a way to ask them directly."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from headgate.contracts.contract import Contract
from headgate.registry.native import Array, feeds, predicted
from headgate.registry.package import Engine, ModelInput, ModelOutput, Signature
from headgate.registry.ports import Predicted

ARTEFACT: Final = "model.onnx"
LOCALE: Final = "C.UTF-8"
"""Part of the C library itself, unlike ``en_US``, which a small image does not have."""
DTYPES: Final = {1: "float32", 6: "int64", 7: "int64", 8: "string", 9: "bool", 11: "float64"}
"""onnx.TensorProto.DataType to the words of a signature."""


def tidy(proto: Any) -> Any:
    """The model with map outputs as plain arrays, free batch dimensions, and a locale every machine has."""
    _drop_zipmap(proto.graph)
    for each in [*proto.graph.input, *proto.graph.output]:
        dims = each.type.tensor_type.shape.dim
        if dims and (dims[0].HasField("dim_value") or not dims[0].dim_param):
            dims[0].Clear()
            dims[0].dim_param = "batch"
    for node in proto.graph.node:
        if node.op_type == "StringNormalizer":
            _set_locale(node)
    return proto


def _set_locale(node: Any) -> None:
    for attribute in [each for each in node.attribute if each.name == "locale"]:
        node.attribute.remove(attribute)
    attribute = node.attribute.add()
    attribute.name, attribute.type, attribute.s = "locale", 3, LOCALE.encode()  # 3: AttributeProto.STRING


def _drop_zipmap(graph: Any) -> None:
    for node in [each for each in graph.node if each.op_type == "ZipMap"]:
        source, mapped = node.input[0], node.output[0]
        graph.node.remove(node)
        for output in graph.output:
            if output.name == mapped:
                output.name = source
                output.type.Clear()
                output.type.tensor_type.elem_type = 1
                output.type.tensor_type.shape.dim.add().dim_param = "batch"
                output.type.tensor_type.shape.dim.add()


def save(proto: Any, folder: Path) -> None:
    """Write a tidied model as the package's artefact."""
    (folder / ARTEFACT).write_bytes(tidy(proto).SerializeToString())


def session(model: bytes) -> Any:
    """An ONNX Runtime session of one thread, silent; raises what ONNX Runtime raises for a bad graph."""
    import onnxruntime  # noqa: PLC0415  adapter

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def outputs(proto: Any) -> list[ModelOutput]:
    """The outputs of a graph in the words of a signature; maps and sequences are left out."""
    found = []
    for each in proto.graph.output:
        kind = each.type.tensor_type
        if each.type.HasField("tensor_type") and kind.elem_type in DTYPES:
            shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim[1:]]
            found.append(ModelOutput(each.name, DTYPES[kind.elem_type], shape))
    return found


def decide_outputs(found: list[ModelOutput], contract: Contract) -> tuple[str | None, str | None]:
    """Which output is the prediction and which the scores, by type and width: (prediction, scores)."""
    classes = contract.output.classes
    if not classes:
        numbers = [each.name for each in found if each.dtype in ("float32", "float64")]
        return (numbers[0] if numbers else None), None
    scores = prediction = None
    for each in found:
        if each.dtype in ("float32", "float64"):
            fits = len(each.shape) == 1 and each.shape[0] in (None, 1, len(classes))
            scores = scores or (each.name if fits or not each.shape else None)
        elif not isinstance(classes[0], bool) and (each.dtype == "string") == isinstance(classes[0], str):
            prediction = prediction or each.name
    return prediction, scores


class OnnxModel:
    """An ONNX graph answering tables directly: the truth for models that come as ONNX."""

    engine = Engine.ONNX

    def __init__(self, model: bytes, signature: Signature, contract: Contract) -> None:
        self._session = session(model)
        self._signature = signature
        self._contract = contract

    def predict(self, table: Any) -> Predicted:
        """Answer every row of a table."""
        names = [each.name for each in self._signature.outputs]
        found: dict[str, Array] = dict(zip(names, self._session.run(names, feeds(table, self._signature)), strict=True))
        said = found.get(self._signature.prediction or "")
        return predicted(said, found.get(self._signature.scores or ""), self._contract)


def signature(proto: Any, inputs: list[ModelInput], contract: Contract) -> Signature:
    """The signature of a graph: given inputs, its outputs, and which of them mean what."""
    found = outputs(proto)
    prediction, scores = decide_outputs(found, contract)
    return Signature(inputs, found, prediction, scores)


def parse_file(path: Path) -> Any:
    """The graph in a file that was just written."""
    import onnx  # noqa: PLC0415  adapter

    return onnx.load_model_from_string(path.read_bytes())


def rename(made: Any, names: dict[str, str]) -> None:
    """Rename values wherever nodes read or write them."""
    for node in made.node:
        node.input[:] = [names.get(each, each) for each in node.input]
        node.output[:] = [names.get(each, each) for each in node.output]


def call(proto: Any, inputs: list[str], output: str) -> None:
    """Name a graph's inputs, in their order, and its first output; other outputs go."""
    del proto.graph.output[1:]
    call_inputs(proto, inputs)
    names = {proto.graph.output[0].name: output}
    rename(proto.graph, names)
    for each in proto.graph.output:
        each.name = names[each.name]


def call_inputs(proto: Any, inputs: list[str]) -> None:
    """Name a graph's inputs, in their order."""
    names = {each.name: name for each, name in zip(proto.graph.input, inputs, strict=True)}
    rename(proto.graph, names)
    for each in proto.graph.input:
        each.name = names[each.name]


def finish(proto: Any, output: str, decode: str) -> None:
    """Write the step `decoding` names behind the graph's answer, which is called `output` before and after."""
    if decode not in ("softmax", "sigmoid"):
        return
    raw = f"{output}_raw"
    rename(proto.graph, {output: raw})
    node = proto.graph.node.add()
    node.op_type, node.input[:], node.output[:] = decode.capitalize(), [raw], [output]
    if decode == "softmax":
        axis = node.attribute.add()
        axis.name, axis.type, axis.i = "axis", 2, -1  # 2: AttributeProto.INT


def decoding(said: Array) -> str:
    """How raw answers become probabilities: ``proba`` when they are, else ``softmax`` or ``sigmoid``.

    >>> decoding(np.array([[0.2, 0.8]])), decoding(np.array([[2.0, -1.0]])), decoding(np.array([[3.0]]))
    ('proba', 'softmax', 'sigmoid')
    """
    flat = said.reshape(len(said), -1)
    inside = bool(((flat >= 0) & (flat <= 1)).all())
    if inside and (flat.shape[1] == 1 or np.allclose(flat.sum(axis=1), 1.0, atol=1e-3)):
        return "proba"
    return "sigmoid" if flat.shape[1] == 1 else "softmax"


def as_probabilities(said: Array, decode: str) -> Array:
    """Raw answers after the step `decoding` names."""
    flat = np.asarray(said, np.float64).reshape(len(said), -1)
    if decode == "sigmoid":
        return np.asarray(np.exp(-np.logaddexp(0.0, -flat)))
    if decode == "softmax":
        powers: Array = np.exp(flat - flat.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    return flat
