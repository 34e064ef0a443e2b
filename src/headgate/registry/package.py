"""A package as a value: what its manifest says, and how arrays enter and leave its model.

Read by runtimes on the smallest devices, so this file needs the standard library and msgspec alone.
"""

from enum import StrEnum

import msgspec

from headgate.vocabulary import readable


class Engine(StrEnum):
    """What makes a package callable."""

    ONNX = "onnx"
    """ONNX Runtime, in any process."""
    SKLEARN = "sklearn"
    """The fitted estimator itself, from a skops file, in the runtime host."""
    XGBOOST = "xgboost"
    LIGHTGBM = "lightgbm"
    TORCH = "torch"
    """A ``torch.export`` program, in the runtime host."""
    KERAS = "keras"
    TEXT = "text"
    """A tokeniser and an ONNX model that reads its ids, in the runtime host."""
    PYTHON = "python"
    """A class with ``predict``, from source in the package, in the runtime host."""
    PICKLE = "pickle"
    """A pickled estimator somebody said they trust, in the runtime host."""


class ModelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array a model reads, and which fields it is made of.

    Several fields of one dtype make a matrix (rows, fields); a single scalar field makes a column
    (rows, 1); a single tensor field makes (rows, *shape).
    A null is NaN in a float array and the empty string in a string array; the other dtypes hold none.
    """

    name: str
    dtype: str
    """``float32``, ``float64``, ``int64``, ``bool`` or ``string``."""
    fields: list[str]
    shape: list[int | None]
    """Without the batch dimension."""


class ModelOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array a model gives back; `shape` without the batch dimension."""

    name: str
    dtype: str
    shape: list[int | None]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How arrays enter and leave a model."""

    inputs: list[ModelInput]
    outputs: list[ModelOutput]
    prediction: str | None = None
    """Output with one class or number per row; None: derive it from `scores`."""
    scores: str | None = None
    """Output with one number per class and row, or one column: the positive class's probability."""


@readable
class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a package. Its canonical JSON, hashed, is the package's digest."""

    format: int
    engine: Engine
    artefact: str
    """Path of the model inside the package."""
    signature: Signature
    files: dict[str, str]
    """SHA-256 of every other file by its path, so that a tombstone can stand for removed data."""
    environment: dict[str, str]
    """Python and library versions the model was fitted with."""
    options: dict[str, str] = {}
    """What the engine needs to know: class to load, output decoding, tokeniser limits."""
    trusted: bool = False
    """Whether a person said aloud that code in here may run."""
