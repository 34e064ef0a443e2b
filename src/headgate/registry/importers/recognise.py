"""Which importer a model belongs to. Called by `register`."""

from typing import Any, Final, cast

from headgate.errors import BadInput
from headgate.registry.importers import keras, lightgbm, onnxfile, python, sklearn, text, torch, xgboost
from headgate.registry.importers.importer import Importer

IMPORTERS: Final = tuple(
    cast(Importer, each) for each in (xgboost, lightgbm, sklearn, onnxfile, keras, torch, text, python)
)
"""In the order they are asked: wrappers of other libraries are scikit-learn estimators too, and
Keras models on PyTorch are modules, so those come first."""


def importer_of(model: Any) -> Importer:
    """The importer that recognises `model`. Raises BadInput naming what can be registered."""
    for each in IMPORTERS:
        if each.recognises(model):
            return each
    raise BadInput(
        "model",
        "type",
        f"a {type(model).__name__} cannot be registered; give a scikit-learn, XGBoost, LightGBM, PyTorch or Keras"
        " model, an ONNX or skops file, or a class with predict",
    )
