"""LightGBM boosters from their own file."""

import warnings
from pathlib import Path
from typing import Any

from headgate.contracts.contract import Contract
from headgate.errors import MissingExtra
from headgate.registry.package import Manifest
from headgate.runtimes.engines.native import Answer
from headgate.runtimes.engines.shapes import shaper
from headgate.runtimes.ports import Feeds


def load(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """The booster; its one answer is the signature's one output. Raises MissingExtra without LightGBM."""
    try:
        import lightgbm  # noqa: PLC0415 - adapter
    except ImportError as error:
        raise MissingExtra("a LightGBM package", "lightgbm") from error
    booster = lightgbm.Booster(model_file=str(package / manifest.artefact))
    shape = shaper(manifest, contract)

    def answer(feeds: Feeds) -> list[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [booster.predict(shape(feeds), num_threads=threads)]

    return answer
