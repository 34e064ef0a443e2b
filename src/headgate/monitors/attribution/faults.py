"""Fields that arrive broken: missing, filled with one value, in another unit or type, or with values never seen.

`pair` asks before the windows are weighed, because such a field makes every other difference look like drift.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.attribution.pooled import Field
from headgate.monitors.two_samples import ks_statistic

GONE: Final = 0.2
"""By how much the share of missing values must have grown."""
OFTEN: Final = 0.25
"""Share of missing values from which lacking one says something itself, as that no gust blew; then all must be gone."""
FILLED: Final = 0.3
"""By how much the share of one value of a number must have grown that was rare before."""
RARE: Final = 0.1
"""Share of the reference's rows up to which a value is rare; a commoner one may just come more often."""
UNKNOWN: Final = 0.5
"""Share of values the reference never had from which a field of names speaks another language."""
_CONSTANT: Final = 0.99
"""Share of the rows from which one value is as good as the only one."""
_USUAL: Final = 0.1
"""Share of values in one half of the reference that the other half lacks, from which new values are nothing new."""
_APART: Final = 0.6
"""Kolmogorov distance of two samples from which another unit is looked for; skewed numbers drift nearly as far."""
_NEAR: Final = (0.03, 0.1)
"""Kolmogorov distance that is left when a conversion is right: what chance shows, but no less and no more than this."""
_LEAST: Final = 30
"""Values of either window below which nothing is said of them."""
_WHOLE: Final = (10.0, 12.0, 24.0, 60.0, 100.0, 1000.0, 3600.0, 86400.0, 1e6)
"""Tens, months of a year, hours of a day, minutes, hundreds, thousands, seconds of an hour and of a day, millions."""
_MEASURES: Final = (2.54, 0.3048, 1.609344, 3.6, 0.45359237, 4.184, 3.785412)
"""Centimetres in an inch, metres in a foot, kilometres in a mile, kilometres per hour in metres per second, kilograms
in a pound, joules in a calorie, litres in a gallon."""
CONVERSIONS: Final = (
    *((f"{factor:g} times", factor, 0.0) for factor in (*_WHOLE, *_MEASURES)),
    *((f"1/{factor:g} of", 1 / factor, 0.0) for factor in (*_WHOLE, *_MEASURES)),
    ("degrees Fahrenheit in place of Celsius, that is 1.8 times and 32 more than", 1.8, 32.0),
    ("degrees Celsius in place of Fahrenheit, that is 5/9 of, less 17.8,", 5 / 9, -160 / 9),
    ("273.15 more than", 1.0, 273.15),
    ("273.15 less than", 1.0, -273.15),
)
"""Changes of a unit that are recognised: in words, the factor, and what is added."""


class FaultKind(StrEnum):
    """In which way a field arrives broken."""

    MISSING = "missing"
    FILLED = "filled"
    """One value stands in many rows that had others."""
    UNIT = "unit"
    """The same values in another unit."""
    TYPE = "type"
    """Values of another type, such as texts in place of numbers."""
    UNKNOWN = "unknown"
    """Values that the reference never had."""


class Fault(msgspec.Struct, frozen=True):
    """One field that arrives broken."""

    field: str
    kind: FaultKind
    says: str
    """What is wrong with it, as the rest of a sentence that begins with the field."""

    @property
    def hides_relation(self) -> bool:
        """Whether rows that look alike are not: a value no longer means what it meant."""
        return self.kind is not FaultKind.MISSING


def faults(fields: Sequence[Field], is_current: NDArray[np.bool_]) -> tuple[Fault, ...]:
    """The fields that arrive broken, in the order given.

    >>> field = Field("age", np.concatenate((np.arange(100.0), np.arange(100.0) * 12)))
    >>> faults([field], np.arange(200) >= 100)[0].says
    'is 12 times what it was'
    """
    found = (_fault(each, is_current) for each in fields)
    return tuple(each for each in found if each is not None)


def _fault(field: Field, is_current: NDArray[np.bool_]) -> Fault | None:
    if field.became is not None:
        then_held, now_holds = field.became
        return Fault(field.name, FaultKind.TYPE, f"holds {now_holds} where it held {then_held}")
    missing = field.missing
    then, now = float(missing[~is_current].mean()), float(missing[is_current].mean())
    if now - then >= GONE and (then <= OFTEN or now >= _CONSTANT):
        says = f"is missing in {now:.0%} of the current rows, in {then:.0%} of the reference's"
        return Fault(field.name, FaultKind.MISSING, says)
    values = field.numbers if field.has_numbers else field.values
    before, after = values[~is_current & ~missing], values[is_current & ~missing]
    if min(len(before), len(after)) < _LEAST:
        return None
    return _filled(field, before, after) or (
        _unit(field.name, before, after) if field.has_numbers else _unknown(field.name, before, after)
    )


def _filled(field: Field, before: NDArray[Any], after: NDArray[Any]) -> Fault | None:
    """One value in many more rows than before; of a category only where it is in all."""
    values, counts = np.unique(after, return_counts=True)
    value = values[np.argmax(counts)]
    now, then = float(counts.max()) / len(after), float((before == value).mean())
    grew = field.is_continuous() and then <= RARE and now - then >= FILLED
    if grew or (now >= _CONSTANT and then <= 1 - UNKNOWN):
        says = f"has one and the same value in {now:.0%} of the current rows, in {then:.0%} of the reference's"
        return Fault(field.name, FaultKind.FILLED, says)
    return None


def _unknown(name: str, before: NDArray[Any], after: NDArray[Any]) -> Fault | None:
    """Values never seen; a field in which half of the reference does not know the other half is a name of its own."""
    new = float((~np.isin(after, before)).mean())
    usual = float((~np.isin(before[1::2], before[::2])).mean())
    if new >= UNKNOWN and usual <= _USUAL:
        says = f"has values that the reference never had in {new:.0%} of the current rows"
        return Fault(name, FaultKind.UNKNOWN, says)
    return None


def _unit(name: str, before: Floats, after: Floats) -> Fault | None:
    """A conversion that brings two samples together which lie apart; the nearest where several do.

    What it leaves between them must be what chance shows: the bound is the two-sample Kolmogorov-Smirnov test's at 1 %
    (Smirnov 1948), 1.628 sqrt(1/n + 1/m).
    """
    before, after = np.sort(before[np.isfinite(before)]), np.sort(after[np.isfinite(after)])
    if min(len(before), len(after)) < _LEAST or ks_statistic(before, after) < _APART:
        return None
    with np.errstate(over="ignore"):
        near = [(ks_statistic(np.sort(before * factor + added), after), words) for words, factor, added in CONVERSIONS]
    distance, words = min(near)
    bound = np.clip(1.628 * math.sqrt(1 / len(before) + 1 / len(after)), *_NEAR)
    return Fault(name, FaultKind.UNIT, f"is {words} what it was") if distance <= bound else None
