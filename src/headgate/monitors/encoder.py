"""How fields become columns of numbers, fixed on the reference so that a window is read as the reference was.

A value that can be kept as JSON; NumPy and msgspec alone, so that a gateway can read a row with it. `matrices` fits it.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats

UNSEEN: Final = -1.0
"""Code of a category the reference does not have."""


class Coded(msgspec.Struct, frozen=True):
    """One field."""

    name: str
    categories: tuple[str, ...] | None = None
    """The reference's categories, most frequent first, and their codes from 0; None for a number."""


class Encoder(msgspec.Struct, frozen=True, dict=True):
    """Every field that can be a column, in order.

    >>> encoder = Encoder((Coded("distance"), Coded("carrier", ("UA", "AA"))))
    >>> encoder.row([200, "AA"]).tolist(), encoder.row([None, "?"]).tolist()
    ([200.0, 1.0], [nan, -1.0])
    """

    fields: tuple[Coded, ...]
    left_out: tuple[str, ...] = ()
    """Fields that are neither numbers, moments, truth values nor texts."""

    @cached_property
    def categorical(self) -> NDArray[np.bool_]:
        """Which columns are codes of categories."""
        return np.array([each.categories is not None for each in self.fields], dtype=np.bool_)

    @cached_property
    def _codes(self) -> tuple[Mapping[str, float] | None, ...]:
        return tuple(
            None if each.categories is None else {name: float(code) for code, name in enumerate(each.categories)}
            for each in self.fields
        )

    def row(self, values: Sequence[object]) -> Floats:
        """One row as a gateway decodes it, moments in microseconds, one value per field in order.

        NaN stands for what is missing or no finite number.
        """
        return np.array([_coded(value, codes) for value, codes in zip(values, self._codes, strict=True)])


def _coded(value: object, codes: Mapping[str, float] | None) -> float:
    if codes is not None:
        if value is None:
            return np.nan
        return codes.get(value, UNSEEN) if isinstance(value, str) else UNSEEN
    if not isinstance(value, int | float):
        return np.nan
    try:
        number = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return np.nan
    return number if math.isfinite(number) else np.nan
