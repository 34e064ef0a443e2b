"""Decision trees written as one ONNX node that keeps the model's own precision.

The usual converters round thresholds to the nearest float32, so that a float64 feature can fall on the other side
of a split. Here a float64 model keeps float64 thresholds (ai.onnx.ml 3), and a float32 one rounds them *down*:
for every float32 x, ``x <= t`` holds exactly when ``x <= floor32(t)``. LightGBM and scikit-learn's histogram
boosting, both of which compare float64 values, use it, and XGBoost, which compares float32 values.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

Width = Literal["float32", "float64"]
Link = Literal["identity", "exp", "sigmoid", "softmax"]
WIDTHS: Final[tuple[Width, ...]] = ("float32", "float64")
ML_OPSET: Final = 3
"""The first version of ai.onnx.ml with float64 trees."""


@dataclass(slots=True)
class Trees:
    """An additive ensemble: every row's answer is `base` plus one leaf per tree, by target."""

    targets: int
    base: list[float]
    tree: list[int] = field(default_factory=list)
    node: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    mode: list[str] = field(default_factory=list)
    yes: list[int] = field(default_factory=list)
    no: list[int] = field(default_factory=list)
    missing_yes: list[int] = field(default_factory=list)
    leaves: list[tuple[int, int, int, float]] = field(default_factory=list)
    """(tree, node, target, weight)."""

    def branch(
        self,
        tree: int,
        node: int,
        *,
        feature: int,
        threshold: float,
        yes: int,
        no: int,
        missing_yes: bool,
        strict: bool = False,
    ) -> None:
        """Add a split: rows with ``feature <= threshold``, or ``<`` if `strict`, go to node `yes`."""
        self._node(tree, node, "BRANCH_LT" if strict else "BRANCH_LEQ", feature, threshold)
        self.yes[-1], self.no[-1], self.missing_yes[-1] = yes, no, int(missing_yes)

    def leaf(self, tree: int, node: int, target: int, weight: float) -> None:
        """Add a leaf that adds `weight` to `target`."""
        self._node(tree, node, "LEAF", 0, 0.0)
        self.leaves.append((tree, node, target, weight))

    def _node(self, tree: int, node: int, mode: str, feature: int, threshold: float) -> None:
        self.tree.append(tree)
        self.node.append(node)
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.mode.append(mode)
        for each in (self.yes, self.no, self.missing_yes):
            each.append(0)

    def attributes(self, width: Width) -> dict[str, Any]:
        """The attributes of a ``TreeEnsembleRegressor`` node that reads inputs of that width."""
        weights = [each[3] for each in self.leaves]
        # ONNX Runtime takes the first node it meets of a tree for its root, whatever the ids say.
        order = sorted(range(len(self.node)), key=lambda place: (self.tree[place], self.node[place]))
        threshold = [self.threshold[place] for place in order]
        shape = {
            "n_targets": self.targets,
            "nodes_treeids": [self.tree[place] for place in order],
            "nodes_nodeids": [self.node[place] for place in order],
            "nodes_featureids": [self.feature[place] for place in order],
            "nodes_modes": [self.mode[place] for place in order],
            "nodes_truenodeids": [self.yes[place] for place in order],
            "nodes_falsenodeids": [self.no[place] for place in order],
            "nodes_missing_value_tracks_true": [self.missing_yes[place] for place in order],
            "target_treeids": [each[0] for each in self.leaves],
            "target_nodeids": [each[1] for each in self.leaves],
            "target_ids": [each[2] for each in self.leaves],
        }
        if width == "float32":
            values = [float(each) for each in floor32(np.array(threshold))]
            return {**shape, "nodes_values": values, "target_weights": weights, "base_values": self.base}
        return {
            **shape,
            "nodes_values_as_tensor": _tensor("values", threshold),
            "target_weights_as_tensor": _tensor("weights", weights),
            "base_values_as_tensor": _tensor("base", self.base),
        }


def floor32(values: Any) -> Any:
    """The largest float32 not above each float64.

    >>> float(floor32(np.array([0.1]))[0]) <= 0.1 < float(np.float32(0.1))
    True
    """
    with np.errstate(over="ignore"):
        near = np.asarray(values, np.float64).astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def model(trees: Trees, features: int, width: Width, link: Link, *, classifier: bool) -> Any:
    """A whole ONNX model: input ``X``, output ``scores`` (classifier) or ``prediction``."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - adapter

    kind = TensorProto.DOUBLE if width == "float64" else TensorProto.FLOAT
    raw, last = "raw", "scores" if classifier else "prediction"
    operator = {"identity": "Identity", "exp": "Exp", "sigmoid": "Sigmoid", "softmax": "Softmax"}[link]
    extra: dict[str, Any] = {"axis": 1} if link == "softmax" else {}
    nodes = [
        helper.make_node("TreeEnsembleRegressor", ["X"], [raw], domain="ai.onnx.ml", **trees.attributes(width)),
        helper.make_node(operator, [raw], [last], **extra),
    ]
    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info("X", kind, [None, features])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [None, trees.targets])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _tensor(name: str, values: list[float]) -> Any:
    from onnx import numpy_helper  # noqa: PLC0415 - adapter

    return numpy_helper.from_array(np.asarray(values, np.float64), name)
