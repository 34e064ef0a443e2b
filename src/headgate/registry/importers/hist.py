"""Converters that skl2onnx is given for the estimators it gets wrong: histogram boosting, and imputing in float64.

Its own histogram boosting converter rounds float64 thresholds to the nearest float32, has no float64 form, and with
protobuf 7 fails outright, because it puts booleans into lists of integers. Its imputer has no float64 form.
"""

from typing import Any

import numpy as np

from headgate.errors import BadInput
from headgate.registry.importers.trees import ML_OPSET, Link, Trees, Width

_FLOAT, _DOUBLE, _INT64 = 1, 11, 7


def conversions(width: Width) -> dict[type, Any]:
    """Converters by estimator class, for ``convert_sklearn(custom_conversion_functions=...)``."""
    from sklearn.ensemble import (  # noqa: PLC0415  adapter
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )
    from sklearn.impute import SimpleImputer  # noqa: PLC0415  adapter

    def boosting(scope: Any, operator: Any, container: Any) -> None:
        _convert_boosting(scope, operator, container, width)

    found: dict[type, Any] = {HistGradientBoostingClassifier: boosting, HistGradientBoostingRegressor: boosting}
    found[SimpleImputer] = _convert_imputer
    return found


def trees_of(model: Any) -> tuple[Trees, Link]:
    """The trees of a fitted histogram booster and its link. Raises BadInput for splits on categories."""
    per_step = model.n_trees_per_iteration_
    trees = Trees(per_step, [float(each) for each in np.ravel(model._baseline_prediction)])
    for step, predictors in enumerate(model._predictors):
        for target, predictor in enumerate(predictors):
            number = step * per_step + target
            for node, row in enumerate(predictor.nodes):
                if row["is_leaf"]:
                    trees.leaf(number, node, target, float(row["value"]))
                    continue
                if row["is_categorical"]:
                    raise BadInput("model", "type", "splits on categories have no ONNX form yet")
                trees.branch(
                    number,
                    node,
                    int(row["feature_idx"]),
                    float(row["num_threshold"]),
                    yes=int(row["left"]),
                    no=int(row["right"]),
                    missing_yes=bool(row["missing_go_to_left"]),
                )
    links: dict[str, Link] = {
        "IdentityLink": "identity",
        "LogLink": "exp",
        "LogitLink": "sigmoid",
        "HalfLogitLink": "sigmoid",
        "MultinomialLogit": "softmax",
    }
    return trees, links[type(model._loss.link).__name__]


class _Steps:
    """Adds operators one after another to a skl2onnx container."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def add(self, kind: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        out = output or self._scope.get_unique_variable_name(kind.lower())
        attributes.setdefault("op_version", 13)
        self._container.add_node(kind, inputs, [out], name=self._scope.get_unique_operator_name(kind), **attributes)
        return out

    def constant(self, kind: int, shape: list[int], values: list[Any]) -> str:
        name: str = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(name, kind, shape, values)
        return name


def _convert_boosting(scope: Any, operator: Any, container: Any, width: Width) -> None:
    steps = _Steps(scope, container)
    model = operator.raw_operator
    trees, link = trees_of(model)
    kind = _DOUBLE if width == "float64" else _FLOAT
    rows = steps.add("Cast", [operator.inputs[0].full_name], to=kind)
    raw = steps.add(
        "TreeEnsembleRegressor", [rows], op_domain="ai.onnx.ml", op_version=ML_OPSET, **trees.attributes(width)
    )
    wide = steps.add("Cast", [raw], to=kind)
    names = {"identity": "Identity", "exp": "Exp", "sigmoid": "Sigmoid", "softmax": "Softmax"}
    out = [each.full_name for each in operator.outputs]
    if not hasattr(model, "classes_"):
        steps.add(names[link], [wide], out[0])
        return
    scores = steps.add(names[link], [wide], *([out[1]] if link == "softmax" else []))
    if link == "sigmoid":
        other = steps.add("Sub", [steps.constant(kind, [1], [1.0]), scores])
        scores = steps.add("Concat", [other, scores], out[1], axis=1)
    best = steps.add("ArgMax", [scores], axis=1, keepdims=0)
    text = model.classes_.dtype.kind in "UO"
    values = [str(each).encode() for each in model.classes_] if text else [int(each) for each in model.classes_]
    known = steps.constant(8 if text else _INT64, [len(values)], values)
    steps.add("Gather", [known, best], out[0])


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common._registration import get_converter  # noqa: PLC0415  adapter
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType  # noqa: PLC0415  adapter

    model = operator.raw_operator
    kinds = {type(each.type) for each in operator.inputs}
    plain = kinds <= {FloatTensorType, DoubleTensorType} and len(kinds) == 1
    whole = (
        not model.add_indicator and not np.isnan(np.asarray(model.statistics_, np.float64)).any() if plain else False
    )
    if not whole or not isinstance(model.missing_values, float):
        get_converter(operator.type)(scope, operator, container)
        return
    steps = _Steps(scope, container)
    rows = operator.inputs[0].full_name
    if len(operator.inputs) > 1:
        rows = steps.add("Concat", [each.full_name for each in operator.inputs], axis=1)
    kind = _DOUBLE if kinds == {DoubleTensorType} else _FLOAT
    fill = steps.constant(kind, [1, len(model.statistics_)], [float(each) for each in model.statistics_])
    missing = steps.add("IsNaN", [rows])
    steps.add("Where", [missing, fill, rows], operator.outputs[0].full_name, op_version=9)
