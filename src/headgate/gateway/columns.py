"""Rows that came as columns of numbers and stay columns until their answers are in the journal.

Doors that are sent tables make them; `divide.py` cuts or joins them into stretches that one version answers whole.
Nothing here looks at a row, and nothing here needs Arrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headgate.contracts.contract import Contract, Kind
from headgate.contracts.decode import Values
from headgate.contracts.matrix import Numbers
from headgate.journal.packed import FEATURES, Cells, few
from headgate.runtimes.feeds import Column, FeedPlan
from headgate.runtimes.ports import Feeds
from headgate.vocabulary import Task

_NUMERIC: Final = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.TIMESTAMP})


def are_numbers(contract: Contract) -> bool:
    """Whether rows of `contract` may stay columns: numbers go in, and classes or a number come out."""
    return all(each.kind in _NUMERIC for each in contract.fields) and contract.output.task is not Task.TENSOR


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Rows that keep their contract, a column per field in its order.

    >>> columns = Columns((Column(np.array([1.0, 2.0]), np.array([False, True])), Column(np.array([3, 4]))))
    >>> columns.rows(), len(columns.part(1, 2))
    ([(1.0, 3), (None, 4)], 1)
    """

    fields: tuple[Column, ...]
    flag_sets: tuple[tuple[str, ...], ...] = ((),)
    """Every set of flags that some row has."""
    flagged: npt.NDArray[np.intp] | None = None
    """Which of them each row has; None where no row has any."""

    def __len__(self) -> int:
        return len(self.fields[0].values)

    def part(self, start: int, stop: int) -> "Columns":
        """The rows from `start` to before `stop`."""
        flagged = None if self.flagged is None else self.flagged[start:stop]
        return Columns(tuple(each.part(start, stop) for each in self.fields), self.flag_sets, flagged)

    def take(self, places: Sequence[int]) -> "Columns":
        """The rows at `places`."""
        flagged = None if self.flagged is None else self.flagged[places]
        return Columns(tuple(each.take(places) for each in self.fields), self.flag_sets, flagged)

    def rows(self) -> list[Values]:
        """The same as everything else that reads rows gives them."""
        return list(zip(*(each.listed() for each in self.fields), strict=True))

    def flags(self) -> list[tuple[str, ...]] | None:
        """Of each row; None where no row has any."""
        return None if self.flagged is None else [self.flag_sets[each] for each in self.flagged]

    def features(self) -> list[Cells]:
        """The rows as the journal has them."""
        return [Cells(FEATURES, each.values, each.nulls) for each in self.fields]

    def flag_cells(self) -> list[Cells]:
        """The flags as the journal has them; none where no row has any."""
        return [] if self.flagged is None else [few("flags", self.flag_sets, self.flagged)]

    def feeds(self, plan: FeedPlan) -> Feeds:
        """What a model reads."""
        return plan.from_columns(self.fields)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Rows that keep a contract of number fields and have no null and no flag: one matrix, in the contract's order.

    >>> matrix = Matrix(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> matrix.rows(), len(matrix.part(1, 2))
    ([(1.0, 2.0), (3.0, 4.0)], 1)
    """

    values: Numbers
    """(rows, fields)."""

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def joined(cls, parts: "Sequence[Matrix]") -> "Matrix":
        """The rows of all of them, in order."""
        return parts[0] if len(parts) == 1 else cls(np.concatenate([each.values for each in parts]))

    def part(self, start: int, stop: int) -> "Matrix":
        """The rows from `start` to before `stop`."""
        return Matrix(self.values[start:stop])

    def take(self, places: Sequence[int]) -> "Matrix":
        """The rows at `places`."""
        return Matrix(self.values[places])

    def rows(self) -> list[Values]:
        """The same as everything else that reads rows gives them."""
        return list(map(tuple, self.values.tolist()))

    def flags(self) -> None:
        """No row has any."""
        return

    def features(self) -> list[Cells]:
        """The rows as the journal has them."""
        return [Cells(FEATURES, self.values)]

    def flag_cells(self) -> list[Cells]:
        """No flags, as the journal has them."""
        return []

    def feeds(self, plan: FeedPlan) -> Feeds:
        """What a model reads."""
        return plan.from_matrix(self.values)


Table = Columns | Matrix
"""Rows that nobody looks at one by one."""


class LazyRows(Sequence[Any]):
    """The rows of columns, made when somebody asks for one: most requests are answered without."""

    def __init__(self, columns: Table) -> None:
        self._columns = columns
        self._rows: list[Values] | None = None

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())

    def __getitem__(self, place: Any) -> Any:
        return self._all()[place]

    def _all(self) -> list[Values]:
        if self._rows is None:
            self._rows = self._columns.rows()
        return self._rows
