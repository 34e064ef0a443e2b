"""How far a version that is not live may be relied on: one that keeps costing its callers time is given rests.

`answer.py` asks before it sends callers to such a version. Without rests everybody a hanging version is assigned would
wait half a deadline for it, and one that dies with every call would be started again and again for nothing.
"""

from typing import Final

FAILURES: Final = 5
"""Calls in a row that were late, or ended with their process, before the first rest."""
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 30.0
"""Seconds; each rest is twice as long as the one before, up to here."""


class Standing:
    """One version's, in one gateway. Times are seconds on any scale that never goes back.

    >>> standing = Standing()
    >>> for _ in range(FAILURES):
    ...     standing.failed(0.0)
    >>> standing.may_be_asked(0.9), standing.may_be_asked(1.1), standing.may_be_asked(1.2)
    (False, True, False)
    >>> standing.answered()
    >>> standing.may_be_asked(1.2)
    True
    """

    __slots__ = ("_failures", "_on_trial", "_until")

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0
        self._on_trial = False
        """Whether one call was let through after a rest and nothing is known of it yet."""

    def failed(self, now: float) -> None:
        """A call was late or cost the version its process."""
        if now < self._until and not self._on_trial:
            return  # it was asked before it rested: one hang that many wait for is one
        self._on_trial = False
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = now + self._rest()

    def answered(self) -> None:
        """A call was answered in time."""
        self._failures, self._on_trial = 0, False

    def may_be_asked(self, now: float) -> bool:
        """Whether to ask it; after a rest one call is let through, and the others wait until that one is answered."""
        if self._failures < FAILURES:
            return True
        if now < self._until:
            return False
        self._until, self._on_trial = now + self._rest(), True
        return True

    def _rest(self) -> float:
        doublings = min(self._failures - FAILURES, 10)  # far beyond the longest, and no huge number on the way
        return min(LONGEST_REST, FIRST_REST * float(2**doublings))
