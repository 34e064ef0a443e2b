"""Time as a value: nothing below the composition root asks the wall clock itself."""

import time
from typing import Protocol

from headgate.vocabulary import Micros


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Micros:
        """The present moment."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> Micros:
        """The present moment as the operating system tells it."""
        return Micros(time.time_ns() // 1000)


class HeldClock:
    """A clock that stands still until it is moved; replays and tests run on it.

    >>> clock = HeldClock(Micros(1_000_000))
    >>> clock.move_to(Micros(5_000_000))
    >>> clock.now()
    5000000
    """

    def __init__(self, start: Micros) -> None:
        self._now = start

    def now(self) -> Micros:
        """The moment the clock was last moved to."""
        return self._now

    def move_to(self, moment: Micros) -> None:
        """Move forward to `moment`; a clock never goes back.

        Raises ValueError if `moment` lies before the present one.
        """
        if moment < self._now:
            raise ValueError(f"a clock never goes back: {moment} < {self._now}")
        self._now = moment
