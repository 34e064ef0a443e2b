"""A replay's clock, and the promise that nothing goes on before everything has come to rest and obeys it."""

import time
from collections.abc import Callable
from typing import Final, Protocol

from headgate.access.caller import ANYBODY
from headgate.clock import Clock
from headgate.errors import BadInput, Unavailable
from headgate.traffic.ports import RevisionReports, Stillness, TrafficSource
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import Ack, Micros

_LOOK_SECONDS: Final = 0.002
"""Pause between two looks at whether everybody is there."""


class MovableClock(Clock, Protocol):
    """A clock that stands still until it is moved."""

    def move_to(self, moment: Micros) -> None:
        """Move forward to `moment`; ValueError if that is back."""
        ...


class Lockstep:
    """Moves such a clock one step at a time.

    Before each move every worker alive has come to rest: what shadows had to say of the step is on disk, and so is
    what was answered before it was. After it the controller ticks once, which sees the same at any speed, and the call
    returns when every worker alive has reported the revisions that are published.
    """

    def __init__(
        self,
        clock: MovableClock,
        tick: Callable[[], object],
        traffic: TrafficSource,
        reports: RevisionReports,
        stillness: Stillness,
        *,
        patience: float = 10.0,
        rest: float = 120.0,
        noted: Callable[[Micros, Micros, str], object] = lambda was, to, who: None,
    ) -> None:
        """`patience`: seconds until all have to obey; `rest`: until a full queue of slow shadows has to be done with.

        `noted` is told from when to when the clock moves and who asked for it, before it does.
        """
        self._clock = clock
        self._tick = tick
        self._traffic = traffic
        self._reports = reports
        self._stillness = stillness
        self._patience = patience
        self._rest = rest
        self._noted = noted

    def advance(self, to: Micros, who: str = ANYBODY) -> dict[str, dict[str, int]]:
        """Move the clock to `to`, on the word of `who`, and return the revisions every worker obeys then.

        Raises BadInput when `to` lies in the clock's past, Unavailable when a worker does not come to rest, or does
        not follow, within the patience of this lockstep.
        """
        was = self._clock.now()
        if to < was:
            raise BadInput("to", "range", "a replay's clock never goes back")
        self._until_still()
        if to > was:
            self._noted(was, to, who)
        self._clock.move_to(to)
        self._tick()
        return self._until_obeyed()

    def _until_still(self) -> None:
        """Wait for what is written after its caller was answered; nothing is asked where nothing may be."""
        if not any(map(_is_written_later, self._traffic.read().values())):
            return
        asked, deadline = self._stillness.ask(), time.monotonic() + self._rest
        while busy := [each for each in self._reports.obeyed() if self._stillness.heard().get(each, 0) < asked]:
            if time.monotonic() > deadline:
                raise Unavailable(f"not every worker comes to rest: {', '.join(busy)}")
            time.sleep(_LOOK_SECONDS)

    def _until_obeyed(self) -> dict[str, dict[str, int]]:
        wanted = {f"{p}/{e}": traffic.revision for (p, e), traffic in self._traffic.read().items()}
        deadline = time.monotonic() + self._patience
        while True:
            obeyed = self._reports.obeyed()
            late = [worker for worker, revisions in obeyed.items() if not _covers(revisions, wanted)]
            if obeyed and not late:
                return obeyed
            if time.monotonic() > deadline:
                raise Unavailable(f"not every worker follows: {', '.join(late) or 'no worker has reported yet'}")
            time.sleep(_LOOK_SECONDS)


def _is_written_later(traffic: Traffic) -> bool:
    """Whether records of an endpoint may come after the reply: of shadows, or all where acks are buffered."""
    return bool(traffic.shadows) or traffic.policy.ack is Ack.BUFFERED


def _covers(revisions: dict[str, int], wanted: dict[str, int]) -> bool:
    return all(revisions.get(endpoint, 0) >= revision for endpoint, revision in wanted.items())
