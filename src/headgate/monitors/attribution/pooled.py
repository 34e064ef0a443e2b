"""Fields of two windows under each other, as numbers, moments or names, whatever types they came in.

`pair` calls `pooled`; `basis`, `faults`, `gaps` and `weakness` read the columns. Nothing here fails on a value: what is
no number and no moment is a name, and what is no name is its text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import Column, absent
from headgate.evaluation.slices import MISSING, narrowed

FEW: Final = 10
"""Different values up to which a number counts as a category."""
_KINDS: Final = (
    ("truth values", (bool, np.bool_)),  # before numbers: Python counts them among those
    ("numbers", (int, float, Decimal, np.integer, np.floating)),
    ("moments", (date,)),
    ("texts", (str,)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field in both windows, the reference's rows first."""

    name: str
    values: NDArray[Any]
    """float64, NaN where a value is missing; datetime64, NaT there; or texts, `MISSING` among them."""
    became: tuple[str, str] | None = None
    """What it holds in the reference and what it holds now, in words, where that is not the same."""

    @property
    def has_numbers(self) -> bool:
        """Whether its values are numbers or moments, and no names."""
        return self.values.dtype.kind in "fM"

    @property
    def numbers(self) -> Floats:
        """Its numbers, or its moments as microseconds; NaN where a value is missing."""
        if self.values.dtype.kind == "M":
            return np.where(self.missing, np.nan, self.values.astype(np.int64).astype(np.float64))
        found: Floats = self.values
        return found

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no value."""
        lacking: NDArray[np.bool_]
        match self.values.dtype.kind:
            case "f":
                lacking = np.isnan(self.values)
            case "M":
                lacking = np.isnat(self.values)
            case _:
                lacking = self.values == MISSING
        return lacking

    def is_continuous(self) -> bool:
        """Whether it has more than `FEW` different numbers, so that its ranks say more than its single values."""
        return self.has_numbers and len(np.unique(self.values[~self.missing])) > FEW


def pooled(reference: Mapping[str, Column], current: Mapping[str, Column]) -> tuple[Field, ...]:
    """The fields that both windows have, in the reference's order.

    >>> [each] = pooled({"a": [1, None], "b": [0, 0]}, {"a": [2.5]})
    >>> each.values.tolist(), each.became
    ([1.0, nan, 2.5], None)
    >>> [each] = pooled({"a": [1]}, {"a": ["x"]})
    >>> each.values.tolist(), each.became
    (['1', 'x'], ('numbers', 'texts'))
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
        return Field(name, np.concatenate([each.astype("datetime64[us]") for each in sides]))
    if kinds == {"U"}:
        return Field(name, np.concatenate(sides))
    objects = [_objects(each) for each in sides]
    then, now = (_holds(each) for each in objects)
    became = (then, now) if then and now and then != now else None
    return Field(name, narrowed(np.concatenate(objects)), became)


def _array(column: Column) -> NDArray[Any]:
    """The values as they are; a list of lists stays a column of lists."""
    if isinstance(column, np.ndarray) and column.ndim == 1:
        return column
    values = list(column)
    found = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):  # a slice would take lists of one length apart
        found[place] = value
    return found


def _objects(side: NDArray[Any]) -> NDArray[Any]:
    """Python's own values; moments in microseconds, since finer ones would become whole numbers."""
    if side.dtype.kind == "M":
        side = side.astype("datetime64[us]")
    return side.astype(object)


def _holds(side: NDArray[Any]) -> str:
    """What a column of objects holds, in words; empty where nothing is there, or things of several kinds."""
    present = [each for each in side.tolist() if not absent(each)]
    for words, kinds in _KINDS:
        if present and all(isinstance(each, kinds) for each in present):
            return words
    return ""
