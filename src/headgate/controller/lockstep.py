"""A replay's clock, and the promise that nothing goes on before everything obeys it."""

import time
from collections.abc import Callable
from typing import Protocol

from headgate.access.caller import ANYBODY
from headgate.clock import Clock
from headgate.errors import BadInput, Unavailable
from headgate.traffic.ports import RevisionReports, TrafficSource
from headgate.vocabulary import Micros


class MovableClock(Clock, Protocol):
    """A clock that stands still until it is moved."""

    def move_to(self, moment: Micros) -> None:
        """Move forward to `moment`; ValueError if that is back."""
        ...


class Lockstep:
    """Moves such a clock one step at a time.

    After each move the controller ticks once, and the call returns when every worker alive has reported the
    revisions that are published. Acknowledged records are readable by then, because a durable acknowledgement
    means they are on disk.
    """

    def __init__(
        self,
        clock: MovableClock,
        tick: Callable[[], object],
        traffic: TrafficSource,
        reports: RevisionReports,
        *,
        patience: float = 10.0,
        noted: Callable[[Micros, Micros, str], object] = lambda was, to, who: None,
    ) -> None:
        """`noted` is told from when to when the clock moves and who asked for it, before it does."""
        self._clock = clock
        self._tick = tick
        self._traffic = traffic
        self._reports = reports
        self._patience = patience
        self._noted = noted

    def advance(self, to: Micros, who: str = ANYBODY) -> dict[str, dict[str, int]]:
        """Move the clock to `to`, on the word of `who`, and return the revisions every worker obeys then.

        Raises BadInput when `to` lies in the clock's past, Unavailable when a worker does not follow within
        the patience of this lockstep.
        """
        was = self._clock.now()
        if to < was:
            raise BadInput("to", "range", "a replay's clock never goes back")
        if to > was:
            self._noted(was, to, who)
        self._clock.move_to(to)
        self._tick()
        wanted = {f"{p}/{e}": traffic.revision for (p, e), traffic in self._traffic.read().items()}
        deadline = time.monotonic() + self._patience
        while True:
            obeyed = self._reports.obeyed()
            late = [worker for worker, revisions in obeyed.items() if not _covers(revisions, wanted)]
            if obeyed and not late:
                return obeyed
            if time.monotonic() > deadline:
                raise Unavailable(f"not every worker follows: {', '.join(late) or 'no worker has reported yet'}")
            time.sleep(0.002)


def _covers(revisions: dict[str, int], wanted: dict[str, int]) -> bool:
    return all(revisions.get(endpoint, 0) >= revision for endpoint, revision in wanted.items())
