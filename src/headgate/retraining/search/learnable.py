"""What the search learns from, and what it refuses to learn from."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from headgate.contracts.contract import Contract
from headgate.contracts.infer import infer
from headgate.contracts.tables import as_table
from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.registry import native
from headgate.vocabulary import Task

LEAST_ROWS: Final = 200
"""Labelled rows below which nothing is learned: no figure measured on a part of them would mean anything."""
LEAST_OF_A_CLASS: Final = 20
"""Rows each class must have at least."""


class Learnable(Protocol):
    """Labelled rows. A recipe's training data is one."""

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802 - what everybody who learns from tables calls it
        """One column per feature."""
        ...

    @property
    def y(self) -> NDArray[Any]:
        """The label of each row; None or NaN where there is none."""
        ...

    @property
    def weight(self) -> NDArray[Any] | None:
        """How much each row counts; None where all count alike."""
        ...

    @property
    def at(self) -> NDArray[Any] | None:
        """When each row was asked, as microseconds since 1970 or ``datetime64``; None where nobody knows."""
        ...

    @property
    def task(self) -> Task:
        """What is learned."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Learning:
    """Labelled rows as a value.

    >>> table = pa.table({"distance": [200.0, 1400.0], "late": [0, 1]})
    >>> Learning.of(table, label="late").task.value
    'binary'
    """

    X: pd.DataFrame
    """One column per feature."""
    y: NDArray[Any]
    """The label of each row."""
    task: Task
    """What is learned."""
    weight: NDArray[Any] | None = None
    """How much each row counts; None: all alike."""
    at: NDArray[Any] | None = None
    """When each row was asked; None: nobody knows."""

    @classmethod
    def of(
        cls,
        table: pa.Table,
        *,
        label: str,
        at: str | None = None,
        weight: str | None = None,
        without: tuple[str, ...] = (),
        task: Task | None = None,
    ) -> "Learning":
        """The rows of a table. `label`, `at` and `weight` name columns; columns `without` are no features.

        The task is guessed from the label unless it is said. Raises BadInput for a column that is not there or cannot
        be what it is said to be.
        """
        for name in (label, at, weight, *without):
            if name is not None and name not in table.column_names:
                known = ", ".join(table.column_names[:20])
                raise BadInput(name, "missing", f"the rows have no such column; they have {known}")
        features = [each for each in table.column_names if each not in (label, at, weight, *without)]
        labels = native.column(table, label)
        if labels.null_count == len(labels):
            raise BadInput(label, "empty", "no row has a label, so there is nothing to learn from")
        return cls(
            table.select(features).to_pandas(),
            np.array(labels.to_pylist(), dtype=object),
            task or _task(labels),
            None if weight is None else native.numbers(table, weight),
            None if at is None else native.numbers(table, at),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """Rows that can be learned from, oldest first."""

    frame: pd.DataFrame
    """The features as the registry will ask a model: numbers, and texts with NaN for none."""
    contract: Contract
    """What they look like, field by field."""
    labels: NDArray[Any]
    """The label of each row: a class, or a number."""
    codes: NDArray[np.int64]
    """Positions in `classes`; empty for a regression."""
    classes: tuple[str | int | bool, ...]
    """The classes in a model's order; none for a regression."""
    weight: Floats | None
    """None where all rows count alike."""
    at: NDArray[np.int64] | None
    """Microseconds since 1970; None where the rows have no order."""
    task: Task
    """What is learned."""

    def __len__(self) -> int:
        return len(self.labels)


