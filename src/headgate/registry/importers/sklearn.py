"""scikit-learn estimators and pipelines: ONNX with float32 or float64 inputs, else the estimator as a skops file."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput, RuntimeFailed, TrustRequired
from headgate.registry import native
from headgate.registry.importers import graph, hist
from headgate.registry.importers.boosters import CATEGORIES
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
from headgate.registry.importers.libraries import import_skops
from headgate.registry.importers.trees import Width
from headgate.registry.package import Engine, ModelInput, ModelOutput, Signature
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

SKOPS: Final = "model.skops"
JOBLIB: Final = "model.joblib"
OPSETS: Final = {"": 17, "ai.onnx.ml": 3}
_FITTED_BY: Final = ("sklearn", "numpy", "scipy", "xgboost", "lightgbm", "pandas")
"""Libraries whose types a skops file may construct without anybody's say: they are what fitted the model."""

_PLAIN: Final = ("collections.OrderedDict", "collections.defaultdict", "functools.partial")
"""Types of the standard library that fitted estimators hold."""


def recognises(model: Any) -> bool:
    """Whether it is an estimator of scikit-learn, or of a wrapper that no importer of its own claims."""
    return of_module(model, "sklearn") and hasattr(model, "predict")


def traits(model: Any) -> Traits:
    """What the fitted estimator says of its columns and classes. Raises BadInput for one that is not fitted."""
    model = chosen(model)
    names = getattr(model, "feature_names_in_", None)
    fields = None if names is None else tuple(str(each) for each in names)
    if not fitted(model):
        raise BadInput("model", "type", "is not fitted; call fit before registering it")
    classes = getattr(model, "classes_", None)
    if classes is None:
        return Traits(fields, Task.REGRESSION)
    if isinstance(classes, list):
        raise BadInput("model", "shape", "answers several outputs at once; register one model per output")
    known = plain(classes)
    return Traits(fields, task_of(known), known, hasattr(model, "predict_proba"))


def fitted(model: Any) -> bool:
    """Whether scikit-learn holds the estimator for fitted."""
    from sklearn.exceptions import NotFittedError  # noqa: PLC0415  adapter
    from sklearn.utils.validation import check_is_fitted  # noqa: PLC0415  adapter

    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


def chosen(model: Any) -> Any:
    """The estimator itself: what a search settled on, or the model."""
    return getattr(model, "best_estimator_", model)


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Its own answers, and ONNX float32, ONNX float64, skops (and pickle, if trusted) to stand for it."""
    model = chosen(model)
    fields = used(traits(model), contract)
    shape = input_shape(model, contract, fields)
    truth = Native(model, contract, fields, shape)
    hosted = [_skops(model, contract, fields, shape, trust=trust)]
    if trust:
        hosted.append(_pickle(model, contract, fields, shape))
    converted = [_onnx(model, contract, fields, width) for width in ("float32", "float64")]
    libraries = ("scikit-learn", "numpy", "skl2onnx", "onnx")
    return Imported("scikit-learn", truth, (*converted, *hosted), libraries)


def input_shape(model: Any, contract: Contract, fields: tuple[str, ...]) -> dict[str, str]:
    """In which shape the estimator reads its rows, as the options of a hosted package."""
    kinds = {each.name: each.kind for each in contract.fields}
    if hasattr(model, "feature_names_in_"):
        return {"input": "frame", **({"categories": "dtype"} if _reads_dtypes(model) else {})}
    if len(fields) == 1 and kinds[fields[0]] in TEXTUAL:
        return {"input": "series"}
    return {"input": "matrix" if all(kinds[each] not in TEXTUAL for each in fields) else "frame"}


def _reads_dtypes(model: Any) -> bool:
    return any(
        getattr(each, "categorical_features", None) == "from_dtype" and _has_categories(each) for each in walk(model)
    )


def _has_categories(model: Any) -> bool:
    mask = getattr(model, "is_categorical_", None)
    return mask is not None and bool(np.any(mask))


class Native:
    """The estimator answering tables by itself."""

    def __init__(self, model: Any, contract: Contract, fields: tuple[str, ...], shape: dict[str, str]) -> None:
        self._model = model
        self._contract = contract
        self._fields = fields
        self._shape = shape
        self._threads = _threads()

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row. Raises RuntimeFailed when the estimator does not take them."""
        rows = native.rows(table, self._contract, self._fields, self._shape)
        scores = None
        try:
            # Parity asks for a few rows many times: more threads would only wait for each other.
            with warnings.catch_warnings(), self._threads.limit(limits=1):
                warnings.simplefilter("ignore")
                if self._contract.output.probability:
                    scores = self._model.predict_proba(rows)
                return native.predicted(self._model.predict(rows), scores, self._contract)
        except (ValueError, TypeError) as error:
            raise RuntimeFailed(f"the model refused its own reference rows: {native.first_line(error)}") from error


