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

from headgate.processor import let_others_first, step_back
from headgate.supervisor.child import Child, Life

log = logging.getLogger("headgate.supervisor")

Wanted = Callable[[], Sequence[Child]]
"""What ought to run now; asked several times a second."""
OnDeath = Callable[[str, str], None]
"""Told the name of a child that ended by itself, and the cause."""


class Supervisor:
    """Keeps the wanted children running until it is told to stop.

    `wanted` is asked at every turn: a child that is no longer named is ended, a new one started. A child whose
    command line changed is replaced, once it has ended. While `wanted` cannot say, what runs goes on. A child that
    takes its time to end keeps nobody else waiting. `on_death` must not raise: nobody would restart anything any more.
    """

    def __init__(self, wanted: Wanted, *, turn: float = 0.1, on_death: OnDeath = lambda _name, _cause: None) -> None:
        self._wanted = wanted
        self._on_death = on_death
        self._turn = turn
        self._running: dict[str, tuple[Child, subprocess.Popen[bytes]]] = {}
        self._ending: dict[str, tuple[Child, subprocess.Popen[bytes], float]] = {}
        """Children asked to end, and the moment at which they are killed."""
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
        self._reap()
        wanted = self._told()
        for name, (child, process) in list(self._running.items()):
            now_wanted = wanted.get(name)
            if now_wanted is None or now_wanted != child:
                self._ask_to_end(name)
                self._lives.pop(name, None)
            elif now_wanted.unheard != child.unheard:
                let_others_first(process.pid, now_wanted.unheard)
                self._running[name] = (now_wanted, process)
        now = time.monotonic()
        for name, child in wanted.items():
            there = name in self._running or name in self._ending
            if not there and now >= self._not_before.get(name, 0.0):
                self._start(child, now)

    def end_all(self) -> None:
        """End every child, tier by tier from the highest, each within its own grace."""
        children = [*(child for child, _ in self._running.values()), *(child for child, _, _ in self._ending.values())]
        for tier in sorted({child.tier for child in children}, reverse=True):
            for name in [name for name, (child, _) in self._running.items() if child.tier == tier]:
                self._ask_to_end(name)
            for name in [name for name, (child, _, _) in self._ending.items() if child.tier == tier]:
                self._see_off(name)

    def _told(self) -> dict[str, Child]:
        """What ought to run, by name; what runs, where nobody can say."""
        try:
            return {child.name: child for child in self._wanted()}
        except Exception:  # a file that cannot be read must not end what answers callers well
            log.exception("what ought to run cannot be told; what runs goes on")
            return {name: child for name, (child, _) in self._running.items()}

    def _ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, child: Child, now: float) -> None:
        life = self._lives.get(child.name, Life())
        try:
            # The words of the command line come from this installation, never from a caller.
            process = subprocess.Popen(  # noqa: S603
                [*child.argv],
                env={**os.environ, **dict(child.environment)},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:  # no memory or no room for one more process: it may come back
            self._mourn(child.name, Life(now, life.deaths_in_a_row, life.restarts), f"not started: {error.strerror}")
            return
        self._lives[child.name] = Life(now, life.deaths_in_a_row, life.restarts)
        self._running[child.name] = (child, process)
        if child.nice:
            step_back(process.pid, child.nice)
        if child.unheard:
            let_others_first(process.pid, True)
        log.info("%s started as process %d", child.name, process.pid)

    def _bury(self) -> None:
        for name, (_, process) in list(self._running.items()):
            status = process.poll()
            if status is None:
                continue
            del self._running[name]
            self._mourn(name, self._lives[name], _cause(status))

    def _mourn(self, name: str, life: Life, cause: str) -> None:
        now = time.monotonic()
        self._lives[name] = life = life.died(now)
        self._not_before[name] = now + life.delay()
        log.warning("%s ended by itself (%s); starting it again in %.1f s", name, cause, life.delay())
        self._on_death(name, cause)

    def _ask_to_end(self, name: str) -> None:
        child, process = self._running.pop(name)
        process.terminate()
        self._ending[name] = (child, process, time.monotonic() + child.stop_after)

    def _reap(self) -> None:
        """Forget those that ended when they were asked to, and kill those whose grace is over."""
        now = time.monotonic()
        for name, (_, process, until) in list(self._ending.items()):
            if process.poll() is not None or now >= until:
                self._see_off(name)

    def _see_off(self, name: str) -> None:
        """Wait for the end of a child that was asked, for as long as its grace lasts."""
        child, process, until = self._ending.pop(name)
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end within %.0f s and is killed", child.name, child.stop_after)
            process.kill()
            process.wait()


def _cause(status: int) -> str:
    """What ended a child, in a word; signals between those that have names are known by their number.

    >>> _cause(3), _cause(-9), _cause(-40)
    ('exit status 3', 'signal SIGKILL', 'signal 40')
    """
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def headgate_argv(*words: str) -> tuple[str, ...]:
    """The command line that runs a verb of this very installation.

    >>> headgate_argv("gateway")[1:]
    ('-m', 'headgate.cli.main', 'gateway')
    """
    return (sys.executable, "-m", "headgate.cli.main", *words)
