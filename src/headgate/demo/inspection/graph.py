"""The network of `network.py` as an ONNX graph, node by node; tests hold the two together."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

from headgate.demo.inspection.eye import INPUT, SIDE
from headgate.demo.inspection.network import COARSE, FAINTEST, FILTERS, GROUPS, Network

OPSET: Final = 17
IR_VERSION: Final = 8
"""What the oldest ONNX Runtime that Headgate takes can read."""
OUTPUT: Final = "scores"


def graph(network: Network) -> bytes:
    """The file: pictures of shape (pictures, SIDE, SIDE) with shades 0 to 1 in, (pictures, classes) out."""
    given: dict[str, NDArray[Any]] = {
        "filters": FILTERS[:, None],
        "faintest": np.array(FAINTEST),
        "one": np.array(1, np.float32),
        "channel": np.array([1], np.int64),
        "groups": np.array(GROUPS, np.int64),
        "weights": network.weights,
        "biases": network.biases,
    }
    if network.brightness is not None:
        given["brightness"] = np.array(network.brightness, np.float32)
    nodes = [
        helper.make_node("Unsqueeze", [INPUT, "channel"], ["picture"]),
        *_shades(network),
        helper.make_node("AveragePool", ["shades"], ["coarse"], kernel_shape=[COARSE] * 2, strides=[COARSE] * 2),
        *_strengths("shades"),
        *_strengths("coarse"),
        helper.make_node("Concat", ["shades_strengths", "coarse_strengths"], ["strengths"], axis=1),
        helper.make_node("Add", ["strengths", "faintest"], ["some"]),
        helper.make_node("Log", ["some"], ["features"]),
        helper.make_node("Gemm", ["features", "weights", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], [OUTPUT], axis=1),
    ]
    drawn = helper.make_graph(
        nodes,
        "inspection",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["pictures", SIDE, SIDE])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["pictures", len(network.biases)])],
        [numpy_helper.from_array(value, name) for name, value in given.items()],
    )
    model = helper.make_model(drawn, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _shades(network: Network) -> list[Any]:
    """How much brighter than usual each point is, as a share."""
    usual = "own" if network.brightness is None else "brightness"
    own = [helper.make_node("ReduceMean", ["picture"], ["own"], axes=[2, 3], keepdims=1)]
    return [
        *(own if network.brightness is None else []),
        helper.make_node("Add", [usual, "faintest"], ["level"]),
        helper.make_node("Div", ["picture", "level"], ["shares"]),
        helper.make_node("Sub", ["shares", "one"], ["shades"]),
    ]


def _strengths(size: str) -> list[Any]:
    """How strongly each group of filters answers anywhere, then how strongly on average."""
    nodes = [
        helper.make_node("Conv", [size, "filters"], [f"{size}_answers"]),
        helper.make_node("Abs", [f"{size}_answers"], [f"{size}_sizes"]),
    ]
    parts = []
    for pool in ("GlobalMaxPool", "GlobalAveragePool"):
        pooled = f"{size}_{pool}"
        names = [f"{pooled}_{place}" for place in range(len(GROUPS))]
        nodes += [
            helper.make_node(pool, [f"{size}_sizes"], [f"{pooled}_square"]),
            helper.make_node("Flatten", [f"{pooled}_square"], [pooled]),
            helper.make_node("Split", [pooled, "groups"], names, axis=1),
            *(helper.make_node("ReduceMax", [each], [f"{each}_top"], axes=[1], keepdims=1) for each in names),
        ]
        parts += [f"{each}_top" for each in names]
    return [*nodes, helper.make_node("Concat", parts, [f"{size}_strengths"], axis=1)]
