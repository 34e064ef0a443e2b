"""A Python class with ``predict``, from one source file or a folder with ``model.py``; it runs only when trusted.

::

    class Model:
        def __init__(self, folder):          # the package's folder of sources; the argument may be left out
            ...
        def predict(self, table):            # a pyarrow Table; name it `rows` to get a list of dicts instead
            return scores                    # (rows, classes) are scores, (rows,) are predictions
"""

import importlib.util
import inspect
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract
from headgate.errors import BadInput, RuntimeFailed, TrustRequired
from headgate.registry import native
from headgate.registry.importers.importer import Candidate, Imported, Traits, answers, columns
from headgate.registry.package import Engine, Signature
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

ARTEFACT: Final = "model.py"
FOLDER: Final = "model"


@dataclass(frozen=True, slots=True)
class PythonSource:
    """A class somebody wrote, by where its source lies."""

    path: Path
    """A ``.py`` file, or a folder with ``model.py``, whose other files travel along."""
    name: str | None = None
    """The class; None: the only one in the file with ``predict``."""


def recognises(model: Any) -> bool:
    """Whether it is source, or a class with ``predict``."""
    return isinstance(model, PythonSource) or (isinstance(model, type) and callable(getattr(model, "predict", None)))


def source_of(model: Any) -> PythonSource:
    """Where the source of a class lies. Raises BadInput for a class that was typed in."""
    if isinstance(model, PythonSource):
        return model
    try:
        return PythonSource(Path(inspect.getfile(model)), model.__name__)
    except (TypeError, OSError) as error:
        raise BadInput("model", "type", "the class has no source file; save it as a .py file first") from error


def traits(model: Any) -> Traits:
    """Nothing: the contract and the labels say what the class answers."""
    return Traits()


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """The class itself, asked on the reference rows. Raises TrustRequired unless `trust` was said."""
    source = source_of(model)
    if not trust:
        raise TrustRequired("serving a Python class runs its source; read it, then register with trust (--trust)")
    main = source.path / ARTEFACT if source.path.is_dir() else source.path
    found = load(main, source.name)
    reads = reading(found)
    truth = Native(instance(found, main.parent), contract, reads)
    scores = truth.predict(reference.slice(0, 1)).scores is not None
    said = answers(contract, label="prediction")
    if contract.output.task is not Task.TENSOR and scores and said.scores is None:
        said = Signature([], said.outputs, said.prediction, "scores")

    def write(folder: Path) -> None:
        if source.path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
            shutil.copytree(source.path, folder / FOLDER, ignore=ignored)
        else:
            (folder / FOLDER).mkdir()
            shutil.copyfile(source.path, folder / FOLDER / ARTEFACT)

    candidate = Candidate(
        "the Python class, in the runtime host",
        Engine.PYTHON,
        f"{FOLDER}/{ARTEFACT}",
        Signature(columns(contract, contract.names, "float64"), said.outputs, said.prediction, said.scores),
        write,
        {"class": found.__name__, "input": reads},
        trusted=True,
    )
    return Imported("Python", truth, (candidate,), ("numpy",))


def load(path: Path, name: str | None) -> Any:
    """The class in a source file, leaving no bytecode behind. Raises BadInput when it is not there or cannot run."""
    spec = importlib.util.spec_from_file_location(f"headgate_model_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput("model", "missing", "there is no model.py to read the class from")
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever their code raises
        raise BadInput("model", "type", f"the source fails when it is run: {type(error).__name__}") from error
    finally:
        sys.dont_write_bytecode = before
    classes = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and callable(getattr(each, "predict", None))
    ]
    fitting = [each for each in classes if name in (None, each.__name__)]
    if len(fitting) != 1:
        raise BadInput("model", "missing", "the source must have exactly one class with predict, or its name be given")
    return fitting[0]


def reading(found: Any) -> str:
    """``rows`` when the class asks for them by that name, else ``table``."""
    names = list(inspect.signature(found.predict).parameters)
    return "rows" if "rows" in names else "table"


def instance(found: Any, folder: Path) -> Any:
    """The class made, with its folder if it asks for one. Raises BadInput when making it fails."""
    asks = [each for each in inspect.signature(found).parameters.values() if each.default is each.empty]
    try:
        return found(folder) if asks else found()
    except (Exception, SystemExit) as error:  # somebody's code may raise anything
        raise BadInput("model", "type", f"the class fails when it is made: {type(error).__name__}") from error


class Native:
    """The class answering tables."""

    def __init__(self, model: Any, contract: Contract, reads: str) -> None:
        self._model = model
        self._contract = contract
        self._reads = reads

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row. Raises RuntimeFailed when the class errs or answers in another shape."""
        rows = table.select(list(self._contract.names))
        try:
            said = np.asarray(self._model.predict(rows.to_pylist() if self._reads == "rows" else rows))
        except (Exception, SystemExit) as error:  # whatever their code raises
            raise RuntimeFailed(f"the class failed on the reference rows: {type(error).__name__}") from error
        if said.ndim == 0:  # None, one number, a dictionary, a generator
            raise BadInput("model", "shape", f"must give an array or list with one answer per row, gave {said.dtype}")
        if len(said) != table.num_rows:
            raise BadInput("model", "shape", f"gave {len(said)} answers for {table.num_rows} rows")
        if said.ndim == 2 and self._contract.output.classes:
            return native.predicted(None, said, self._contract)
        return native.predicted(said, None, self._contract)
