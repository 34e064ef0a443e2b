"""XGBoost boosters and their scikit-learn wrappers: ONNX with float32 inputs, as XGBoost itself reads, else native."""

import json
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract
from headgate.errors import BadInput, MissingExtra
from headgate.registry import native
from headgate.registry.importers.boosters import CATEGORIES, onnx_candidate
from headgate.registry.importers.importer import (
    TEXTUAL,
    Candidate,
    Imported,
    Traits,
    answers,
    columns,
    no_form,
    of_module,
    plain,
    task_of,
    used,
)
from headgate.registry.importers.trees import Link, Trees
from headgate.registry.package import Engine, Signature
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

ARTEFACT: Final = "model.ubj"
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
    fields = None if not names else tuple(str(each) for each in names)
    if (classes := getattr(model, "classes_", None)) is not None:
        known = plain(classes)
        return Traits(fields, task_of(known), known, True)
    objective = objective_of(booster)
    if objective == "binary:logistic":
        return Traits(fields, Task.BINARY, (), True)
    if objective.startswith("multi:"):
        return Traits(fields, Task.MULTICLASS, (), True)
    return Traits(fields, Task.REGRESSION)


def booster_of(model: Any) -> Any:
    """The booster inside a wrapper, or the booster. Raises BadInput when it was never fitted."""
    if not hasattr(model, "get_booster"):
        return model
    try:
        return model.get_booster()
    except Exception as error:
        raise BadInput("model", "type", "is not fitted; call fit before registering it") from error


def objective_of(booster: Any) -> str:
    """What the booster was fitted for, as XGBoost spells it: ``binary:logistic``, ``multi:softprob``."""
    found = _OBJECTIVE.search(booster.save_config())
    return found.group(1) if found else ""


def used_rounds(model: Any) -> Any:
    """The booster with only the rounds its wrapper predicts with: up to the best one after early stopping."""
    booster = booster_of(model)
    best = getattr(model, "best_iteration", None) if hasattr(model, "get_booster") and _stopped_early(model) else None
    return booster if best is None else booster[: best + 1]


def _stopped_early(model: Any) -> bool:
    return model.get_params().get("early_stopping_rounds") is not None


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Its own answers; ONNX float32 and the booster's own file to stand for it."""
    fields = used(traits(model), contract)
    booster = used_rounds(model)
    kinds = {each.name: each.kind for each in contract.fields}
    numeric = all(kinds[each] not in TEXTUAL for each in fields)
    shape = {"input": "matrix"} if numeric else {"input": "frame", "categories": "dtype"}
    said = answers(contract, "float32", label=None if contract.output.classes else "prediction")

    def write(folder: Path) -> None:
        booster.save_model(folder / ARTEFACT)

    hosted = Signature(columns(contract, fields, "float64"), said.outputs, said.prediction, said.scores)
    own = Candidate("XGBoost itself, in the runtime host", Engine.XGBOOST, ARTEFACT, hosted, write, shape)
    if numeric:
        converted = onnx_candidate(lambda: trees_of(booster), contract, fields, "float32")
    else:
        converted = no_form("ONNX", CATEGORIES)
    return Imported("XGBoost", Native(booster, contract, fields, shape), (converted, own), ("xgboost", "numpy", "onnx"))


class Native:
    """The booster answering tables by itself."""

    def __init__(self, booster: Any, contract: Contract, fields: tuple[str, ...], shape: dict[str, str]) -> None:
        self._booster = booster
        self._contract = contract
        self._fields = fields
        self._shape = shape

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row."""
        import xgboost  # noqa: PLC0415  adapter

        if self._shape["input"] == "matrix":
            names = self._booster.feature_names
            rows = xgboost.DMatrix(native.matrix(table, self._fields), feature_names=names, nthread=1)
        else:
            frame = native.frame(table, self._contract, self._fields, categories=True)
            rows = xgboost.DMatrix(frame, enable_categorical=True, nthread=1)
        said = self._booster.predict(rows, validate_features=False)
        if not self._contract.output.classes:
            return native.predicted(said, None, self._contract)
        return native.predicted(None, said, self._contract)


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
