"""Fields of two windows under each other, as numbers or as names, whatever types they came in.

`attribute` calls `pooled`; `basis`, `faults` and `weakness` read the columns. Nothing here fails on a value: what is no
number is a name, and what is no name is its text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import Column, absent, spelled
from headgate.evaluation.slices import MISSING

FEW: Final = 10
"""Different values up to which a number counts as a category."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field in both windows, the reference's rows first."""

    name: str
    values: NDArray[Any]
    """float64, NaN where a value is missing; or texts, `MISSING` among them."""

    @property
    def has_numbers(self) -> bool:
        """Whether its values are numbers and no names."""
        return self.values.dtype.kind == "f"

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no value."""
        found: NDArray[np.bool_] = np.isnan(self.values) if self.has_numbers else self.values == MISSING
        return found


def pooled(reference: Mapping[str, Column], current: Mapping[str, Column]) -> tuple[Field, ...]:
    """The fields that both windows have, in the reference's order.

    >>> [each] = pooled({"a": [1, None], "b": [0, 0]}, {"a": [2.5]})
    >>> each.values.tolist()
    [1.0, nan, 2.5]
    >>> pooled({"a": ["x"]}, {"a": [None]})[0].values.tolist()
    ['x', '(missing)']
    """
    return tuple(_field(name, reference[name], current[name]) for name in reference if name in current)


def taken(column: Column, chosen: NDArray[np.intp]) -> NDArray[Any]:
    """The values at some places.

    >>> taken([[1], [2], [3]], np.array([0, 2])).tolist()
    [[1], [3]]
    """
    found: NDArray[Any] = _array(column)[chosen]
    return found


def _field(name: str, reference: Column, current: Column) -> Field:
    sides = [_array(each) for each in (reference, current)]
    kinds = {each.dtype.kind for each in sides}
    if kinds <= set("iuf"):
        return Field(name, np.concatenate([each.astype(np.float64) for each in sides]))
    if kinds == {"M"}:
        return Field(name, np.concatenate([_moments(each) for each in sides]))
    values = [value for each in sides for value in each.tolist()]
    numbers = _numbers(values)
    if numbers is not None:
        return Field(name, numbers)
    return Field(name, np.array([MISSING if absent(each) else spelled(each) for each in values]))


def _array(column: Column) -> NDArray[Any]:
    """The values as they are; a list of lists stays a column of lists."""
    if isinstance(column, np.ndarray) and column.ndim == 1:
        return column
    values = list(column)
    found = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):  # a slice would take lists of one length apart
        found[place] = value
    return found


def _moments(column: NDArray[Any]) -> Floats:
    """Moments as microseconds, NaN for NaT."""
    found = column.astype("datetime64[us]").astype(np.int64).astype(np.float64)
    found[np.isnat(column)] = np.nan
    return found


def _numbers(values: list[Any]) -> Floats | None:
    """Numbers or moments as floats; None when a value is neither, is too large, or none is there."""
    present = [each for each in values if not absent(each)]
    if not present:
        return None
    if all(isinstance(each, date) for each in present):
        return np.array([np.nan if absent(each) else _day(each) for each in values])
    if not all(isinstance(each, int | float | Decimal) and not isinstance(each, bool) for each in present):
        return None
    try:
        return np.array([np.nan if absent(each) else float(each) for each in values])
    except OverflowError:  # a whole number of more than 308 digits
        return None


def _day(moment: date) -> float:
    """Days since the year one, with what is past of the day."""
    seconds = 0 if not isinstance(moment, datetime) else moment.hour * 3600 + moment.minute * 60 + moment.second
    return moment.toordinal() + seconds / 86400
