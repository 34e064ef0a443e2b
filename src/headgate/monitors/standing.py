"""What a measurement is worth: a figure, an alarm, or why there is neither. Every monitor says it in these words."""

from enum import StrEnum
from typing import Final

import msgspec


class Standing(StrEnum):
    """What a measurement is worth."""

    MEASURED = "measured"
    """There is a figure, and it means what it says; nothing judges it."""
    STEADY = "steady"
    """There is a figure, and nothing speaks for a change with the certainty that was asked for."""
    ALARM = "alarm"
    """There was a change, or one of the false alarms that were allowed."""
    UNDECIDED = "undecided"
    """Too little is known yet; more rows or more labels would settle it."""
    BROKEN = "broken"
    """The measurement itself failed; somebody has to put something right first."""


BY_URGENCY: Final = (Standing.ALARM, Standing.BROKEN, Standing.UNDECIDED, Standing.STEADY, Standing.MEASURED)
"""In the order in which a person wants to be shown them."""


class Shortfall(msgspec.Struct, frozen=True):
    """Why there is no measurement.

    >>> undecided("one row is no window").standing.value
    'undecided'
    """

    standing: Standing
    """Undecided or broken."""
    reason: str
    """A sentence in plain words, without a value of any row."""


def undecided(reason: str) -> Shortfall:
    """Nothing can be said yet, for this reason."""
    return Shortfall(Standing.UNDECIDED, reason)


def broken(reason: str) -> Shortfall:
    """Nothing can be said before somebody puts something right, for this reason."""
    return Shortfall(Standing.BROKEN, reason)
