"""XGBoost boosters from their own file."""

from pathlib import Path
from typing import Any

from headgate.contracts.contract import Contract
from headgate.errors import MissingExtra
from headgate.registry.package import Manifest
from headgate.runtimes.engines.native import Answer
from headgate.runtimes.engines.shapes import shaper
from headgate.runtimes.ports import Feeds


def load(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """The booster; its one answer is the signature's one output. Raises MissingExtra without XGBoost."""
    try:
        import xgboost  # noqa: PLC0415 - adapter
    except ImportError as error:
        raise MissingExtra("an XGBoost package", "xgboost") from error
    booster = xgboost.Booster({"nthread": threads})
    booster.load_model(package / manifest.artefact)
    booster.set_param({"nthread": threads})
    shape = shaper(manifest, contract)
    names = booster.feature_names if manifest.options.get("input") == "matrix" else None

    def answer(feeds: Feeds) -> list[Any]:
        rows = xgboost.DMatrix(shape(feeds), feature_names=names, enable_categorical=names is None, nthread=threads)
        return [booster.predict(rows, validate_features=False)]

    return answer
