"""LightGBM boosters and their scikit-learn wrappers: ONNX with float32 or float64 inputs, else native.

LightGBM compares float64 values with float64 thresholds; `trees` keeps them.
"""

import warnings
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from headgate.contracts.contract import Contract
from headgate.errors import BadInput, MissingExtra
from headgate.registry.importers.boosters import CATEGORIES, Library, fitted, imported, traits_of
from headgate.registry.importers.importer import Imported, Traits, of_module, used
from headgate.registry.importers.trees import WIDTHS, Link, Trees
from headgate.registry.package import Engine
from headgate.vocabulary import Task

LIBRARY: Final = Library("LightGBM", Engine.LIGHTGBM, "model.txt", "lightgbm", WIDTHS, "float64")
_LINKS: Final[dict[str, Link]] = {
    "binary": "sigmoid",
    "cross_entropy": "sigmoid",
    "multiclass": "softmax",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
}


def recognises(model: Any) -> bool:
    """Whether it is a Booster or a wrapper of LightGBM."""
    return of_module(model, "lightgbm")


def traits(model: Any) -> Traits:
    """Columns, and classes where a wrapper knows them; a bare classifier booster leaves them to the labels."""
    booster = booster_of(model)
    names = tuple(str(each) for each in booster.feature_name())
    made_up = names == tuple(f"Column_{place}" for place in range(len(names)))
    fields = None if made_up else tuple(str(each) for each in getattr(model, "feature_names_in_", names))
    return traits_of(model, fields, lambda: _task(booster))


def booster_of(model: Any) -> Any:
    """The booster inside a wrapper, or the booster. Raises BadInput when it was never fitted."""
    if not hasattr(model, "booster_") and not hasattr(type(model), "booster_"):
        return model
    return fitted(lambda: model.booster_)


def _task(booster: Any) -> Task:
    objective = str(booster.dump_model(num_iteration=1).get("objective", "")).partition(" ")[0]
    if objective.startswith("multiclass"):
        return Task.MULTICLASS
    return Task.BINARY if objective == "binary" else Task.REGRESSION


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Its own answers; ONNX float32, ONNX float64 and the booster's own file to stand for it."""
    booster = booster_of(model)

    def ask(rows: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return booster.predict(rows, num_threads=1)

    return imported(LIBRARY, booster, contract, used(traits(model), contract), trees_of=trees_of, ask=ask)


def trees_of(booster: Any) -> tuple[Trees, Link]:
    """The booster's trees and link. Raises BadInput for what ONNX trees cannot say exactly."""
    dump = booster.dump_model()
    objective = str(dump.get("objective", ""))
    name, *rest = objective.split(" ")
    if name not in _LINKS or dump.get("average_output") or any(each == "sqrt" for each in rest):
        raise BadInput("model", "type", "this objective has no ONNX form yet")
    if name == "binary" and any(each.startswith("sigmoid:") and float(each[8:]) != 1.0 for each in rest):
        raise BadInput("model", "type", "a scaled sigmoid has no ONNX form yet")
    per_step = int(dump["num_tree_per_iteration"])
    trees = Trees(per_step, [0.0] * per_step)
    for number, each in enumerate(dump["tree_info"]):
        _Walker(trees, number, number % per_step).add(each["tree_structure"])
    return trees, _LINKS[name]


class _Walker:
    """Numbers the nodes of one tree in the order they are met."""

    def __init__(self, trees: Trees, tree: int, target: int) -> None:
        self._trees = trees
        self._tree = tree
        self._target = target
        self._next = 0

    def add(self, node: dict[str, Any]) -> int:
        """Add a node and all below it, and return its number."""
        number = self._next
        self._next += 1
        if "split_feature" not in node:
            if "leaf_coeff" in node:
                raise BadInput("model", "type", "linear trees have no ONNX form yet")
            self._trees.leaf(self._tree, number, self._target, float(node["leaf_value"]))
            return number
        missing = node["missing_type"]
        if node["decision_type"] != "<=":
            raise BadInput("model", "type", CATEGORIES)
        if missing == "Zero":
            raise BadInput("model", "type", "it reads zero as missing, which trees in ONNX cannot say")
        threshold = float(node["threshold"])
        yes, no = self.add(node["left_child"]), self.add(node["right_child"])
        left = bool(node["default_left"]) if missing == "NaN" else threshold >= 0.0  # None: NaN is read as zero
        self._trees.branch(
            self._tree,
            number,
            feature=int(node["split_feature"]),
            threshold=threshold,
            yes=yes,
            no=no,
            missing_yes=left,
        )
        return number


def read(path: Path) -> Any:
    """The booster in a text file. Raises BadInput for another file, MissingExtra without LightGBM."""
    try:
        import lightgbm  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("a LightGBM model", "lightgbm") from error
    if not path.read_bytes()[:5] == b"tree\n":
        raise BadInput("model", "type", "is not a model LightGBM saved")
    try:
        return lightgbm.Booster(model_file=str(path))
    except lightgbm.basic.LightGBMError as error:
        raise BadInput("model", "type", "is not a model LightGBM saved") from error
