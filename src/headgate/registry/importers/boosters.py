"""What XGBoost and LightGBM have in common: their trees as ONNX, by themselves and inside scikit-learn pipelines."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from headgate.contracts.contract import Contract
from headgate.registry.importers import graph
from headgate.registry.importers.importer import Candidate, matrix
from headgate.registry.importers.trees import Link, Trees, Width, model
from headgate.registry.package import Engine, ModelOutput, Signature

CATEGORIES: Final = (
    "it splits on sets of categories, which trees in ONNX cannot say exactly; with the field encoded before, one-hot"
    " for example, it can be converted"
)
"""Why a booster that reads categories themselves stays in its own library."""


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
