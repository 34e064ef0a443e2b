"""What every importer offers: traits of a model, its own answers, and candidates to stand for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput
from headgate.registry.package import Engine, ModelInput, ModelOutput, Signature
from headgate.registry.ports import Predictor
from headgate.vocabulary import Task

Label = str | int | bool
NUMERIC = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.TIMESTAMP})
TEXTUAL = frozenset({Kind.CATEGORY, Kind.TEXT})


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model says of itself before any data is shown to it; None where it does not say."""

    fields: tuple[str, ...] | None = None
    """The columns it reads, in its own order."""
    task: Task | None = None
    classes: tuple[Label, ...] = ()
    probability: bool | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One artefact that could stand for a model."""

    name: str
    """As people read it: ``ONNX, float32 inputs``."""
    engine: Engine
    artefact: str
    signature: Signature
    write: Callable[[Path], None]
    """Writes the artefact, and what it needs beside it, into a directory; raises whatever its converter raises."""
    options: Mapping[str, str] = field(default_factory=dict)
    trusted: bool = False


def no_form(name: str, why: str) -> Candidate:
    """A candidate that cannot be made, so that the report says why a person did not get it."""

    def write(folder: Path) -> None:
        raise BadInput("model", "type", why)

    return Candidate(name, Engine.ONNX, "", Signature([], []), write)


@dataclass(frozen=True, slots=True)
class Imported:
    """A model understood: its own answers, and the candidates in order of preference."""

    library: str
    native: Predictor
    candidates: tuple[Candidate, ...]
    distributions: tuple[str, ...]
    """Installed packages whose versions the model depends on."""


class Importer(Protocol):
    """A module of this folder."""

    def recognises(self, model: Any) -> bool:
        """Whether `model` is of this importer's library; imports nothing to find out."""
        ...

    def traits(self, model: Any) -> Traits:
        """What the model says of itself. Raises BadInput for a kind of model that cannot be served."""
        ...

    def build(self, model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
        """The model's own answers and the candidates to stand for it."""
        ...


def of_module(model: Any, *roots: str) -> bool:
    """Whether a class among the ancestors of `model`'s class comes from one of these top-level modules.

    >>> of_module(Path("."), "pathlib"), of_module(3, "sklearn")
    (True, False)
    """
    return any(each.__module__.partition(".")[0] in roots for each in type(model).__mro__)


def plain(classes: Any) -> tuple[Label, ...]:
    """NumPy's classes as Python's strings, integers or booleans.

    Whole floats become integers. Raises BadInput for classes that are neither.
    """
    values = [each.item() if hasattr(each, "item") else each for each in classes]
    values = [int(each) if isinstance(each, float) and each.is_integer() else each for each in values]
    if not all(isinstance(each, (str, int, bool)) for each in values):
        raise BadInput("model.classes", "type", "classes must be text, whole numbers or booleans")
    return tuple(values)


def task_of(classes: tuple[Label, ...]) -> Task:
    """Binary for two classes, multiclass for more."""
    if len(classes) < 2:
        raise BadInput("model.classes", "size", "a classifier needs at least two classes; it was fitted with fewer")
    return Task.BINARY if len(classes) == 2 else Task.MULTICLASS


def matrix(contract: Contract, fields: tuple[str, ...], dtype: str, name: str = "X") -> list[ModelInput]:
    """One array of all `fields`. Raises BadInput naming a field that is no number."""
    kinds = {each.name: each.kind for each in contract.fields}
    for each in fields:
        if kinds[each] not in NUMERIC:
            raise BadInput(
                each, "type", f"a {kinds[each]} field cannot be part of a matrix of numbers; encode it first"
            )
    return [ModelInput(name, dtype, list(fields), [len(fields)])]


def columns(contract: Contract, fields: tuple[str, ...], dtype: str) -> list[ModelInput]:
    """One array per field: `dtype` for numbers, strings (objects) for categories, text and the bytes of images."""
    kinds = {each.name: each for each in contract.fields}
    inputs = []
    for each in fields:
        kind = kinds[each].kind
        if kind is Kind.TENSOR:
            inputs.append(ModelInput(each, dtype, [each], list(kinds[each].shape or (None,))))
        else:
            inputs.append(ModelInput(each, "string" if kind in TEXTUAL or kind is Kind.IMAGE else dtype, [each], [1]))
    return inputs


def answers(contract: Contract, dtype: str = "float64", *, label: str | None = "label") -> Signature:
    """The outputs of a hosted model, without inputs: ``prediction`` and, where there are probabilities, ``scores``."""
    output = contract.output
    if output.task in (Task.REGRESSION, Task.TENSOR):
        return Signature([], [ModelOutput("prediction", dtype, [])], prediction="prediction")
    outputs = []
    if label is not None:
        kind = {str: "string", bool: "bool"}.get(type(output.classes[0]), "int64")
        outputs.append(ModelOutput(label, kind, []))
    if output.probability:
        outputs.append(ModelOutput("scores", dtype, [len(output.classes)]))
    return Signature([], outputs, prediction=label, scores="scores" if output.probability else None)


def used(traits: Traits, contract: Contract) -> tuple[str, ...]:
    """The fields a model reads, in its own order. Raises BadInput naming one the contract does not have."""
    fields = traits.fields if traits.fields is not None else contract.names
    for each in fields:
        if each not in contract.names:
            raise BadInput(each, "missing", "the model was fitted with this field; add it to the contract")
    return fields
