"""XGBoost boosters and their scikit-learn wrappers: ONNX with float32 inputs, as XGBoost itself reads, else native."""

import json
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract
from headgate.errors import BadInput, MissingExtra
from headgate.registry.importers.boosters import CATEGORIES, Library, fitted, imported, traits_of
from headgate.registry.importers.importer import Imported, Traits, of_module, used
from headgate.registry.importers.trees import Link, Trees
from headgate.registry.package import Engine
from headgate.vocabulary import Task

LIBRARY: Final = Library("XGBoost", Engine.XGBOOST, "model.ubj", "xgboost", ("float32",), "float32")
_LINKS: Final[dict[str, Link]] = {
    **dict.fromkeys(("binary:logistic", "reg:logistic"), "sigmoid"),
    **dict.fromkeys(("multi:softprob", "multi:softmax"), "softmax"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "exp"),
    **dict.fromkeys(("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"), "identity"),
}
_OBJECTIVE: Final = re.compile(r'"objective":\s*"([a-z:_0-9]+)"')


def recognises(model: Any) -> bool:
    """Whether it is a Booster or a wrapper of XGBoost."""
    return of_module(model, "xgboost") and (hasattr(model, "get_booster") or hasattr(model, "inplace_predict"))


def traits(model: Any) -> Traits:
    """Columns, and classes where a wrapper knows them; a bare classifier booster leaves them to the labels."""
    booster = booster_of(model)
    names = booster.feature_names
    return traits_of(model, tuple(str(each) for each in names) if names else None, lambda: _task(booster))


def booster_of(model: Any) -> Any:
    """The booster inside a wrapper, or the booster. Raises BadInput when it was never fitted."""
    return fitted(model.get_booster) if hasattr(model, "get_booster") else model


def _task(booster: Any) -> Task:
    """By what the booster was fitted for, as XGBoost spells it: ``binary:logistic``, ``multi:softprob``."""
    found = _OBJECTIVE.search(booster.save_config())
    objective = found.group(1) if found else ""
    if objective.startswith("multi:"):
        return Task.MULTICLASS
    return Task.BINARY if objective == "binary:logistic" else Task.REGRESSION


def used_rounds(model: Any) -> Any:
    """The booster with only the rounds its wrapper predicts with: up to the best one after early stopping."""
    booster = booster_of(model)
    best = getattr(model, "best_iteration", None) if hasattr(model, "get_booster") and _stopped_early(model) else None
    return booster if best is None else booster[: best + 1]


def _stopped_early(model: Any) -> bool:
    return model.get_params().get("early_stopping_rounds") is not None


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Its own answers; ONNX float32 and the booster's own file to stand for it."""
    import xgboost  # noqa: PLC0415  adapter

    booster = used_rounds(model)

    def ask(rows: Any) -> Any:
        if isinstance(rows, np.ndarray):
            matrix = xgboost.DMatrix(rows, feature_names=booster.feature_names, nthread=1)
        else:
            matrix = xgboost.DMatrix(rows, enable_categorical=True, nthread=1)
        return booster.predict(matrix, validate_features=False)

    return imported(LIBRARY, booster, contract, used(traits(model), contract), trees_of=trees_of, ask=ask)


def trees_of(booster: Any) -> tuple[Trees, Link]:
    """The booster's trees and link. Raises BadInput for what ONNX trees cannot say exactly.

    XGBoost compares float32 values with float32 thresholds and adds float32 leaves, so one width says it all.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    boosting, objective = learner["gradient_booster"], learner["objective"]["name"]
    drops, boosting = boosting.get("weight_drop"), boosting.get("gbtree", boosting)
    if objective not in _LINKS or "trees" not in boosting.get("model", {}):
        raise BadInput("model", "type", "this objective or kind of booster has no ONNX form yet")
    link, groups = _LINKS[objective], boosting["model"]["tree_info"]
    targets = max(1, int(learner["learner_model_param"]["num_class"]))
    trees = Trees(targets, _base(learner["learner_model_param"]["base_score"], link, targets))
    for number, (tree, group) in enumerate(zip(boosting["model"]["trees"], groups, strict=True)):
        _add(trees, number, group, tree, 1.0 if drops is None else drops[number])
    return trees, link


def _base(said: str, link: Link, targets: int) -> list[float]:
    """The score before any tree; the model keeps it as an answer, so the link is undone."""
    scores = np.broadcast_to(np.asarray(json.loads(said), np.float64).reshape(-1), targets)
    match link:
        case "sigmoid":
            scores = np.log(scores) - np.log1p(-scores)
        case "exp":
            scores = np.log(scores)
    return [float(each) for each in scores]


def _add(trees: Trees, number: int, group: int, tree: dict[str, Any], weight: float) -> None:
    if any(tree["split_type"]):
        raise BadInput("model", "type", CATEGORIES)
    if int(tree["tree_param"]["size_leaf_vector"]) > 1:
        raise BadInput("model", "type", "trees of several outputs have no ONNX form yet")
    for node, (yes, no) in enumerate(zip(tree["left_children"], tree["right_children"], strict=True)):
        value = float(np.float32(tree["split_conditions"][node]))  # printed with as few digits as name one float32
        if yes < 0:
            trees.leaf(number, node, group, value * weight)
            continue
        trees.branch(
            number,
            node,
            feature=int(tree["split_indices"][node]),
            threshold=value,
            yes=yes,
            no=no,
            missing_yes=bool(tree["default_left"][node]),
            strict=True,
        )


def read(path: Path) -> Any:
    """The booster in a ``.ubj`` or ``.json`` file. Raises BadInput for another file, MissingExtra without XGBoost."""
    try:
        import xgboost  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("an XGBoost model", "xgboost") from error
    booster = xgboost.Booster()
    try:
        booster.load_model(path)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise BadInput("model", "type", "is not a model XGBoost saved") from error
    return booster
