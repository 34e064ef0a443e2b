"""Whether something could be measured at all, and if not, whose fault that is. Every monitor says it in these words."""

from enum import StrEnum

import msgspec


class Standing(StrEnum):
    """What a measurement is worth."""

    MEASURED = "measured"
    """There is a figure, and it means what it says."""
    UNDECIDED = "undecided"
    """Too little is known yet; more rows or more labels would settle it."""
    BROKEN = "broken"
    """The measurement itself failed; somebody has to put something right first."""


class Shortfall(msgspec.Struct, frozen=True):
    """Why there is no measurement.

    >>> undecided("one row is no window").standing.value
    'undecided'
    """

    standing: Standing
    reason: str
    """A sentence in plain words, without a value of any row."""


def undecided(reason: str) -> Shortfall:
    """Nothing can be said yet, for this reason."""
    return Shortfall(Standing.UNDECIDED, reason)


def broken(reason: str) -> Shortfall:
    """Nothing can be said before somebody puts something right, for this reason."""
    return Shortfall(Standing.BROKEN, reason)
