"""Labelled rows in the one shape every metric reads.

`measure` and `evaluate` build them from what a caller has; monitors build them from the journal's columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.vocabulary import Task

Class = str | int | bool
Column = Sequence[Any] | NDArray[Any]
"""One value per row: a NumPy array, a list, or anything `numpy.asarray` reads."""

UNLABELLED = -2
"""Code of a row whose truth is not known yet."""
FOREIGN = -1
"""Code of a value that is none of the classes; as a prediction it counts as wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Rows of one class against the rest in ascending order of a score, ties counted together."""

    order: NDArray[np.intp]
    """Row numbers, lowest score first."""
    group: NDArray[np.intp]
    """Tie group of each place in `order`, from 0."""
    positives: Floats
    """Rows of the class in each tie group."""
    negatives: Floats

    @classmethod
    def of(cls, scores: Floats, positive: NDArray[np.bool_] | Floats) -> "Ranking":
        """The ranking, in O(n log n); a row may be positive in part, where only the chance of its label is known."""
        order = np.argsort(scores)
        ranked, hits = scores[order], positive[order]
        starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
        sizes = np.diff(np.append(starts, len(ranked)))
        group = np.repeat(np.arange(len(starts)), sizes)
        positives = np.add.reduceat(hits.astype(np.float64), starts)
        return cls(order, group, positives, sizes - positives)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows whose truth is known."""

    task: Task
    truth: NDArray[Any]
    """Class codes (int64, positions in `classes`) or, for regression, numbers (float64)."""
    predicted: NDArray[Any] | None
    """Like `truth`; `FOREIGN` where a model said none of the classes."""
    scores: Floats | None
    """Shape (rows, classes); None when the model gives none."""
    classes: tuple[Class, ...] = ()

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, chosen: NDArray[Any]) -> "Rows":
        """The rows of a mask, of row numbers or in another order."""
        predicted = None if self.predicted is None else self.predicted[chosen]
        scores = None if self.scores is None else self.scores[chosen]
        return Rows(self.task, self.truth[chosen], predicted, scores, self.classes)

    @cached_property
    def rankings(self) -> dict[int, Ranking]:
        """By class code; for a binary task only the positive class. Needs scores and at least one row."""
        assert self.scores is not None  # noqa: S101 - metrics declare that they need scores
        codes = (1,) if self.task is Task.BINARY else range(len(self.classes))
        return {code: Ranking.of(self.scores[:, code], self.truth == code) for code in codes}

    @cached_property
    def support(self) -> NDArray[np.intp]:
        """Rows per class."""
        return np.bincount(self.truth, minlength=len(self.classes))


def labelled(
    task: Task, labels: Column, predictions: Column | None, scores: Column | None, classes: Sequence[Class]
) -> tuple[Rows, NDArray[np.bool_]]:
    """The rows that have a label, and the mask that chose them.

    A label is missing when it is None or NaN. Raises headgate.errors.BadInput when columns differ in length,
    a label is none of the classes, scores have another shape than (rows, classes), or a number is not one.

    >>> rows, known = labelled(Task.BINARY, ["no", "yes", None], ["no", "no", "no"], None, ("no", "yes"))
    >>> rows.truth.tolist(), known.tolist()
    ([0, 1], [True, True, False])
    """
    count = len(labels)
    if predictions is not None and len(predictions) != count:
        raise BadInput("predictions", "shape", f"there are {len(predictions)} for {count} labels; give one per label")
    shaped = None if scores is None or task is Task.REGRESSION else _scores(scores, count, classes)
    if task is Task.REGRESSION:
        truth: NDArray[Any] = numbers("labels", labels)
        predicted: NDArray[Any] | None = None if predictions is None else numbers("predictions", predictions)
        known = ~np.isnan(truth)
    else:
        truth = encode(labels, classes)
        predicted = None if predictions is None else encode(predictions, classes)
        known = truth != UNLABELLED
        if bool((truth == FOREIGN).any()):
            row = int(np.argmax(truth == FOREIGN))
            raise BadInput(f"labels[{row}]", "domain", f"the label is none of the {len(classes)} classes")
    rows = Rows(task, truth, predicted, shaped, tuple(classes))
    return (rows if bool(known.all()) else rows.take(known)), known


def encode(values: Column, classes: Sequence[Class]) -> NDArray[np.int64]:
    """Positions in `classes`; `FOREIGN` for any other value, `UNLABELLED` for None and NaN.

    >>> encode([True, False, None, 7], (False, True)).tolist()
    [1, 0, -2, -1]
    """
    array = None if isinstance(values, list | tuple) else np.asarray(values)
    if array is not None and array.dtype.kind in "biuf" and not any(isinstance(each, str) for each in classes):
        codes = np.full(len(array), FOREIGN, dtype=np.int64)
        for code, each in enumerate(classes):
            codes[array == each] = code
        if array.dtype.kind == "f":
            codes[np.isnan(array)] = UNLABELLED
        return codes
    table: Mapping[Any, int] = {each: code for code, each in enumerate(classes)}
    plain = array.tolist() if array is not None else list(values)
    return np.fromiter((_code(value, table) for value in plain), dtype=np.int64, count=len(plain))


def _code(value: Any, table: Mapping[Any, int]) -> int:
    try:
        code = table.get(value)
    except TypeError:  # a value without a hash is certainly none of the classes
        return FOREIGN
    if code is not None:
        return code
    return UNLABELLED if absent(value) else FOREIGN


def absent(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, NaT, pandas' NA.

    >>> absent(None), absent(float("nan")), absent(0), absent("")
    (True, True, False, False)
    """
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 - only NaN and its kin differ from themselves
    except TypeError:  # pandas' NA has no truth value
        return True
    except ValueError:  # an array compared element by element
        return False


def spelled(value: object) -> str:
    """A class or a category as a text.

    >>> spelled(True), spelled(3), spelled("no")
    ('true', '3', 'no')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def numbers(field: str, values: Column) -> Floats:
    """The column as float64, NaN for None; headgate.errors.BadInput when a value is no number."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = np.array([np.nan if absent(each) else each for each in array], dtype=object)
    elif array.dtype.kind not in "biuf":
        raise BadInput(field, "type", f"a regression needs numbers, not {array.dtype.name}")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise BadInput(field, "type", "a regression needs numbers, and one of these values is none") from None


def _scores(scores: Column, count: int, classes: Sequence[Class]) -> Floats:
    """Scores as (rows, classes); a binary model may give the positive class's probability alone."""
    try:
        array = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput("scores", "type", "scores must be numbers, one row of them per label") from None
    single = array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)
    if single and len(classes) == 2:
        array = array.reshape(-1)
        array = np.column_stack((1 - array, array))
    if array.shape != (count, len(classes)):
        given = " x ".join(str(each) for each in array.shape)
        raise BadInput("scores", "shape", f"{given} where {count} x {len(classes)} (rows x classes) is needed")
    return array
