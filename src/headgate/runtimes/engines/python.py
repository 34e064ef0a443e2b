"""A Python class with ``predict``, from source in the package; it runs only when somebody said they trust it."""

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np

from headgate.contracts.contract import Contract
from headgate.errors import RuntimeFailed, TrustRequired
from headgate.registry.package import Manifest
from headgate.runtimes.engines.native import Answer
from headgate.runtimes.engines.shapes import shaper
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.interpret import class_array
from headgate.runtimes.ports import Array, Feeds
from headgate.runtimes.warmup import likely_row


def load(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """An instance of the class, given its own folder if it asks for one.

    ``predict`` gets a table or a list of rows and returns (rows, classes) scores or (rows,) predictions. Raises
    TrustRequired unless the package was registered as trusted.
    """
    if not manifest.trusted:
        raise TrustRequired("this package runs source from its author; register the model with trust (--trust)")
    source = package / manifest.artefact
    model = _instance(getattr(_module(source), manifest.options["class"]), source.parent)
    shape, signature = shaper(manifest, contract), manifest.signature
    # Tables look for other libraries when the first is made, for a second or so that no caller should wait.
    shape(compile_feeds(contract, signature, manifest.options).from_values([likely_row(contract)]))
    classes = class_array(contract.output.classes)

    def answer(feeds: Feeds) -> list[Any]:
        said = np.asarray(model.predict(shape(feeds)))
        if signature.scores is None:
            return [said]
        if said.ndim != 2:
            raise RuntimeFailed("the model broke its contract: predict gave no scores of shape (rows, classes)")
        given = {signature.scores: said, signature.prediction: _decide(said, classes)}
        return [given[each.name] for each in signature.outputs]

    return answer


def _decide(scores: Array, classes: Array) -> Array:
    if scores.shape[1] == 1:
        chosen: Array = classes[(scores[:, 0] > 0.5).astype(np.intp)]
        return chosen
    best: Array = classes[scores.argmax(axis=1)]
    return best


def _module(source: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"headgate_model_{source.stem}", source)
    if spec is None or spec.loader is None:
        raise RuntimeFailed(f"{source.name} is no Python source")
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # a package stays as it was registered
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def _instance(found: Any, folder: Path) -> Any:
    asks = [each for each in inspect.signature(found).parameters.values() if each.default is each.empty]
    return found(folder) if asks else found()