def examine(data: Learnable) -> Examined:
    """The rows in order of time, those without a label or a weight left out.

    Raises BadInput naming what is wrong and the rule: ``few`` (under 200 rows, or 20 of a class), ``one_class``,
    ``constant``, ``finite``, ``shape``, ``task``, and what `headgate.contracts.infer.infer` says of a column.
    """
    if data.task is Task.TENSOR:
        raise BadInput("task", "task", "the built-in search learns classes and numbers; give a recipe of your own")
    rows = len(data.y)
    if len(data.X) != rows:
        raise BadInput("X", "shape", f"has {len(data.X)} rows for {rows} labels")
    weight, at = _weights(data.weight, rows), _moments(data.at, rows)
    known = ~pd.isna(pd.Series(data.y)).to_numpy()
    if weight is not None:
        known &= weight > 0
    if int(known.sum()) < LEAST_ROWS:
        raise BadInput(
            "rows", "few", f"{int(known.sum())} labelled rows are too few to learn from; {LEAST_ROWS} are the least"
        )
    order = np.flatnonzero(known)
    if at is not None:
        order = order[np.argsort(at[order], kind="stable")]
    table = as_table(data.X)
    contract = infer(table)
    labels, codes, classes = _labels(np.asarray(data.y)[order], data.task)
    return Examined(
        native.frame(table, contract, contract.names).iloc[order].reset_index(drop=True),
        contract,
        labels,
        codes,
        classes,
        None if weight is None or bool(np.ptp(weight[order]) == 0) else weight[order],
        None if at is None or bool(np.ptp(at[order]) == 0) else at[order],
        data.task,
    )


def _task(labels: pa.Array) -> Task:
    """What a column of labels asks for, as contracts guess it."""
    known = labels.drop_null()
    return infer(pa.table({"row": np.arange(len(known)), "label": known}), label="label").output.task


def _labels(values: NDArray[Any], task: Task) -> tuple[NDArray[Any], NDArray[np.int64], tuple[str | int | bool, ...]]:
    if task is Task.REGRESSION:
        try:
            numbers = values.astype(np.float64)
        except (TypeError, ValueError):
            raise BadInput("y", "type", "a regression needs numbers, and one of the labels is none") from None
        if not bool(np.isfinite(numbers).all()):
            raise BadInput("y", "finite", "a label is infinite; leave such rows out")
        if bool(np.ptp(numbers) == 0):
            raise BadInput("y", "constant", "every row has the same label, so there is nothing to learn")
        return numbers, np.empty(0, np.int64), ()
    plain = [each.item() if hasattr(each, "item") else each for each in values.tolist()]
    plain = [int(each) if isinstance(each, float) and each.is_integer() else each for each in plain]
    kinds = {type(each) for each in plain}
    if not any(kinds <= each for each in ({str}, {int}, {bool})):
        raise BadInput("y", "type", "classes must be all texts, all whole numbers or all booleans")
    labels = np.array(plain, dtype=object if kinds == {str} else None)
    found, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(found) < 2:
        raise BadInput(
            "y", "one_class", f"all {len(labels):,} rows are of one class, so there is nothing to tell apart"
        )
    if int(counts.min()) < LEAST_OF_A_CLASS:
        raise BadInput(
            "y", "few", f"a class has {int(counts.min())} of {len(labels):,} rows; {LEAST_OF_A_CLASS} are the least"
        )
    return labels, codes.astype(np.int64), tuple(found.tolist())


def _weights(weight: NDArray[Any] | None, rows: int) -> Floats | None:
    if weight is None:
        return None
    found = np.asarray(weight, np.float64)
    if found.shape != (rows,):
        raise BadInput("weight", "shape", f"has {len(found)} values for {rows} rows")
    if not bool(np.isfinite(found).all()) or bool((found < 0).any()):
        raise BadInput("weight", "range", "weights must be numbers of zero or more")
    return found


def _moments(at: NDArray[Any] | None, rows: int) -> NDArray[np.int64] | None:
    if at is None:
        return None
    found = np.asarray(at)
    if found.shape != (rows,):
        raise BadInput("at", "shape", f"has {len(found)} moments for {rows} rows")
    if found.dtype.kind == "M":
        found = found.astype("datetime64[us]").astype(np.int64)
    if bool(pd.isna(pd.Series(found)).any()):
        raise BadInput("at", "missing", "a row has no moment; give every row one, or none")
    return found.astype(np.int64)
