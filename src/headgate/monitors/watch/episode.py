"""How long something was found: from its first alarm until nothing was for a while."""

from collections.abc import Sequence
from typing import Final

import msgspec

from headgate.vocabulary import DAY, Micros

QUIET: Final = Micros(DAY)
"""How long there has to be no alarm for what was found to be over: a detector that has alarmed begins anew, and what
goes on raises its next alarm within that time or is small."""


class Episode(msgspec.Struct, frozen=True):
    """Whether something is found, and since when.

    >>> found = Episode().after((Micros(5), Micros(9)), Micros(10))
    >>> found, found.after((), Micros(9 + DAY)).stands
    (Episode(since=5, last=9), False)
    """

    since: Micros | None = None
    """When it was first found; None while it is not."""
    last: Micros = Micros(0)
    """When it was last found."""

    @property
    def stands(self) -> bool:
        """Whether it is found."""
        return self.since is not None

    def after(self, alarms: Sequence[Micros], end: Micros, quiet: Micros = QUIET) -> "Episode":
        """After a portion that ends at `end`, with alarms at these moments in order."""
        if alarms:
            return Episode(alarms[0] if self.since is None else self.since, alarms[-1])
        return Episode() if self.stands and end - self.last >= quiet else self
