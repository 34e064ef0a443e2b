"""How long something was found: from its first alarm until nothing was for a while."""

from collections.abc import Sequence

import msgspec

from headgate.vocabulary import Micros


class Episode(msgspec.Struct, frozen=True):
    """Whether something is found, and since when.

    >>> found = Episode().after((Micros(5), Micros(9)), Micros(10), Micros(4))
    >>> found, found.after((), Micros(12), Micros(4)).stands, found.after((), Micros(13), Micros(4)).stands
    (Episode(since=5, last=9), True, False)
    """

    since: Micros | None = None
    """When it was first found; None while it is not."""
    last: Micros = Micros(0)
    """When it was last found."""

    @property
    def stands(self) -> bool:
        """Whether it is found."""
        return self.since is not None

    def after(self, alarms: Sequence[Micros], end: Micros, quiet: Micros) -> "Episode":
        """After a portion that is known at `end`, with alarms at these moments in order; over after so much `quiet`."""
        if alarms:
            return Episode(alarms[0] if self.since is None else self.since, alarms[-1])
        return Episode() if self.stands and end - self.last >= quiet else self
