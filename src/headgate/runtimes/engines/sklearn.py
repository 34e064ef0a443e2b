"""Fitted scikit-learn estimators, from a skops file, or from a pickle somebody said they trust."""

import json
import warnings
from pathlib import Path
from typing import Any

from headgate.contracts.contract import Contract
from headgate.errors import MissingExtra, TrustRequired
from headgate.registry.importers.libraries import import_skops
from headgate.registry.package import Manifest
from headgate.runtimes.engines.native import Answer
from headgate.runtimes.engines.shapes import shaper
from headgate.runtimes.ports import Feeds


def load(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """The estimator in a skops file; only types named at registration are constructed. Raises MissingExtra."""
    skops = import_skops()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other versions of libraries; the registry's parity judges what they do
        model = skops.load(package / manifest.artefact, trusted=json.loads(manifest.options.get("types", "[]")))
    return answering(model, manifest, contract)


def load_pickle(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """The estimator in a joblib file. Raises TrustRequired unless the package was registered as trusted."""
    if not manifest.trusted:
        raise TrustRequired("opening a pickle runs code from it; register the model with trust (--trust)")
    try:
        import joblib  # noqa: PLC0415 - adapter
    except ImportError as error:
        raise MissingExtra("a pickled package", "platform") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = joblib.load(package / manifest.artefact)
    return answering(model, manifest, contract)


def answering(model: Any, manifest: Manifest, contract: Contract) -> Answer:
    """Asks an estimator for what the signature names: probabilities for scores, else its own predictions."""
    shape, signature = shaper(manifest, contract), manifest.signature
    asked = [model.predict_proba if each.name == signature.scores else model.predict for each in signature.outputs]

    def answer(feeds: Feeds) -> list[Any]:
        rows = shape(feeds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [ask(rows) for ask in asked]

    return answer
