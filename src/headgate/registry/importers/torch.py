"""PyTorch modules and exported programs: ONNX with the module's own inputs, else a ``torch.export`` program.

The last step to probabilities is written into the graph, so that what is served answers in probabilities whether
the module gave logits or not.
"""

import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput, MissingExtra, RuntimeFailed
from headgate.registry import native
from headgate.registry.importers import graph, libraries
from headgate.registry.importers.importer import Candidate, Imported, Traits, columns, matrix, of_module
from headgate.registry.package import Engine, ModelInput, ModelOutput, Signature
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

ARTEFACT: Final = "model.pt2"


def recognises(model: Any) -> bool:
    """Whether it is a module or an exported program."""
    return of_module(model, "torch") or any(each.__module__.startswith("torch.nn") for each in type(model).__mro__)


def traits(model: Any) -> Traits:
    """Nothing: a module knows shapes, not columns; the contract and the labels say the rest."""
    return Traits()


def build(model: Any, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Its own answers; ONNX and the exported program to stand for it."""
    import torch  # noqa: PLC0415  adapter

    module = model.module() if isinstance(model, torch.export.ExportedProgram) else model.eval()
    inputs = bind(module, contract)
    last = _last_step(module, inputs, contract, reference)
    served = _serving(module, last, flat=contract.output.task is not Task.TENSOR)
    name = "scores" if contract.output.classes else "prediction"
    with quiet():
        shape = list(_ask(served, inputs, reference.slice(0, 2)).shape[1:])
    outputs = [ModelOutput(name, "float32", [int(each) for each in shape])]
    scores = name if contract.output.classes else None
    signature = Signature(inputs, outputs, None if scores else name, scores)
    decode = {"decode": "proba" if scores else "number"}

    def write_onnx(folder: Path) -> None:
        with quiet():
            made = torch.onnx.export(
                served,
                _example(inputs, reference),
                dynamo=True,
                dynamic_shapes=_dynamic(inputs),
                input_names=[each.name for each in inputs],
                output_names=[name],
                verbose=False,
            )
        if made is None:
            raise RuntimeFailed("PyTorch wrote no ONNX program")
        graph.save(made.model_proto, folder)

    def write_program(folder: Path) -> None:
        with quiet():
            program = torch.export.export(served, _example(inputs, reference), dynamic_shapes=_dynamic(inputs))
            torch.export.save(program, folder / ARTEFACT)

    candidates = (
        Candidate(f"ONNX, {inputs[0].dtype} inputs", Engine.ONNX, graph.ARTEFACT, signature, write_onnx),
        Candidate(
            "the exported program, in the runtime host", Engine.TORCH, ARTEFACT, signature, write_program, decode
        ),
    )
    return Imported("PyTorch", Native(served, contract, inputs), candidates, ("torch", "numpy", "onnx", "onnxscript"))


class Native:
    """The module answering tables by itself."""

    def __init__(self, module: Any, contract: Contract, inputs: list[ModelInput]) -> None:
        self._module = module
        self._contract = contract
        self._inputs = inputs

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row."""
        with quiet():
            said = _ask(self._module, self._inputs, table)
        if self._contract.output.classes:
            return native.predicted(None, said, self._contract)
        return native.predicted(said, None, self._contract)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No gradients, no warnings, nothing printed while PyTorch works."""
    import torch  # noqa: PLC0415  adapter

    with torch.no_grad(), libraries.quiet():
        yield


def bind(module: Any, contract: Contract) -> list[ModelInput]:
    """Which fields each argument of ``forward`` is made of: the field of its name, or all fields for a single one.

    Raises BadInput naming the argument that nothing fits.
    """
    names = arguments(module)
    fields = {each.name: each for each in contract.fields}
    if len(names) == 1 and names[0] not in fields:
        if len(fields) == 1 and contract.fields[0].kind is Kind.TENSOR:
            only = contract.fields[0]
            return [ModelInput(names[0], "float32", [only.name], list(only.shape or (None,)))]
        return matrix(contract, contract.names, "float32", names[0])
    for each in names:
        if each not in fields:
            raise BadInput(f"model.{each}", "missing", "no field of the contract has the name of this argument")
    return columns(contract, tuple(names), "float32")


def arguments(module: Any) -> list[str]:
    """The names of what ``forward`` must be given."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(module.forward).parameters.values()
    names = [each.name for each in parameters if each.kind in kinds and each.default is each.empty]
    return names or ["X"]


def _example(inputs: list[ModelInput], reference: pa.Table) -> tuple[Any, ...]:
    rows = reference.take(pa.array([0, reference.num_rows - 1, 0]))  # three: one or two would be taken for constants
    return _arrays(inputs, rows)


def _arrays(inputs: list[ModelInput], table: pa.Table) -> tuple[Any, ...]:
    import torch  # noqa: PLC0415  adapter

    found = native.feeds(table, Signature(inputs, []))
    return tuple(torch.from_numpy(np.ascontiguousarray(found[each.name])) for each in inputs)


def _ask(module: Any, inputs: list[ModelInput], table: pa.Table) -> Any:
    try:
        said = module(*_arrays(inputs, table))
    except Exception as error:  # whatever a module raises; a program exported for one batch size, an AssertionError
        raise BadInput(
            "model",
            "shape",
            f"fails on {table.num_rows} reference rows with {type(error).__name__}; it must take any number of rows:"
            " export a program with a dynamic first dimension",
        ) from error
    if isinstance(said, (tuple, list)):
        said = said[0]
    return said.detach().cpu().numpy()


def _dynamic(inputs: list[ModelInput]) -> tuple[Any, ...]:
    import torch  # noqa: PLC0415  adapter

    batch = torch.export.Dim("batch", min=1, max=1 << 20)
    return (tuple({0: batch} for _ in inputs),)  # `Serving` takes them as one ``*inputs``


def _last_step(module: Any, inputs: list[ModelInput], contract: Contract, reference: pa.Table) -> str:
    """``none``, ``sigmoid`` or ``softmax``: what makes probabilities of the module's answers to reference rows."""
    if not contract.output.classes or not contract.output.probability:
        return "none"
    with quiet():
        said = _ask(module, inputs, reference)
    said = said.reshape(len(said), -1)
    wide = said.shape[1] > 1
    inside = bool(((said >= 0) & (said <= 1)).all())
    if inside and (not wide or np.allclose(said.sum(axis=1), 1.0, atol=1e-3)):
        return "none"
    return "softmax" if wide else "sigmoid"


def _serving(module: Any, last: str, *, flat: bool) -> Any:
    """The module as it is served: its first output, `flat` as (rows, numbers), after the last step."""
    import torch  # noqa: PLC0415  adapter

    steps = {"none": None, "sigmoid": torch.nn.Sigmoid(), "softmax": torch.nn.Softmax(dim=1)}

    class Serving(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = module
            self.last = steps[last]

        def forward(self, *inputs: Any) -> Any:
            said = self.module(*inputs)
            said = said[0] if isinstance(said, (tuple, list)) else said
            if flat:  # a module that squeezes its answer would lose the rows of a batch of one
                said = said.reshape(inputs[0].shape[0], -1)
            return said if self.last is None else self.last(said)

    return Serving()


def read(path: Path) -> Any:
    """The exported program in a ``.pt2`` file. Raises BadInput for another file, MissingExtra without PyTorch."""
    try:
        import torch  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("a PyTorch model", "torch") from error
    try:
        with quiet():
            return torch.export.load(path)
    except Exception as error:  # an archive, a schema or an operator: three families of classes
        raise BadInput("model", "type", "is not a program torch.export saved") from error
