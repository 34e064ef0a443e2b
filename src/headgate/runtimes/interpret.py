"""Reads what a model gave back as the answer its contract promises, or says which promise it broke.

Shared by every runtime: ONNX Runtime and the native engines alike hand their raw arrays to an Interpreter. Needs
numpy and msgspec alone.
"""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headgate.contracts.contract import Contract
from headgate.errors import BadConfiguration, RuntimeFailed
from headgate.registry.package import Signature
from headgate.runtimes.ports import Array, Outputs
from headgate.vocabulary import Task

LABELS: Final = "labels"
"""Key of ``Manifest.options``: ``index`` when the model's own label output counts classes from 0."""
TOLERANCE: Final = 1e-6
"""How far a probability may lie outside 0..1: what float32 arithmetic leaves behind."""
SUM_TOLERANCE: Final = 1e-3
"""How far the probabilities of the first row may lie from summing to one, for the same reason."""

_PYTHON: Final = frozenset({str, bytes, bool, int, float, list, dict, type(None)})
"""What an array of objects may hold."""
_FLOAT64: Final = np.dtype(np.float64)
_FEW: Final = 256
"""Numbers up to which Python finds the extremes sooner than NumPy, whose code is cold after a model has run."""

Scores = npt.NDArray[np.float64]


class Interpreter:
    """Turns raw model outputs into Outputs; stateless once made, so any thread may use it.

    Every break of the output contract raises RuntimeFailed naming it: a wrong number of rows or columns, a label
    the contract does not list, a number that is not finite, a probability outside 0..1 or not summing to one, an
    answer outside the contract's bounds.
    """

    def __init__(self, signature: Signature, contract: Contract, options: Mapping[str, str] | None = None) -> None:
        self._output = contract.output
        self._probability = contract.output.probability
        self._names = [each.name for each in signature.outputs]
        self._prediction = self._place(signature.prediction)
        self._scores = self._place(signature.scores)
        self._indexed = (options or {}).get(LABELS) == "index"
        self._classes = class_array(contract.output.classes)
        self._known = frozenset(range(len(self._classes)) if self._indexed else contract.output.classes)
        self._run = _run_of(self._known)
        self._check_roles()

    def _place(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name not in self._names:
            raise BadConfiguration("signature", f"names the output '{name}', which the model does not have")
        return self._names.index(name)

    def _check_roles(self) -> None:
        if self._output.task is Task.TENSOR:
            return
        if self._output.task is Task.REGRESSION and self._prediction is None:
            self._prediction = 0 if self._scores is None else self._scores
        if self._prediction is None and self._scores is None:
            raise BadConfiguration("signature", "names neither a prediction nor a scores output")
        if self._output.task is not Task.REGRESSION and len(self._classes) < 2:
            raise BadConfiguration("contract.output.classes", "a classifier needs at least two classes")

    def read(self, raw: Sequence[Any], rows: int, compute_us: int) -> Outputs:
        """The answer in `raw`, one array per output of the signature, for a batch of `rows` rows."""
        arrays: dict[str, Array] = {}
        for name, value in zip(self._names, raw, strict=True):
            array = value if type(value) is np.ndarray else self._as_array(name, value)
            if array.ndim == 0 or len(array) != rows:
                found = len(array) if array.ndim else "no"
                raise RuntimeFailed(
                    f"the model broke its contract: output '{name}' has {found} rows, asked were {rows}"
                )
            arrays[name] = _spelled(name, array) if array.dtype.hasobject else array
        match self._output.task:
            case Task.TENSOR:
                return Outputs(np.empty(0), None, arrays, compute_us)
            case Task.REGRESSION:
                return Outputs(self._number(arrays), None, arrays, compute_us)
            case _:
                scores = self._read_scores(arrays)
                return Outputs(self._label(arrays, scores), scores, arrays, compute_us)

    def _as_array(self, name: str, value: Any) -> Array:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return self._unzip(name, value)
        return np.asarray(value)

    def _unzip(self, name: str, value: list[dict[Any, float]]) -> Scores:
        """Scores from a list of class-to-score mappings, as converters that end in a ZipMap give them."""
        try:
            return np.array([[row[each] for each in self._output.classes] for row in value], np.float64)
        except KeyError as error:
            raise RuntimeFailed(f"the model broke its contract: output '{name}' lacks a class") from error

    def _number(self, arrays: Mapping[str, Array]) -> Scores:
        name = self._names[self._prediction or 0]
        found = arrays[name]
        if found.size != found.shape[0]:
            raise RuntimeFailed(f"the model broke its contract: output '{name}' has more than one number per row")
        number = _as_float(name, found.reshape(-1))
        if number.size:
            self._check_bounds(name, *_extremes(number)[:2])
        return number

    def _check_bounds(self, name: str, low: float, high: float) -> None:
        if not (isfinite(low) and isfinite(high)):
            raise RuntimeFailed(f"the model broke its contract: output '{name}' is not finite")
        minimum, maximum = self._output.minimum, self._output.maximum
        if (minimum is not None and low < minimum) or (maximum is not None and high > maximum):
            raise RuntimeFailed(f"the model broke its contract: output '{name}' is outside its bounds")

    def _read_scores(self, arrays: Mapping[str, Array]) -> Scores | None:
        if self._scores is None:
            return None
        name, count = self._names[self._scores], len(self._classes)
        found = _as_float(name, arrays[name])
        if found.ndim == 1:
            found = found.reshape(-1, 1)
        if found.ndim == 2 and found.shape[1] == 1 and count == 2:
            found = np.concatenate((1.0 - found if self._probability else -found, found), axis=1)
        if found.ndim != 2 or found.shape[1] != count:
            raise RuntimeFailed(f"the model broke its contract: output '{name}' is not one score for {count} classes")
        self._check_scores(name, found)
        return found if found.flags.c_contiguous else np.ascontiguousarray(found)

    def _check_scores(self, name: str, scores: Scores) -> None:
        if not scores.size:
            return
        low, high, first = _extremes(scores)
        if not (isfinite(low) and isfinite(high)):
            raise RuntimeFailed(f"the model broke its contract: output '{name}' is not finite")
        if not self._probability:
            return
        if low < -TOLERANCE or high > 1.0 + TOLERANCE:
            raise RuntimeFailed(f"the model broke its contract: output '{name}' has a probability outside 0..1")
        # A model that does not normalise shows it in any row; summing all of them costs more than the model itself.
        if abs(sum(first) - 1.0) > SUM_TOLERANCE:
            raise RuntimeFailed(f"the model broke its contract: probabilities in '{name}' do not sum to one")

    def _label(self, arrays: Mapping[str, Array], scores: Scores | None) -> Array:
        if self._prediction is None:
            if scores is None:
                raise RuntimeFailed("the model broke its contract: no output to decide by")
            best: Array = self._classes[scores.argmax(axis=1)]
            return best
        name = self._names[self._prediction]
        found = arrays[name]
        if found.size != found.shape[0]:
            raise RuntimeFailed(f"the model broke its contract: output '{name}' has more than one label per row")
        labels = found.reshape(-1)
        if not self._lists(labels):
            raise RuntimeFailed(f"the model broke its contract: output '{name}' has a label the contract does not list")
        if self._indexed:
            labels = self._classes[labels.astype(np.intp)]
        return labels if labels.dtype == self._classes.dtype else labels.astype(self._classes.dtype)

    def _lists(self, labels: Array) -> bool:
        """Whether the contract lists all of `labels`."""
        if self._run is not None and labels.size > _FEW and labels.dtype.kind in "iu":
            return self._run[0] <= int(np.minimum.reduce(labels)) and int(np.maximum.reduce(labels)) <= self._run[1]
        try:
            return self._known.issuperset(labels.tolist())
        except TypeError:  # a label no set could hold is no class either
            return False


def _run_of(known: Collection[object]) -> tuple[int, int] | None:
    """The first and the last of labels that are consecutive whole numbers (booleans are); None for any others."""
    whole = sorted(int(each) for each in known if isinstance(each, int))
    if not whole or len(whole) < len(known) or whole[-1] - whole[0] != len(whole) - 1:
        return None
    return whole[0], whole[-1]


def _spelled(name: str, array: Array) -> Array:
    """An array of objects whose every element is Python's own: pandas leaves NumPy's scalars in them."""
    values = array.ravel().tolist()
    if _PYTHON.issuperset(map(type, values)):
        return array
    spelled = np.empty(len(values), dtype=object)
    for place, each in enumerate(values):
        spelled[place] = value = each.item() if isinstance(each, np.generic) else each
        if type(value) not in _PYTHON:
            kind = type(value).__name__
            raise RuntimeFailed(f"the model broke its contract: output '{name}' holds a {kind}, which no reply can say")
    return spelled.reshape(array.shape)


def class_array(classes: Sequence[str | int | bool]) -> Array:
    """Classes as an array to index by: booleans, integers, or objects where there are strings.

    >>> class_array((False, True)).dtype, class_array((3, 7)).dtype, class_array(("no", "yes")).dtype
    (dtype('bool'), dtype('int64'), dtype('O'))
    """
    if classes and all(isinstance(each, bool) for each in classes):
        return np.array(classes, np.bool_)
    if classes and all(isinstance(each, int) and not isinstance(each, bool) for each in classes):
        return np.array(classes, np.int64)
    array = np.empty(len(classes), dtype=object)
    array[:] = classes
    return array


def _extremes(numbers: Scores) -> tuple[float, float, list[float]]:
    """The lowest and highest number, NaN or infinite when any number is; and the numbers of the first row."""
    width = numbers.size // len(numbers)
    if numbers.size <= _FEW:
        values = numbers.ravel().tolist()
        if isfinite(sum(values)):  # else Python's min and max might pass over a NaN
            return min(values), max(values), values[:width]
    low, high = np.minimum.reduce(numbers, axis=None), np.maximum.reduce(numbers, axis=None)
    return float(low), float(high), numbers[:1].ravel().tolist()


def _as_float(name: str, array: Array) -> Scores:
    if array.dtype is _FLOAT64:
        return array
    try:
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise RuntimeFailed(f"the model broke its contract: output '{name}' holds no numbers") from error
