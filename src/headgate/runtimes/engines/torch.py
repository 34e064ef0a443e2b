"""PyTorch programs saved with ``torch.export``; they read the signature's inputs in order."""

import warnings
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
    """The program, without gradients. Raises MissingExtra without PyTorch."""
    try:
        import torch  # noqa: PLC0415 - adapter
    except ImportError as error:
        raise MissingExtra("a PyTorch package", "torch") from error
    torch.set_num_threads(threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.load(package / manifest.artefact).module()
    names = [each.name for each in manifest.signature.inputs]
    how = None if contract.output.task is Task.TENSOR else manifest.options.get("decode", "number")

    def answer(feeds: Feeds) -> list[Any]:
        with torch.inference_mode():
            said = program(*(torch.from_numpy(np.require(feeds[each], requirements=["C", "W"])) for each in names))
        outputs = said if isinstance(said, (tuple, list)) else (said,)
        arrays = [each.detach().cpu().numpy() for each in outputs]
        return arrays if how is None else [decoded(how, arrays[0])]

    return answer
