"""What XGBoost and LightGBM have in common: their traits, their own answers, their trees as ONNX, and their own file.

Each has a file beside this one that says only where it differs. Their trees serve scikit-learn pipelines too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from headgate.contracts.contract import Contract
from headgate.errors import BadInput
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
    no_form,
    plain,
    task_of,
)
from headgate.registry.importers.trees import Link, Trees, Width, model
from headgate.registry.package import Engine, ModelOutput, Signature
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

CATEGORIES: Final = (
    "it splits on sets of categories, which trees in ONNX cannot say exactly; with the field encoded before, one-hot"
    " for example, it can be converted"
)
"""Why a booster that reads categories themselves stays in its own library."""


@dataclass(frozen=True, slots=True)
class Library:
    """Where the two differ when a booster is packaged."""

    name: str
    engine: Engine
    artefact: str
    distribution: str
    widths: tuple[Width, ...]
    """Of the inputs its trees compare exactly, in order of preference."""
    answers: Width
    """What its own answers are made of."""


def traits_of(model: Any, fields: tuple[str, ...] | None, task: Callable[[], Task]) -> Traits:
    """Columns, and classes where a wrapper knows them; a bare booster, which `task` is asked of, has none to tell."""
    if (classes := getattr(model, "classes_", None)) is not None:
        known = plain(classes)
        return Traits(fields, task_of(known), known, True)
    found = task()
    return Traits(fields, found) if found is Task.REGRESSION else Traits(fields, found, (), True)


def fitted(ask: Callable[[], Any]) -> Any:
    """The booster a wrapper gives when it is asked. Raises BadInput when it was never fitted."""
    try:
        return ask()
    except Exception as error:  # each library has its own, and has changed it before
        raise BadInput("model", "type", "is not fitted; call fit before registering it") from error


def imported(
    library: Library,
    booster: Any,
    contract: Contract,
    fields: tuple[str, ...],
    *,
    trees_of: Callable[[Any], tuple[Trees, Link]],
    ask: Callable[[Any], Any],
) -> Imported:
    """A booster's own answers, by `ask`; ONNX by `trees_of`, and its own file, to stand for it."""
    kinds = {each.name: each.kind for each in contract.fields}
    numeric = all(kinds[each] not in TEXTUAL for each in fields)
    shape = {"input": "matrix"} if numeric else {"input": "frame", "categories": "dtype"}
    said = answers(contract, library.answers, label=None if contract.output.classes else "prediction")

    def write(folder: Path) -> None:
        booster.save_model(folder / library.artefact)

    hosted = Signature(columns(contract, fields, "float64"), said.outputs, said.prediction, said.scores)
    name = f"{library.name} itself, in the runtime host"
    own = Candidate(name, library.engine, library.artefact, hosted, write, shape)
    if numeric:
        converted = [onnx_candidate(lambda: trees_of(booster), contract, fields, width) for width in library.widths]
    else:
        converted = [no_form("ONNX", CATEGORIES)]
    truth = Native(ask, contract, fields, shape)
    return Imported(library.name, truth, (*converted, own), (library.distribution, "numpy", "onnx"))


class Native:
    """A booster answering tables by itself."""

    def __init__(
        self, ask: Callable[[Any], Any], contract: Contract, fields: tuple[str, ...], shape: dict[str, str]
    ) -> None:
        self._ask = ask
        self._contract = contract
        self._fields = fields
        self._shape = shape

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row."""
        said = self._ask(native.rows(table, self._contract, self._fields, self._shape))
        if not self._contract.output.classes:
            return native.predicted(said, None, self._contract)
        return native.predicted(None, said, self._contract)


def onnx_candidate(
    trees_of: Callable[[], tuple[Trees, Link]], contract: Contract, fields: tuple[str, ...], width: Width
) -> Candidate:
    """A booster as one ONNX node over a matrix of `fields`; `trees_of` is asked when it is written."""
    inputs = matrix(contract, fields, width)
    classes = contract.output.classes
    if classes:
        columns = 1 if len(classes) == 2 else len(classes)
        signature = Signature(inputs, [ModelOutput("scores", "float32", [columns])], None, "scores")
    else:
        signature = Signature(inputs, [ModelOutput("prediction", "float32", [1])], "prediction")

    def write(folder: Path) -> None:
        trees, link = trees_of()
        graph.save(model(trees, len(fields), width, link, classifier=bool(classes)), folder)

    return Candidate(f"ONNX, {width} inputs", Engine.ONNX, graph.ARTEFACT, signature, write)
