"""Keras models from their own file; they read the signature's inputs in order, several of them by name."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from headgate.contracts.contract import Contract
from headgate.registry.importers.libraries import import_keras
from headgate.registry.package import Manifest
from headgate.runtimes.engines.decode import decoded
from headgate.runtimes.engines.native import Answer
from headgate.runtimes.ports import Feeds
from headgate.vocabulary import Task


def load(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """The model, layers with code of their own refused. Raises MissingExtra without Keras."""
    keras = import_keras(manifest.options.get("backend", ""))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = keras.models.load_model(package / manifest.artefact, compile=False, safe_mode=True)
    names = [each.name for each in manifest.signature.inputs]
    how = None if contract.output.task is Task.TENSOR else manifest.options.get("decode", "number")

    def answer(feeds: Feeds) -> list[Any]:
        given = feeds[names[0]] if len(names) == 1 else {each: feeds[each] for each in names}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = model(given, training=False)
            if isinstance(said, dict):
                said = list(said.values())
            outputs = said if isinstance(said, (tuple, list)) else (said,)
            arrays = [np.asarray(keras.ops.convert_to_numpy(each)) for each in outputs]
        return arrays if how is None else [decoded(how, arrays[0])]

    return answer
