"""Model files opened without running anything in them, unless somebody said they trust them."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from headgate.errors import BadInput, MissingExtra, NotFound, TrustRequired
from headgate.registry.importers import keras, lightgbm, onnxfile, python, skopsfile, text, torch, xgboost

_READERS: Final[dict[str, Callable[[Path], Any]]] = {
    ".onnx": onnxfile.read,
    ".ubj": xgboost.read,
    ".json": xgboost.read,
    ".txt": lightgbm.read,
    ".pt2": torch.read,
    ".keras": keras.read,
    ".py": python.PythonSource,
}
"""How each kind of file is opened, by its ending; skops, pickles and folders have rules of their own."""
_PICKLES: Final = (".joblib", ".pkl", ".pickle")


def open_model(model: object, *, trust: bool = False) -> Any:
    """The model a path or text names, or `model` itself when it is one already.

    ``source.py:ClassName`` names one class of a source. Raises NotFound, BadInput for a file of no kind known,
    TrustRequired where opening would run code from the file, MissingExtra where its library is not installed.
    """
    if not isinstance(model, (str, Path)):
        return model
    source, _, name = str(model).rpartition(":")
    if source.endswith(".py"):
        return python.PythonSource(_there(Path(source)), name)
    model = Path(model)
    path = _there(model)
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".skops":
        return skopsfile.read(path, trust=trust)
    if path.suffix in _PICKLES:
        return _pickle(path, trust=trust)
    reader = _READERS.get(path.suffix)
    if reader is None:
        known = ", ".join(sorted([*_READERS, ".skops", *_PICKLES]))
        raise BadInput("model", "type", f"is a kind of file Headgate does not open; it opens {known}")
    return reader(path)


def _there(path: Path) -> Path:
    if not path.exists():
        raise NotFound("model file", str(path))
    return path


def _folder(path: Path) -> Any:
    if text.is_folder(path):
        return text.TextModel(path)
    if (path / python.ARTEFACT).is_file():
        return python.PythonSource(path)
    raise BadInput("model", "type", "the folder has neither model.onnx and tokenizer.json nor model.py")


def _pickle(path: Path, *, trust: bool) -> Any:
    if not trust:
        raise TrustRequired(
            "opening a pickle runs whatever code is in it; save the model with skops or as ONNX instead, or, if you"
            " made the file yourself, register it with trust (--trust)"
        )
    try:
        import joblib  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("a joblib or pickle file", "platform") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return joblib.load(path)
    except Exception as error:  # a pickle may raise anything
        raise BadInput("model", "type", f"the file cannot be unpickled here: {type(error).__name__}") from error
