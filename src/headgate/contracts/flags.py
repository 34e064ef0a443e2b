"""Rules set to ``flag``, looked for over a whole batch at once.

Called by ``decode`` on the request path for every batch, so the common answer, nothing flagged, is the quick one.
"""

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Rule
from headgate.contracts.explain import bounds, outside

_FEW: Final = 4
"""Rows up to which a plain loop is quicker than making an array."""
_EXACT: Final = 2.0**53
"""Beyond this a 64-bit float does not hold every whole number, so such bounds are compared as integers."""

Values = Sequence[tuple[object, ...]]


def flagged_range(field: Field) -> bool:
    """Whether values beyond the bounds of `field` are flagged rather than refused."""
    return field.on_range is OnBreak.FLAG and bounds(field) != (None, None)


def flagged_domain(field: Field) -> bool:
    """Whether categories unknown to `field` are flagged rather than refused."""
    return field.kind is Kind.CATEGORY and field.on_domain is OnBreak.FLAG and field.domain is not None


class FlagScreen:
    """Names the flagged rules that rows break; rows are tuples in contract order, moments in microseconds."""

    def __init__(self, contract: Contract) -> None:
        self._width = len(contract.fields)
        self._ranges = [(i, each) for i, each in enumerate(contract.fields) if flagged_range(each)]
        self._domains = [(i, each, _legal(each)) for i, each in enumerate(contract.fields) if flagged_domain(each)]
        self._bounds = [(i, *_closed(each)) for i, each in self._ranges]
        self._exact = [(i, each) for i, each in self._ranges if max(map(abs, _finite(each))) > _EXACT]
        self._pick = _picker([i for i, _ in self._ranges], self._width)
        self._pack = struct.Struct(f"{len(self._ranges)}d").pack
        self._lows = np.array([low for _, low, _ in self._bounds])
        self._highs = np.array([high for _, _, high in self._bounds])
        self._lows32, self._highs32 = self._lows.astype(np.float32), self._highs.astype(np.float32)
        self._columns = np.array([i for i, _ in self._ranges], dtype=np.intp)

    def flags(self, values: Values, matrix: npt.NDArray[Any] | None = None) -> list[tuple[str, ...]] | None:
        """``rule:field`` of every flagged rule each row breaks, or None when no row breaks any.

        `matrix`, if the caller has one anyway, holds the same rows: (rows, fields) float64 or float32 in contract
        order, NaN for null. In float32 a break smaller than that type's rounding does not show.
        """
        if not values or not self._suspects(values, matrix):
            return None
        found = [self._names(row) for row in values]
        return found if any(found) else None

    def _suspects(self, values: Values, matrix: npt.NDArray[Any] | None) -> bool:
        for i, _, legal in self._domains:
            if not legal.issuperset(map(itemgetter(i), values)):
                return True
        if not self._ranges:
            return False
        if len(values) <= _FEW:
            return self._any_outside(values)
        if matrix is None:
            matrix = self._array(values)
        elif len(self._columns) < self._width:
            matrix = matrix[:, self._columns]
        return self._beyond(matrix) or self._any_exact(values)

    def _any_outside(self, values: Values) -> bool:
        for row in values:
            for i, low, high in self._bounds:
                value: Any = row[i]
                if value is not None and not low <= value <= high:
                    return True
        return False

    def _any_exact(self, values: Values) -> bool:
        return any(row[i] is not None and outside(each, row[i]) for i, each in self._exact for row in values)  # type: ignore[arg-type] # numbers by contract

    def _array(self, values: Values) -> npt.NDArray[np.float64]:
        pick, pack = self._pick, self._pack
        try:
            # Three times as quick as np.array of tuples, but it knows no None.
            packed = b"".join([pack(*pick(row)) for row in values])
            return np.frombuffer(packed).reshape(len(values), len(self._ranges))
        except struct.error:
            # A None becomes NaN here, and every comparison with NaN is false: a null breaks no range.
            return np.array([pick(row) for row in values], dtype=np.float64)

    def _beyond(self, array: npt.NDArray[Any]) -> bool:
        single = array.dtype == np.float32
        lows, highs = (self._lows32, self._highs32) if single else (self._lows, self._highs)
        return bool(np.count_nonzero(array < lows) or np.count_nonzero(array > highs))

    def _names(self, row: tuple[object, ...]) -> tuple[str, ...]:
        ranges = [
            (i, f"{Rule.RANGE}:{each.name}")
            for i, each in self._ranges
            if row[i] is not None and outside(each, row[i])  # type: ignore[arg-type] # numbers by contract
        ]
        domains = [(i, f"{Rule.DOMAIN}:{each.name}") for i, each, legal in self._domains if row[i] not in legal]
        return tuple(name for _, name in sorted(ranges + domains))


def _picker(columns: list[int], width: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if len(columns) == width:
        return lambda row: row
    if len(columns) == 1:
        return itemgetter(slice(columns[0], columns[0] + 1))
    return itemgetter(*columns) if columns else lambda row: ()


def _legal(field: Field) -> frozenset[str | None]:
    # Null is judged by nullability alone, and that has been judged before a row comes here.
    return frozenset(field.domain or ()) | {None}


def _closed(field: Field) -> tuple[float, float]:
    low, high = bounds(field)
    return (-np.inf if low is None else low, np.inf if high is None else high)


def _finite(field: Field) -> list[float]:
    return [float(each) for each in bounds(field) if each is not None]
