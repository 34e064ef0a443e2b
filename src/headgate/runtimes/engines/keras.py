"""Keras models from their own file; they read the signature's inputs in order."""

from pathlib import Path
from typing import Any

import numpy as np

from headgate.contracts.contract import Contract
from headgate.errors import MissingExtra
from headgate.registry.package import Manifest
from headgate.runtimes.engines.decode import decoded
from headgate.runtimes.engines.native import Answer
from headgate.runtimes.ports import Feeds
from headgate.vocabulary import Task


def load(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """The model, layers with code of their own refused. Raises MissingExtra without Keras."""
    try:
        import keras  # noqa: PLC0415 - adapter
    except ImportError as error:
        raise MissingExtra("a Keras package", "keras") from error
    model = keras.models.load_model(package / manifest.artefact, compile=False, safe_mode=True)
    names = [each.name for each in manifest.signature.inputs]
    how = None if contract.output.task is Task.TENSOR else manifest.options.get("decode", "number")

    def answer(feeds: Feeds) -> list[Any]:
        inputs = [feeds[each] for each in names]
        said = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
        arrays = [np.asarray(each) for each in (said if isinstance(said, (tuple, list)) else (said,))]
        return arrays if how is None else [decoded(how, arrays[0])]

    return answer
