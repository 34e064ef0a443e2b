"""The threads on which calls wait for their answers: as many as calls need at once, up to a limit.

Those of `concurrent.futures` make two condition variables a piece of work and wake through a semaphore, which took a
fifth of a gRPC call's processor time: see docs/performance.md.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)


class Work(Future[Any]):
    """Work that tells when it is over, and nothing else: nobody waits for it, and nobody asks for what it found."""

    def __init__(self, do: Callable[[], object]) -> None:
        # Not Future's own: that makes the condition variables.
        self._do = do
        self._told: deque[Callable[[Future[Any]], object]] = deque()
        self._over = False

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        """Have `fn` called once the work is over, or at once where it is."""
        self._told.append(fn)
        if self._over:  # behind the line above: either the thread finds `fn`, or this does
            self._tell()

    def run(self) -> None:
        """Do it; what it raises is logged."""
        try:
            self._do()
        except Exception:
            _LOG.exception("the thread of a call failed")
        self._over = True
        self._tell()

    def _tell(self) -> None:
        told = self._told
        while told:
            try:
                call = told.popleft()
            except IndexError:  # the other side was quicker
                return
            call(self)


class CallThreads(Executor):
    """Runs work on threads that are made as they are needed and kept: at most so many, further work waits for one.

    >>> done = threading.Event()
    >>> threads = CallThreads(2)
    >>> threads.submit(done.set).add_done_callback(lambda work: None)
    >>> done.wait(5.0)
    True
    >>> threads.shutdown()
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        """Threads for which no work was put into the queue; too many once all were made, when nobody asks."""
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have `fn` called. Raises RuntimeError after `shutdown`, as every executor."""
        work = Work(partial(fn, *args, **kwargs))
        with self._lock:
            if self._closed:
                raise RuntimeError("these threads were ended")
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self._most:
                self._make()
            self._waiting.put(work)
        return work

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work, and end each thread once what waits is done; without `wait`, return before that.

        With `cancel_futures`, what waits is dropped and tells nobody.
        """
        with self._lock:
            self._closed = True
            while cancel_futures and not self._waiting.empty():
                self._waiting.get()
            for _ in self._threads:
                self._waiting.put(None)
        for each in self._threads if wait else ():
            each.join()

    def _make(self) -> None:
        # Daemons: a model that hangs keeps its caller's thread, and must not keep the process.
        thread = threading.Thread(target=self._serve, name=f"grpc_{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (work := self._waiting.get()) is not None:
            work.run()
            del work  # or what it holds would live until the next one comes
            with self._lock:
                self._idle += 1
