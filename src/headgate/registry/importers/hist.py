"""Converters that skl2onnx is given for the estimators it gets wrong.

XGBoost and LightGBM inside pipelines: it has none of its own. Histogram boosting: its own converter rounds float64
thresholds to the nearest float32, has no float64 form, and with protobuf 7 fails outright, because it puts booleans
into lists of integers. Imputers: no float64 form, and no missing
strings. Other trees: scikit-learn casts what they read to float32, so in a float64 graph they must be cast to too.
"""

import copy
import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from headgate.errors import BadInput
from headgate.registry.importers import lightgbm, xgboost
from headgate.registry.importers.boosters import CATEGORIES
from headgate.registry.importers.trees import ML_OPSET, Link, Trees, Width

NULL_TEXT: Final = "nan"
"""What stands for a missing string in converted pipelines; it is what their encoders call that category."""
_FLOAT, _DOUBLE, _INT64 = 1, 11, 7


def conversions(width: Width) -> dict[type, Any]:
    """Converters by estimator class, for ``convert_sklearn(custom_conversion_functions=...)``."""
    from sklearn.ensemble import (  # noqa: PLC0415  adapter
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )
    from sklearn.impute import SimpleImputer  # noqa: PLC0415  adapter

    boosting = _boosting(trees_of, width)
    found: dict[type, Any] = {HistGradientBoostingClassifier: boosting, HistGradientBoostingRegressor: boosting}
    found |= _boosters(width)
    found[SimpleImputer] = _convert_imputer
    if width == "float64":
        found |= dict.fromkeys(_reading_float32(), _convert_in_float32)
    return found


def _boosters(width: Width) -> dict[type, Any]:
    """Converters for wrappers of XGBoost and LightGBM, if their library was loaded, as it was where there is one."""
    found: dict[type, Any] = {}
    if (library := sys.modules.get("lightgbm")) is not None:
        converter = _boosting(lambda model: lightgbm.trees_of(lightgbm.booster_of(model)), width)
        found |= dict.fromkeys((library.LGBMClassifier, library.LGBMRegressor), converter)
    if (library := sys.modules.get("xgboost")) is not None:
        # XGBoost reads float32 whatever it is given.
        converter = _boosting(_xgboost_trees, "float32")
        kinds = (library.XGBClassifier, library.XGBRegressor, library.XGBRFClassifier, library.XGBRFRegressor)
        found |= dict.fromkeys(kinds, converter)
    for kind, converter in found.items():
        _register(kind, converter)
    return found


def _xgboost_trees(model: Any) -> tuple[Trees, Link]:
    if not np.isnan(model.missing):
        raise BadInput("model", "type", "it reads a number as missing, which trees in ONNX cannot say")
    return xgboost.trees_of(xgboost.used_rounds(model))


def _register(kind: type, converter: Any) -> None:
    """Tell skl2onnx that there is such a class and what its outputs are; the converter is given at every call."""
    from skl2onnx import update_registered_converter  # noqa: PLC0415  adapter
    from skl2onnx.common.shape_calculator import (  # noqa: PLC0415  adapter
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    classifier = hasattr(kind, "predict_proba")
    update_registered_converter(
        kind,
        f"Headgate{kind.__name__}",
        calculate_linear_classifier_output_shapes if classifier else calculate_linear_regressor_output_shapes,
        converter,
        overwrite=True,
        options={"zipmap": [True, False, "columns"], "nocl": [True, False]} if classifier else {},
    )


def _reading_float32() -> tuple[type, ...]:
    from sklearn import ensemble, tree  # noqa: PLC0415  adapter

    return (
        tree.DecisionTreeClassifier,
        tree.DecisionTreeRegressor,
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
        ensemble.GradientBoostingClassifier,
        ensemble.GradientBoostingRegressor,
    )


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
                    raise BadInput("model", "type", CATEGORIES)
                trees.branch(
                    number,
                    node,
                    feature=int(row["feature_idx"]),
                    threshold=float(row["num_threshold"]),
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


def _boosting(trees_of: Callable[[Any], tuple[Trees, Link]], width: Width) -> Any:
    """A converter for estimators whose trees `trees_of` reads; in a graph of the other width rows are cast."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        trees, link = trees_of(operator.raw_operator)
        kind = _DOUBLE if width == "float64" else _FLOAT
        steps = _Steps(scope, container)
        rows = steps.add("Cast", [operator.inputs[0].full_name], to=kind)
        raw = steps.add(
            "TreeEnsembleRegressor", [rows], op_domain="ai.onnx.ml", op_version=ML_OPSET, **trees.attributes(width)
        )
        _answer(steps, operator, raw, link)

    return convert


def _answer(steps: _Steps, operator: Any, raw: str, link: Link) -> None:
    """From sums of leaves to a prediction, or to a label and its probabilities."""
    model = operator.raw_operator
    kind = _kind_of(operator.outputs[-1])
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


class _Seen:
    """An operator as a converter is to see it: with other inputs, outputs or another estimator."""

    def __init__(self, operator: Any, **changed: Any) -> None:
        self._operator = operator
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operator, name)


def _kind_of(variable: Any) -> int:
    return _DOUBLE if "Double" in type(variable.type).__name__ else _FLOAT


def _convert_in_float32(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common._registration import get_converter  # noqa: PLC0415  adapter
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415  adapter

    steps = _Steps(scope, container)

    def narrow(variable: Any) -> Any:
        if _kind_of(variable) != _DOUBLE:
            return variable
        return scope.declare_local_variable("narrow", FloatTensorType(list(variable.type.shape)))

    inputs = [narrow(each) for each in operator.inputs]
    outputs = [narrow(each) for each in operator.outputs]
    seen = _Seen(
        operator,
        inputs=inputs,
        outputs=outputs,
        input_full_names=[each.full_name for each in inputs],
        output_full_names=[each.full_name for each in outputs],
    )
    for wide, read in zip(operator.inputs, inputs, strict=True):
        if wide is not read:
            steps.add("Cast", [wide.full_name], read.full_name, to=_FLOAT)
    get_converter(operator.type)(scope, seen, container)
    for wide, said in zip(operator.outputs, outputs, strict=True):
        if wide is not said:
            steps.add("Cast", [said.full_name], wide.full_name, to=_DOUBLE)


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common._registration import get_converter  # noqa: PLC0415  adapter

    model = operator.raw_operator
    numeric = all(type(each.type).__name__ in ("FloatTensorType", "DoubleTensorType") for each in operator.inputs)
    if not isinstance(model.missing_values, float) or model.add_indicator:
        get_converter(operator.type)(scope, operator, container)
    elif numeric and not np.isnan(np.asarray(model.statistics_, np.float64)).any():
        _fill_numbers(_Steps(scope, container), operator, np.asarray(model.statistics_, np.float64))
    else:
        spelled = copy.copy(model)
        spelled.missing_values = NULL_TEXT
        get_converter(operator.type)(scope, _Seen(operator, raw_operator=spelled), container)


def _fill_numbers(steps: _Steps, operator: Any, fills: Any) -> None:
    rows = operator.inputs[0].full_name
    if len(operator.inputs) > 1:
        rows = steps.add("Concat", [each.full_name for each in operator.inputs], axis=1)
    constant = steps.constant(_kind_of(operator.inputs[0]), [1, len(fills)], [float(each) for each in fills])
    steps.add("Where", [steps.add("IsNaN", [rows]), constant, rows], operator.outputs[0].full_name, op_version=9)
