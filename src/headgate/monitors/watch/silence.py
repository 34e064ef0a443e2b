"""Whether nothing came for longer than usual: hours without inputs beside those of the days before.

An endpoint has its nights and its weekends. With e of d days before on which nothing came in an hour of the day, that
hour is taken to be silent with a chance of (e + 1) / (d + 2) (Laplace's rule of succession), and a run of silent hours
with the product of theirs. It is too long where that is no more than may be false, and it lasts more than twice as long
as any before: hours of one night are not independent, and the second rule says so.
"""

import math
from typing import Final

import msgspec

from headgate.monitors.watch.today import hours_of

DAYS: Final = 14
"""Days before any silence is judged: two weekends."""
REMEMBERED: Final = 90
"""Days after which older ones count for less."""


class Silence(msgspec.Struct, frozen=True):
    """What is known of silent hours."""

    days: float = 0.0
    busy: tuple[float, ...] = (0.0,) * 24
    """By hour of the day, on how many of the days anything came."""
    run: int = 0
    """Hours without inputs until the end of the last day."""
    log: float = 0.0
    """Of the chance of that run."""
    longest: int = 0
    """Hours of the longest run that ended."""

    def after(self, mask: int) -> "Silence":
        """After a day on which something came in the hours of this mask."""
        run, log, longest = self.run, self.log, self.longest
        came = hours_of(mask).tolist()
        for busy, here in zip(self.busy, came, strict=True):
            if here:
                run, log, longest = 0, 0.0, max(longest, run)
            else:
                run, log = run + 1, log + math.log((self.days - busy + 1.0) / (self.days + 2.0))
        fade = min(1.0, REMEMBERED / (self.days + 1.0))
        seen = tuple(busy * fade + here for busy, here in zip(self.busy, came, strict=True))
        return Silence(self.days * fade + 1.0, seen, run, log, longest)

    def too_long(self, chance: float) -> bool:
        """Whether the run that goes on is, but for this chance.

        >>> known = Silence()
        >>> for _ in range(20):
        ...     known = known.after(2**24 - 1)
        >>> known.after(2**20 - 1).too_long(1e-3), known.after(2**24 - 1).too_long(1e-3)
        (True, False)
        """
        return self.days > DAYS and self.run > 2 * self.longest and self.log <= math.log(chance)
