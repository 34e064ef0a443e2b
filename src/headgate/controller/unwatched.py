"""Endpoints that cannot be looked at now: they are left alone for a while, and people are told of them.

Nothing that its monitors say is worth anything while an endpoint is not watched, so its silence must not pass for good
news. `watching` calls this after every look.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from headgate.alerts.finding import Finding, key_of
from headgate.errors import HeadgateError
from headgate.vocabulary import HOUR, Micros

log = logging.getLogger("headgate.controller")

WATCH: Final = "watch"
"""Who finds that an endpoint is not watched."""
REST: Final = 10.0
"""Seconds after a look that failed until the next one, at least."""
LONGEST_REST: Final = 300.0
PATIENCE: Final = 3
"""Looks in a row that fail before anybody is told: most of what fails is over in half a minute."""
TOLD_FOR: Final = Micros(3 * HOUR)
"""How long it counts that an endpoint is not watched; it is found again every hour until it is."""
LONGEST: Final = 1000
"""Characters of a reason that people are told."""
Endpoint = tuple[str, str]
"""Project and name."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    fails: int = 0
    """Looks in a row."""
    rests: float = 0.0
    """Until when it is left alone, on the scale of `monotonic`."""
    told: Micros | None = None
    """When people were told last; None while they were not."""


class Unwatched:
    """Which endpoints could not be looked at, and since when; for one thread.

    >>> unwatched = Unwatched(print, print)
    >>> unwatched.failed(("default", "late"), "no such version", 0.1, Micros(0))
    >>> unwatched.rests(("default", "late")), unwatched.rests(("default", "other"))
    (True, False)
    """

    def __init__(self, report: Callable[[Sequence[Finding]], object], clear: Callable[[str, str], object]) -> None:
        """`report` and `clear` take in what is found, and that it is over."""
        self._report = report
        self._clear = clear
        self._troubles: dict[Endpoint, _Trouble] = {}
        self._well: set[Endpoint] = set()
        """Those of which nobody believes any longer that they are not watched."""

    def rests(self, endpoint: Endpoint) -> bool:
        """Whether it is to be left alone now."""
        trouble = self._troubles.get(endpoint)
        return trouble is not None and monotonic() < trouble.rests

    def wake(self, endpoints: Collection[Endpoint]) -> None:
        """None of them rests any longer; others are forgotten."""
        self._troubles = {
            each: replace(found, rests=0.0) for each, found in self._troubles.items() if each in endpoints
        }

    def failed(self, endpoint: Endpoint, why: str, took: float, now: Micros) -> None:
        """A look that took so many seconds came to nothing; people are told when it is not the first."""
        before = self._troubles.get(endpoint, _Trouble())
        # What is dear to try is tried less often: others wait beside it.
        rests = monotonic() + min(max(REST, 5 * took), LONGEST_REST)
        after = _Trouble(before.fails + 1, rests, before.told)
        if after.fails >= PATIENCE and (after.told is None or now >= after.told + HOUR or now < after.told):
            told = self._told(lambda: self._report([finding(endpoint, why, now)]))
            after = replace(after, told=now if told else after.told)
            self._well.discard(endpoint)
        self._troubles[endpoint] = after

    def looked(self, endpoint: Endpoint) -> None:
        """A look has ended well: what was told, were it by a controller before this one, is over."""
        self._troubles.pop(endpoint, None)
        project, name = endpoint
        if endpoint not in self._well and self._told(lambda: self._clear(project, key_of(project, name, WATCH))):
            self._well.add(endpoint)

    @staticmethod
    def _told(tell: Callable[[], object]) -> bool:
        try:
            tell()
        except HeadgateError as error:  # the store is away as well: the log has it, and it is told at the next look
            log.warning("%s", error)
            return False
        return True


def finding(endpoint: Endpoint, why: str, now: Micros) -> Finding:
    """That nobody looks at an endpoint, for this reason.

    >>> finding(("default", "late"), "its model is gone", Micros(0)).what
    'late is not watched: nobody would hear of what goes wrong with it'
    """
    project, name = endpoint
    return Finding(
        project=project,
        endpoint=name,
        monitor=WATCH,
        what=f"{name} is not watched: nobody would hear of what goes wrong with it",
        cause=why[:LONGEST],
        advice="put right what the cause names; what was missed is looked at then. `headgate doctor` looks for more",
        at=now,
        until=Micros(now + TOLD_FOR),
    )