def _threads() -> Any:
    """The pools of the libraries loaded by now; finding them takes longer than a small model's answer."""
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415  adapter

    return ThreadpoolController()


def walk(model: Any) -> Iterator[Any]:
    """An estimator and every estimator inside it."""
    yield model
    parts = [each[1] for each in getattr(model, "steps", ())]
    parts += [each[1] for each in getattr(model, "transformers_", ())]
    parts += [each[1] for each in getattr(model, "transformer_list", ())]
    parts += getattr(model, "named_estimators_", {}).values()  # of those that vote
    parts += [
        each for each in (getattr(model, "estimator", None), getattr(model, "estimator_", None)) if each is not None
    ]
    for part in parts:
        if hasattr(part, "get_params"):
            yield from walk(part)


def _by_name(model: Any) -> bool:
    names = [each for each in walk(model) if hasattr(each, "transformers_")]
    return any(isinstance(each[2], (list, tuple, str)) for one in names for each in one.transformers_)


def _onnx(model: Any, contract: Contract, fields: tuple[str, ...], width: Width) -> Candidate:
    kinds = {each.name: each.kind for each in contract.fields}
    wide = not any(kinds[each] in TEXTUAL for each in fields) and not (
        hasattr(model, "feature_names_in_") and _by_name(model)
    )
    inputs = matrix(contract, fields, width) if wide else columns(contract, fields, width)
    output = answers(contract, width, label="label")
    if contract.output.classes:
        label = None if isinstance(contract.output.classes[0], bool) else "label"
        scores = "probabilities" if contract.output.probability else None
        outputs = [*(output.outputs[:1] if label else [])]
        outputs += [_renamed(each, "probabilities") for each in output.outputs if each.name == "scores"]
        signature = Signature(inputs, outputs, label, scores)
    else:
        signature = Signature(inputs, [_renamed(output.outputs[0], "variable")], "variable")
    return Candidate(
        f"ONNX, {width} inputs",
        Engine.ONNX,
        graph.ARTEFACT,
        signature,
        lambda folder: graph.save(convert(model, inputs, width), folder),
        options={"null_text": hist.NULL_TEXT} if any(kinds[each] is Kind.CATEGORY for each in fields) else {},
    )


def _renamed(output: ModelOutput, name: str) -> ModelOutput:
    return msgspec.structs.replace(output, name=name)


def convert(model: Any, inputs: list[ModelInput], width: Width) -> Any:
    """The estimator as an ONNX graph that reads `inputs`; raises whatever the converter raises."""
    from skl2onnx import convert_sklearn  # noqa: PLC0415  adapter
    from skl2onnx.common.data_types import (  # noqa: PLC0415  adapter
        DoubleTensorType,
        FloatTensorType,
        StringTensorType,
    )

    if any(_has_categories(each) for each in walk(model)):
        raise BadInput("model", "type", CATEGORIES)
    types = {"float32": FloatTensorType, "float64": DoubleTensorType, "string": StringTensorType}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = convert_sklearn(
            model,
            "model",
            initial_types=[(each.name, types[each.dtype]([None, *each.shape])) for each in inputs],
            options={id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None,
            target_opset=OPSETS,
            custom_conversion_functions=hist.conversions(width),
        )
    if {each.name for each in made.graph.input} != {each.name for each in inputs}:
        graph.call_inputs(made, [each.name for each in inputs])  # the converter puts _ for whatever is no identifier
    return made


def _skops(model: Any, contract: Contract, fields: tuple[str, ...], shape: dict[str, str], *, trust: bool) -> Candidate:
    def write(folder: Path) -> None:
        skops = import_skops()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = skops.dumps(model)
        types = sorted(skops.get_untrusted_types(data=raw))
        strange = [each for each in types if each not in _PLAIN and each.partition(".")[0] not in _FITTED_BY]
        if strange and not trust:
            raise TrustRequired(
                f"the model contains {', '.join(strange)}; register with trust if you wrote them (--trust)"
            )
        (folder / SKOPS).write_bytes(raw)
        options["types"] = json.dumps(types)

    options = dict(shape)
    signature = _hosted(contract, fields)
    return Candidate(
        "scikit-learn itself, in the runtime host", Engine.SKLEARN, SKOPS, signature, write, options, trust
    )


def _pickle(model: Any, contract: Contract, fields: tuple[str, ...], shape: dict[str, str]) -> Candidate:
    def write(folder: Path) -> None:
        import joblib  # noqa: PLC0415  adapter

        joblib.dump(model, folder / JOBLIB)

    signature = _hosted(contract, fields)
    return Candidate(
        "a pickle of the estimator, in the runtime host", Engine.PICKLE, JOBLIB, signature, write, shape, trusted=True
    )


def _hosted(contract: Contract, fields: tuple[str, ...]) -> Signature:
    said = answers(contract, label="prediction")
    return Signature(columns(contract, fields, "float64"), said.outputs, said.prediction, said.scores)
