"""One process and what its parent knows of it: pure decisions about when to start it again."""

from dataclasses import dataclass, field
from typing import Final

SHORTEST_LIFE: Final = 5.0
"""Seconds a process must live for its death to count as a first one again."""
BACKOFF: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds to wait before start 1, 2, 3 … after deaths that follow each other; the last repeats."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that ought to run.

    `name` is unique on the machine; `stop_after` are the seconds it gets between SIGTERM and SIGKILL.
    `tier` orders the end: children of the highest tier end first, those they depend on after them.
    `nice`, 0 to 19, is how far it steps back when others want the processor. Nobody waits for one that is `unheard`,
    so it lets others go first; that may change while it runs.
    """

    name: str
    argv: tuple[str, ...]
    tier: int = 0
    nice: int = 0
    stop_after: float = 10.0
    environment: tuple[tuple[str, str], ...] = ()
    unheard: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Life:
    """How often a child died in a row, and when it may live again."""

    started_at: float = 0.0
    deaths_in_a_row: int = 0
    restarts: int = field(default=0)

    def died(self, now: float) -> "Life":
        """The life after a death at `now` seconds.

        >>> Life(started_at=0.0).died(1.0).died(1.1).deaths_in_a_row
        2
        >>> Life(started_at=0.0, deaths_in_a_row=4).died(60.0).deaths_in_a_row
        1
        """
        in_a_row = 1 if now - self.started_at >= SHORTEST_LIFE else self.deaths_in_a_row + 1
        return Life(self.started_at, in_a_row, self.restarts + 1)

    def delay(self) -> float:
        """Seconds to wait before the next start."""
        return BACKOFF[min(self.deaths_in_a_row, len(BACKOFF)) - 1] if self.deaths_in_a_row else 0.0
