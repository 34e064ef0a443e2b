"""What models complain of, for the operator's log; called by `answer.py` for every call that failed.

Callers and the journal get an exception's class alone, because its words may quote a row. Whoever runs the model needs
the words, but seldom: a model that fails on every row must not fill a disk.
"""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final

from headgate.errors import DeadlineExceeded

_LOG: Final = logging.getLogger(__name__)
QUIET_SECONDS: Final = 10.0
"""How long nothing more is said of a version."""


class Complaints:
    """Says of each version now and then why it failed."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._quiet_until: dict[str, float] = {}

    def hear(self, version: str, error: Exception) -> None:
        """`version` was asked and failed; that its callers lost patience is no complaint of its own."""
        now = self._now()
        if isinstance(error, DeadlineExceeded) or now < self._quiet_until.get(version, 0.0):
            return
        self._quiet_until[version] = now + QUIET_SECONDS
        _LOG.warning("%s failed on some rows: %s (more of it is not repeated for %d s)", version, error, QUIET_SECONDS)
