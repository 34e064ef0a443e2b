"""Where the windows do not overlap: which current rows have no counterpart in the reference, which fields part them.

`pair` asks once it is known which rows are shared. Of what the others cost nobody can say whether other inputs or
another relation is the cause, so they are named.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.slices import SMALLEST, groups
from headgate.monitors.attribution.overlap import Overlap
from headgate.monitors.attribution.pooled import Field
from headgate.monitors.two_samples import ks_statistic

NOTICED: Final = 0.005
"""Share of the current rows without a counterpart from which it is said."""
SHOWN: Final = 3
"""Slices that are named."""
TELLING: Final = 0.9
"""Distance of a field's distributions, 0 to 1, from which it tells the windows apart all by itself."""


class Gap(msgspec.Struct, frozen=True):
    """A slice of the current rows that have no counterpart in the reference twice as often as the others, or all."""

    field: str
    value: str
    rows: int
    """Current rows in it."""
    unshared: float
    """Share of them without a counterpart, 0 to 1."""


def gaps(fields: Sequence[Field], shared: Overlap) -> tuple[Gap, ...]:
    """The `SHOWN` slices with most of the current rows without a counterpart; none where hardly a row lacks one."""
    alone = shared.is_current & ~shared.shared
    overall = float(alone.sum()) / int(shared.is_current.sum())
    if overall < NOTICED:
        return ()
    found = (each for field in fields for each in _slices(field, shared.is_current, alone))
    rare = (each for each in found if each.unshared >= min(1.0, 2 * overall))
    return tuple(sorted(rare, key=lambda each: (-each.rows * each.unshared, each.rows, each.field, each.value))[:SHOWN])


def _slices(field: Field, is_current: NDArray[np.bool_], alone: NDArray[np.bool_]) -> list[Gap]:
    cut = groups(field.values)
    rows = np.bincount(cut.codes[is_current], minlength=len(cut.names))
    lacking = np.bincount(cut.codes[alone], minlength=len(cut.names))
    large = np.flatnonzero(rows >= SMALLEST)
    return [Gap(field.name, cut.names[code], int(rows[code]), float(lacking[code] / rows[code])) for code in large]


def in_words(unshared: float, found: Sequence[Gap]) -> str:
    """What is said of this share of the current rows, which have no counterpart; empty where it is next to nothing.

    >>> for part in in_words(0.12, [Gap("age", "61 to 90", 900, 0.4)]).split(", "):
    ...     print(part)
    12% of the current rows have no counterpart in the reference
    above all where age is 61 to 90; why they cost what they cost cannot be told
    """
    if unshared < NOTICED:
        return ""
    where = f", above all where {found[0].field} is {found[0].value}" if found else ""
    lacking = f"{unshared:.0%} of the current rows have no counterpart in the reference"
    return f"{lacking}{where}; why they cost what they cost cannot be told"


def telling(fields: Sequence[Field], is_current: NDArray[np.bool_]) -> tuple[str, ...]:
    """The fields that alone say which window a row is from, such as a counter or a clock.

    >>> clock = Field("at", np.arange(200.0))
    >>> telling([clock, Field("age", np.arange(200.0) % 97)], clock.values >= 100)
    ('at',)
    """
    return tuple(each.name for each in fields if _apart(each, is_current) >= TELLING)


def _apart(field: Field, is_current: NDArray[np.bool_]) -> float:
    """Kolmogorov's distance for numbers, the total variation for names; 0 where a window has none of them."""
    sides = [side & ~field.missing for side in (~is_current, is_current)]
    if not all(bool(side.any()) for side in sides):
        return 0.0
    if field.is_continuous():
        before, after = (np.sort(field.numbers[side]) for side in sides)
        return ks_statistic(before, after)
    cut = groups(field.values)
    shares = [np.bincount(cut.codes[side], minlength=len(cut.names)) / int(side.sum()) for side in sides]
    return float(np.abs(shares[0] - shares[1]).sum()) / 2
