"""XGBoost boosters and their scikit-learn wrappers: ONNX with float32 inputs, as XGBoost itself reads, else native."""

import re
import warnings
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from headgate.contracts.contract import Contract
from headgate.errors import BadInput, MissingExtra
from headgate.registry import native
from headgate.registry.importers import graph
from headgate.registry.importers.importer import (
    TEXTUAL,
    Candidate,
    Imported,
    Traits,
    answers,
    columns,
    matrix,
    of_module,
    plain,
    task_of,
    used,
)
from headgate.registry.package import Engine, ModelOutput, Signature
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

ARTEFACT: Final = "model.ubj"
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
    candidates = [
        Candidate("XGBoost itself, in the runtime host", Engine.XGBOOST, ARTEFACT, hosted, write, shape),
    ]
    if numeric:
        candidates.insert(0, _onnx(model, booster, contract, fields))
    return Imported(
        "XGBoost", Native(booster, contract, fields, shape), tuple(candidates), ("xgboost", "numpy", "onnx")
    )


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


def _onnx(model: Any, booster: Any, contract: Contract, fields: tuple[str, ...]) -> Candidate:
    inputs = matrix(contract, fields, "float32")
    classes = contract.output.classes
    if classes:
        signature = Signature(inputs, [ModelOutput("probabilities", "float32", [len(classes)])], None, "probabilities")
    else:
        signature = Signature(inputs, [ModelOutput("variable", "float32", [1])], "variable")

    def write(folder: Path) -> None:
        graph.save(convert(booster, len(fields)), folder)

    return Candidate("ONNX, float32 inputs", Engine.ONNX, graph.ARTEFACT, signature, write)


def convert(booster: Any, features: int) -> Any:
    """The booster as an ONNX graph reading ``X``; raises whatever the converter raises."""
    try:
        import onnxmltools  # noqa: PLC0415  adapter
        from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("converting an XGBoost model to ONNX", "xgboost") from error
    nameless = booster.copy()
    nameless.feature_names = None  # the converter knows no names but f0, f1, …
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return onnxmltools.convert_xgboost(
            nameless, "model", initial_types=[("X", FloatTensorType([None, features]))], target_opset=15
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
