"""What a recipe gave back, as a file that the registry takes, or why it is none. Called by the programs of recipes."""

import shutil
import sys
from pathlib import Path
from typing import Any, Final

import joblib

from headgate.errors import BadInput, TrustRequired
from headgate.registry.importers import python
from headgate.registry.importers.files import open_model
from headgate.registry.importers.importer import of_module
from headgate.registry.importers.libraries import import_skops
from headgate.registry.importers.recognise import importer_of

NAME: Final = "model"
ENDINGS: Final = (".onnx", ".skops", ".ubj", ".json", ".txt", ".pt2", ".keras", ".joblib", ".pkl", ".py")
"""Of a file called ``model`` that a command or a notebook leaves behind, in the order in which one is looked for."""


def keep(model: Any, out: Path, *, trust: bool) -> str:
    """Write `model` into the folder `out` and return its path there, as `headgate.registry.register` takes it.

    `model` is an object of a supported library, or the path of a file. Raises BadInput naming what is wrong: nothing
    was returned, no importer knows it, it is not fitted, or it would run code and `trust` was not said.
    """
    if model is None:
        raise BadInput("model", "missing", "the recipe returned nothing; end train with `return model`")
    if isinstance(model, (str, Path)):
        kept = _copied(str(model), out)
    else:
        importer_of(model)
        kept = _saved(model, out, trust=trust)
    verify(out / kept, trust=trust)
    return kept


def expect() -> None:
    """Load what keeps models of the libraries that are loaded by now, so that `keep` need not wait for it."""
    if "sklearn" in sys.modules:
        import_skops()


def left_behind(out: Path, *, trust: bool) -> str:
    """The model that a program left in the folder `out`. Raises BadInput when there is none or it cannot be taken."""
    for ending in ENDINGS:
        if (out / f"{NAME}{ending}").is_file():
            verify(out / f"{NAME}{ending}", trust=trust)
            return f"{NAME}{ending}"
    if (out / NAME).is_dir():
        verify(out / NAME, trust=trust)
        return NAME
    there = sorted(each.name for each in out.iterdir())
    said = f"; it left {', '.join(there[:5])}" if there else ""
    known = " or ".join(f"{NAME}{each}" for each in ENDINGS[:4])
    raise BadInput("model", "missing", f"the recipe left no model in $HEADGATE_OUTPUT, such as {known}{said}")


def verify(path: Path, *, trust: bool) -> None:
    """Return if the registry can open the model at `path` and knows its library.

    Raises BadInput otherwise, and where it would run code nobody vouched for.
    """
    try:
        opened = open_model(path, trust=trust)
        importer_of(opened).traits(opened)
    except TrustRequired as error:
        raise BadInput("model", "trust", f"{error}; or set trust: true in the recipe") from error


def _copied(named: str, out: Path) -> str:
    """A file that the recipe wrote itself, in `out` under its own name; ``source.py:Class`` stays as it is spelled."""
    source, _, chosen = named.rpartition(":")
    path, ending = (Path(source), f":{chosen}") if source.endswith(".py") else (Path(named), "")
    if not path.exists():
        raise BadInput("model", "missing", "the recipe returned the path of a file that is not there")
    if path.resolve().parent != out.resolve():
        copy = shutil.copytree if path.is_dir() else shutil.copyfile
        copy(path, out / path.name)
    return f"{path.name}{ending}"


def _saved(model: Any, out: Path, *, trust: bool) -> str:
    """A model object as a file of its library's own kind; skops for whatever looks like scikit-learn."""
    if isinstance(model, type):
        source = python.source_of(model)
        return _copied(f"{source.path}:{source.name}", out)
    if of_module(model, "onnx"):
        _named(out, ".onnx").write_bytes(model.SerializeToString())
        return f"{NAME}.onnx"
    if of_module(model, "lightgbm") and type(model).__name__ == "Booster":
        model.save_model(_named(out, ".txt"))
        return f"{NAME}.txt"
    if of_module(model, "xgboost") and type(model).__name__ == "Booster":
        model.save_model(_named(out, ".ubj"))
        return f"{NAME}.ubj"
    if of_module(model, "keras"):
        model.save(_named(out, ".keras"))
        return f"{NAME}.keras"
    if of_module(model, "torch"):
        raise BadInput("model", "type", "save a PyTorch model with torch.export.save and return the path of the file")
    return _skops(model, out, trust=trust)


def _skops(model: Any, out: Path, *, trust: bool) -> str:
    path = _named(out, ".skops")
    try:
        import_skops().dump(model, path)
        open_model(path, trust=False)
    except Exception as error:  # skops says in a dozen classes what it cannot keep
        if not trust:
            why = " ".join(str(error).split())[:300]
            raise BadInput(
                "model", "trust", f"holds what no file without code can hold ({why}); set trust: true in the recipe"
            ) from error
        return _pickled(model, out)
    return f"{NAME}.skops"


def _pickled(model: Any, out: Path) -> str:
    _named(out, ".skops").unlink(missing_ok=True)
    joblib.dump(model, _named(out, ".joblib"))
    return f"{NAME}.joblib"


def _named(out: Path, ending: str) -> Path:
    return out / f"{NAME}{ending}"
