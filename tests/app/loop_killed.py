"""A controller that is killed at a chosen moment of its turn; a test starts it in a process of its own."""

import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.app.loop_home import Story

from headgate.clock import HeldClock
from headgate.controller.retraining import Retraining
from headgate.retraining.ports import Parts
from headgate.vocabulary import Micros

STEPS: Final = frozenset(
    {"add_run", "keep_run", "cut", "learn", "register", "prove", "roll_out", "settle", "take_back", "probe"}
)
"""Calls by which something changes."""


class Watched:
    """Passes every call on, and says so before and after those that change something; of many looks, the first."""

    def __init__(self, behind: Any, passed: Callable[[], None]) -> None:
        self._behind, self._passed, self._looked = behind, passed, False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        if name not in STEPS:
            return found

        def called(*words: Any) -> Any:
            if name == "learn" and self._looked:
                return found(*words)
            self._looked = self._looked or name == "learn"
            self._passed()
            said = found(*words)
            self._passed()
            return said

        return called


def turn(root: Path, now: int, deadly: int) -> None:
    """One turn at the moment `now`; at the `deadly`-th word of a change the process is killed as by the kernel."""
    passed = 0

    def word() -> None:
        nonlocal passed
        passed += 1
        if passed == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    with Story(root, HeldClock(Micros(now))).open() as hg:
        retraining = hg.retraining

        @cache
        def parts(project: str) -> Parts:
            made = retraining.parts(project)
            return Parts(*(Watched(getattr(made, each), word) for each in Parts.__struct_fields__))

        runs: Any = Watched(retraining.store, word)
        loop = Retraining(retraining.sources, runs, parts, retraining.clock, moved=hg.controller().reconcile)
        hg.rollouts.progress().turn(at_once=True)
        hg.controller().reconcile()
        loop.turn(at_once=True)
