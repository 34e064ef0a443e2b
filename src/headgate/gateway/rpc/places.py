"""Who may keep a thread waiting: an endpoint that does not answer must leave some to the others.

Each call in work keeps one of the server's threads until it is answered, and a call whose message is not read yet
waits for one. As long as there are threads everybody is admitted. When an endpoint's oldest call has waited for long,
its calls count as stuck, and all stuck ones together keep at most three quarters of the threads: of the endpoint that
has most of them the newest are refused, so that one that is only slow keeps its share beside one that hangs.
"""

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Final

from headgate.errors import Overloaded
from headgate.gateway.ask import Ask

THREADS: Final = 128
"""Calls that can always be in work at once, and so share a model call; further ones wait, unread, for a thread."""
STUCK: Final = 96
"""Threads that calls of endpoints which do not answer may keep, all of them together."""
PATIENCE: Final = 1.0
"""Seconds after which an endpoint that has not answered a call counts as stuck."""
_FULL: Final = "too many calls to this endpoint wait for an answer already; come back in a moment"


class Places:
    """The calls in work, by endpoint; used from the event loop."""

    def __init__(self, stuck: int = STUCK, patience: float = PATIENCE, now: Callable[[], float] = monotonic) -> None:
        self._stuck, self._patience, self._now = stuck, patience, now
        self._taken: dict[Hashable, dict[Ask, float]] = {}
        """The calls of each endpoint and since when they wait, oldest first."""
        self.taken = 0

    @property
    def crowded(self) -> bool:
        """Whether stuck calls may be too many."""
        return self.taken > self._stuck

    def check(self, key: Hashable) -> None:
        """Raise Overloaded where a further call of the endpoint `key` would only wait in the way of others."""
        if self.taken >= self._stuck and key in (stuck := self._stuck_ones()):
            sizes = [len(self._taken[each]) for each in stuck]
            if sum(sizes) >= self._stuck and len(self._taken[key]) * len(sizes) >= self._stuck:
                raise Overloaded(_FULL)

    def enter(self, key: Hashable, ask: Ask) -> None:
        """`ask` keeps a thread from now on."""
        self._taken.setdefault(key, {})[ask] = self._now()
        self.taken += 1

    def leave(self, key: Hashable, ask: Ask) -> None:
        """It does no longer."""
        calls = self._taken.get(key)
        if calls is not None and calls.pop(ask, None) is not None:
            self.taken -= 1
            if not calls:
                del self._taken[key]

    def clear(self) -> None:
        """Refuse the stuck calls that are too many; their answers, should they come, fall on the floor."""
        if not self.crowded:
            return
        waiting = [list(self._taken[key]) for key in self._stuck_ones()]
        for _ in range(sum(map(len, waiting)) - self._stuck):
            ask = max(waiting, key=len).pop()
            ask.refusal = Overloaded(_FULL)
            ask.close()

    def _stuck_ones(self) -> list[Hashable]:
        late = self._now() - self._patience
        return [key for key, calls in self._taken.items() if next(iter(calls.values())) < late]
