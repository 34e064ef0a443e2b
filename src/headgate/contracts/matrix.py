"""A matrix of numbers as rows of a contract, at once; called by doors that are sent binary tensors or tables.

Needs numpy alone. It only knows matrices that break nothing: for any other the rows are looked at one by one,
which says what is wrong.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headgate.contracts.contract import Contract, Kind
from headgate.contracts.explain import bounds

Numbers = npt.NDArray[np.float64] | npt.NDArray[np.float32]
_LARGEST: Final = float(np.finfo(np.float64).max)
_SINGLE: Final = np.dtype(np.float32)
_TILED: Final = 2048
"""Numbers up to which a matrix is held to one of bounds: NumPy goes through two alike in half the time."""
_BLOCK: Final = 2048
"""Rows of a large matrix that are filled at a time."""


class MatrixScreen:
    """Knows whether all rows of a matrix keep a contract of number fields, flags and all.

    >>> from headgate.contracts.contract import Field
    >>> screen = MatrixScreen(Contract((Field("distance", Kind.NUMBER, minimum=0), Field("delay", Kind.NUMBER))))
    >>> screen.passed(np.array([[3.0, -1.0]], np.float32)), screen.passed(np.array([[-3.0, -1.0]]))
    (array([[ 3., -1.]], dtype=float32), None)
    """

    def __init__(self, contract: Contract) -> None:
        self._numbers = all(each.kind is Kind.NUMBER for each in contract.fields)
        limits = [bounds(each) for each in contract.fields]
        # Infinity breaks a rule of its own, so a field without bounds has those of all numbers.
        self._lows = np.array([-_LARGEST if low is None else low for low, _ in limits], np.float64)
        self._highs = np.array([_LARGEST if high is None else high for _, high in limits], np.float64)
        self._doubles = _tiled(self._lows), _tiled(self._highs)
        self._singles = _tiled(_rounded(self._lows, upwards=True)), _tiled(_rounded(self._highs, upwards=False))
        self._unbounded = all(each == (None, None) for each in limits)

    def passed(self, matrix: npt.NDArray[Any]) -> Numbers | None:
        """`matrix`, (rows, fields) of floats in contract order; None where one by one is needed.

        Single floats stay such, everything else becomes doubles.
        """
        if not self._numbers:
            return None
        numbers = matrix if matrix.dtype == _SINGLE else matrix.astype(np.float64, copy=False)
        # NaN and infinity spoil any sum they are in, and one look is quicker than three.
        if self._unbounded:
            with np.errstate(over="ignore", invalid="ignore"):
                if isfinite(np.add.reduce(numbers, axis=None, dtype=np.float64)):
                    return numbers
        # NaN is within no bounds: a null in a nullable field goes the longer way.
        lows, highs = self._singles if numbers.dtype == _SINGLE else self._doubles
        rows: slice | int = slice(len(numbers)) if len(numbers) <= len(lows) else 0
        legal = (numbers >= lows[rows]) & (numbers <= highs[rows])
        return numbers if np.count_nonzero(legal) == legal.size else None

    def gathered(self, columns: Sequence[npt.NDArray[Any]]) -> Numbers | None:
        """The same for a matrix that is still columns, one per field, of single or double floats.

        >>> from headgate.contracts.contract import Field
        >>> screen = MatrixScreen(Contract((Field("distance", Kind.NUMBER, minimum=0), Field("delay", Kind.NUMBER))))
        >>> screen.gathered([np.array([3.0, 4.0]), np.array([-1.0, 0.0])]).tolist()
        [[3.0, -1.0], [4.0, 0.0]]
        """
        if not self._numbers or not all(map(_within, columns, self._lows, self._highs)):
            return None
        rows, is_single = len(columns[0]), all(each.dtype == np.float32 for each in columns)
        dtype: npt.DTypeLike = np.float32 if is_single else np.float64
        matrix: npt.NDArray[Any] = np.empty((rows, len(columns)), dtype)
        # As many rows at a time as a core's cache holds, for each column writes to all of their lines.
        for start in range(0, rows, _BLOCK):
            part = matrix[start : start + _BLOCK]
            for place, column in enumerate(columns):
                part[:, place] = column[start : start + _BLOCK]
        return matrix


def _rounded(bounds_: npt.NDArray[np.float64], *, upwards: bool) -> npt.NDArray[np.float32]:
    """The nearest single floats not below `bounds_`, or not above: a single keeps these just where it keeps those.

    Held to doubles, every single of a matrix would be made one first, which takes longer than all else here.

    >>> _rounded(np.array([0.1, -1e300]), upwards=True).tolist(), _rounded(np.array([1e300]), upwards=False).tolist()
    ([0.10000000149011612, -3.4028234663852886e+38], [3.4028234663852886e+38])
    """
    toward = np.float32(np.inf if upwards else -np.inf)
    with np.errstate(over="ignore"):
        singles = bounds_.astype(np.float32)
        beyond = singles < bounds_ if upwards else singles > bounds_
        return np.where(beyond, np.nextafter(singles, toward), singles)


def _tiled(row: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The bounds of one row for as many rows as make a small matrix, at least one."""
    return np.tile(row, (max(1, _TILED // max(1, len(row))), 1))


def _within(column: npt.NDArray[Any], low: float, high: float) -> bool:
    """Whether all of a column's values are between the two; NaN is between no two."""
    return not len(column) or bool(low <= np.minimum.reduce(column) and np.maximum.reduce(column) <= high)
