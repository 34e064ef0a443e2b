"""Which hour or day of the week it is, where scores come and go with it: a row is compared with those of its season.

A model that sees commuters in the morning and tourists at noon sees no change at noon. With a season, scores need to
be alike only from one Monday at eight to the next; the price is that each season has a part of the reference.
"""

from enum import StrEnum
from typing import Final

import numpy as np

from headgate.evidence.ranks import Ints
from headgate.monitors.calendars import wall_clocks
from headgate.vocabulary import DAY, HOUR

_THURSDAY: Final = 3
"""1970-01-01 was one; weeks begin with Monday."""


class Season(StrEnum):
    """What a row is compared within, in the words of a file."""

    NONE = "none"
    """All rows."""
    HOUR_OF_DAY = "hour of day"
    """24 seasons."""
    DAY_OF_WEEK = "day of week"
    """7 seasons, the first of them Monday."""
    HOUR_OF_WEEK = "hour of week"
    """168 seasons, the first of them Monday's first hour."""

    @property
    def size(self) -> int:
        """How many seasons there are."""
        return {Season.NONE: 1, Season.HOUR_OF_DAY: 24, Season.DAY_OF_WEEK: 7, Season.HOUR_OF_WEEK: 168}[self]

    def of(self, at: Ints, zone: str = "UTC") -> Ints:
        """The season of each moment, from 0 on, on the clocks of `zone`; weeks begin with Monday.

        >>> Season.HOUR_OF_WEEK.of(np.array([0, HOUR]), "Europe/Berlin").tolist()
        [73, 74]
        """
        if self is Season.NONE:
            return np.zeros(len(at), np.int64)
        clocks = wall_clocks(at, zone)
        hours, days = clocks // HOUR % 24, (clocks // DAY + _THURSDAY) % 7
        match self:
            case Season.HOUR_OF_DAY:
                return hours
            case Season.DAY_OF_WEEK:
                return days
            case Season.HOUR_OF_WEEK:
                return days * 24 + hours
