"""Starts what ought to run, restarts what dies, and ends everything in order.

Called by ``headgate up``. It knows command lines and nothing of what they do, so that it has little reason to
fail; if it is killed, the kernel ends its children, and the next ``headgate up`` recovers what they left.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

from headgate.supervisor.child import Child, Life

log = logging.getLogger("headgate.supervisor")

Wanted = Callable[[], Sequence[Child]]
"""What ought to run now; asked several times a second."""
OnDeath = Callable[[str, str], None]
"""Told the name of a child that ended by itself, and the cause."""


class Supervisor:
    """Keeps the wanted children running until it is told to stop.

    `wanted` is asked at every turn: a child that is no longer named is ended, a new one started. A child whose
    command line changed is replaced. `on_death` must not raise: nobody would restart anything any more.
    """

    def __init__(self, wanted: Wanted, *, turn: float = 0.1, on_death: OnDeath = lambda _name, _cause: None) -> None:
        self._wanted = wanted
        self._on_death = on_death
        self._turn = turn
        self._running: dict[str, tuple[Child, subprocess.Popen[bytes]]] = {}
        self._lives: dict[str, Life] = {}
        self._not_before: dict[str, float] = {}
        self._stopping = False

    @property
    def restarts(self) -> dict[str, int]:
        """How often each child was started again, by name."""
        return {name: life.restarts for name, life in self._lives.items()}

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of what runs now, by name."""
        return {name: process.pid for name, (_, process) in self._running.items()}

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT, then end every child."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._ask_to_stop)
        try:
            while not self._stopping:
                self.step()
                time.sleep(self._turn)
        finally:
            self.end_all()

    def step(self) -> None:
        """Look once: bury the dead, end the unwanted, start the missing."""
        self._bury()
        wanted = {child.name: child for child in self._wanted()}
        for name, (child, _) in list(self._running.items()):
            if wanted.get(name) != child:
                self._end([name])
                self._lives.pop(name, None)
        now = time.monotonic()
        for name, child in wanted.items():
            if name not in self._running and now >= self._not_before.get(name, 0.0):
                self._start(child, now)

    def end_all(self) -> None:
        """End every child, tier by tier from the highest, each within its own grace."""
        for tier in sorted({child.tier for child, _ in self._running.values()}, reverse=True):
            self._end([name for name, (child, _) in self._running.items() if child.tier == tier])

    def _ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, child: Child, now: float) -> None:
        # The words of the command line come from this installation, never from a caller.
        process = subprocess.Popen(  # noqa: S603
            [*child.argv],
            env={**os.environ, **dict(child.environment)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        if child.nice:
            os.setpriority(os.PRIO_PROCESS, process.pid, child.nice)
        life = self._lives.get(child.name, Life())
        self._lives[child.name] = Life(now, life.deaths_in_a_row, life.restarts)
        self._running[child.name] = (child, process)
        log.info("%s started as process %d", child.name, process.pid)

    def _bury(self) -> None:
        now = time.monotonic()
        for name, (_, process) in list(self._running.items()):
            status = process.poll()
            if status is None:
                continue
            del self._running[name]
            life = self._lives[name].died(now)
            self._lives[name] = life
            self._not_before[name] = now + life.delay()
            log.warning("%s ended by itself (%s); starting it again in %.1f s", name, _cause(status), life.delay())
            self._on_death(name, _cause(status))

    def _end(self, names: Sequence[str]) -> None:
        ending = [self._running.pop(name) for name in names]
        for _, process in ending:
            process.terminate()
        for child, process in ending:
            try:
                process.wait(child.stop_after)
            except subprocess.TimeoutExpired:
                log.warning("%s did not end within %.0f s and is killed", child.name, child.stop_after)
                process.kill()
                process.wait()


def _cause(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def headgate_argv(*words: str) -> tuple[str, ...]:
    """The command line that runs a verb of this very installation.

    >>> headgate_argv("gateway")[1:]
    ('-m', 'headgate.cli.main', 'gateway')
    """
    return (sys.executable, "-m", "headgate.cli.main", *words)
