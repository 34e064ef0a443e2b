"""The loop of a runtime host: reads what callers ask, batches what waits, runs the model, answers.

One thread does all of it. While the model computes nothing else could be done with it anyway; what arrives meanwhile
waits in the sockets and is found together afterwards, which is how batches come about without a timer.
"""

import selectors
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

import numpy as np

from headgate.errors import RuntimeFailed
from headgate.runtimes.channel import Channel, Closed, Frame
from headgate.runtimes.failure import described, failed
from headgate.runtimes.ports import Feeds, Outputs, Runtime
from headgate.runtimes.wire import Kind, Packed, pack_done, pack_failed, read_feeds

ROWS_PER_BATCH: Final = 1024
"""Rows up to which waiting calls are joined; a single call may hold more."""
UNSENT_LIMIT: Final = 256 << 20
"""Bytes a caller may leave unread before it is dropped."""
EXHAUSTED: Final = 3
"""Calls in a row that found no memory after which the process is of no more use: it holds what it has."""
_WATCH: Final = 0.5
"""Seconds between two looks at whether the parent still lives."""


@dataclass(slots=True)
class Call:
    """A batch somebody waits for."""

    channel: Channel
    id: int
    feeds: Feeds
    rows: int
    expires: float
    """Moment on the monotonic clock after which nobody waits any more."""


class Serving:
    """Serves one runtime to every caller that connects to `listener`."""

    def __init__(
        self,
        runtime: Runtime,
        listener: socket.socket,
        *,
        call_limit: float,
        batchable: bool = True,
        parent_lives: Callable[[], bool] = lambda: True,
    ) -> None:
        self._runtime = runtime
        self._listener = listener
        self._call_limit = call_limit
        self._batchable = batchable
        self._parent_lives = parent_lives
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Call] = deque()
        self._stopping = False
        self._starved = 0
        """Calls in a row that found no memory."""

    @property
    def exhausted(self) -> bool:
        """Whether the model used up the memory this process may have, so that another must take its place."""
        return self._starved >= EXHAUSTED

    def stop(self) -> None:
        """Answer what waits, then end `serve`; safe in a signal handler."""
        self._stopping = True

    def serve(self) -> None:
        """Serve until stopped, or until the parent is gone."""
        with _woken_by_signals() as waker:
            self._selector.register(self._listener, selectors.EVENT_READ, None)
            self._selector.register(waker, selectors.EVENT_READ, None)
            watched = monotonic()
            while not self._stopping:
                self._look(0 if self._waiting else _WATCH)
                if monotonic() - watched > _WATCH:
                    watched = monotonic()
                    self._stopping = self._stopping or not self._parent_lives()
                self._answer_next()
                self._stopping = self._stopping or self.exhausted
            while self._waiting and not self.exhausted:
                self._answer_next()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, Channel):
                key.data.close()
        self._selector.close()

    def _look(self, timeout: float) -> None:
        for key, events in self._selector.select(timeout):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.data, Channel):
                self._move(key.data, events)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the caller left again before we came
            return
        channel = Channel(connection)
        self._selector.register(channel, selectors.EVENT_READ, channel)

    def _move(self, channel: Channel, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE and channel.flush():
                self._selector.modify(channel, selectors.EVENT_READ, channel)
            if events & selectors.EVENT_READ:
                for frame in channel.receive():
                    self._take(channel, frame)
        except (Closed, RuntimeFailed):
            self._drop(channel)

    def _take(self, channel: Channel, frame: Frame) -> None:
        call, head = frame.head.id, frame.head
        match head.kind:
            case Kind.RUN if frame.arrays:
                expires = monotonic() + head.budget_us / 1e6 if head.budget_us else float("inf")
                feeds = read_feeds(head, frame.arrays)
                self._waiting.append(Call(channel, call, feeds, len(frame.arrays[0]), expires))
            case Kind.CANCEL:
                self._forget(lambda each: each.channel is channel and each.id == call)
            case _:
                raise RuntimeFailed("the runtime host and its caller do not understand each other")

    def _forget(self, unwanted: Callable[[Call], bool]) -> None:
        self._waiting = deque(each for each in self._waiting if not unwanted(each))

    def _drop(self, channel: Channel) -> None:
        if channel.fileno() >= 0:
            self._selector.unregister(channel)
        channel.close()
        self._forget(lambda each: each.channel is channel)

    def _answer_next(self) -> None:
        """Answer the oldest call that somebody still waits for, and all that fit beside it."""
        now = monotonic()
        if any(each.expires < now for each in self._waiting):
            self._forget(lambda each: each.expires < now)
        if not self._waiting:
            return
        calls = self._next_batch()
        if len(calls) == 1:
            self._reply(calls[0], self._answer(calls[0]))
            return
        try:
            outputs = self._run(join([each.feeds for each in calls]))
        except RuntimeFailed:
            # One caller's rows must not fail another's: each call is asked again by itself.
            for each in calls:
                self._reply(each, self._answer(each))
            return
        for each, part in zip(calls, split(outputs, [each.rows for each in calls]), strict=True):
            self._reply(each, _written(each, part))

    def _next_batch(self) -> list[Call]:
        first = self._waiting.popleft()
        calls, rows = [first], first.rows
        if self._waiting and self._batchable:
            kind = form(first.feeds)
            while self._waiting and rows + self._waiting[0].rows <= ROWS_PER_BATCH:
                if form(self._waiting[0].feeds) != kind:
                    break
                calls.append(self._waiting.popleft())
                rows += calls[-1].rows
        return calls

    def _answer(self, call: Call) -> Packed:
        try:
            return _written(call, self._run(call.feeds))
        except RuntimeFailed as error:
            return pack_failed(call.id, error)

    def _run(self, feeds: Feeds) -> Outputs:
        """Ask the model; the kernel ends this process when it does not return within the call limit.

        SIGALRM keeps its default action on purpose: it ends the process even while foreign code holds the
        interpreter's lock, which no watching thread could do.
        """
        signal.setitimer(signal.ITIMER_REAL, self._call_limit)
        try:
            outputs = self._runtime.run(feeds)
        except RuntimeFailed as error:
            self._count(error.__cause__)
            raise
        except (Exception, SystemExit) as error:
            self._count(error)
            raise failed(error) from error
        else:
            self._starved = 0
            return outputs
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _count(self, error: BaseException | None) -> None:
        """What a call failed of: one that is too large for the memory there is fails alone, several tell of a leak."""
        self._starved = self._starved + 1 if isinstance(error, MemoryError) else 0

    def _reply(self, call: Call, packed: Packed) -> None:
        if call.channel.fileno() < 0:
            return
        try:
            if not call.channel.send(packed):
                self._selector.modify(call.channel, selectors.EVENT_READ | selectors.EVENT_WRITE, call.channel)
                if call.channel.unsent > UNSENT_LIMIT:
                    self._drop(call.channel)
        except Closed:
            self._drop(call.channel)


def _written(call: Call, outputs: Outputs) -> Packed:
    """The answer as a frame; one that cannot be written is a failure of its call and not the end of this process."""
    try:
        return pack_done(call.id, outputs)
    except Exception as error:
        return pack_failed(call.id, RuntimeFailed(f"the model's answer cannot be sent: {described(error)}"))


def form(feeds: Feeds) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """What two batches must share to be joined: names, dtypes and shapes apart from the rows."""
    return tuple((name, array.dtype.str, array.shape[1:]) for name, array in feeds.items())


def join(parts: Sequence[Feeds]) -> Feeds:
    """One batch of all rows, in order.

    >>> join([{"x": np.array([[1.0]])}, {"x": np.array([[2.0]])}])["x"].tolist()
    [[1.0], [2.0]]
    """
    return {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}


def split(outputs: Outputs, rows: Sequence[int]) -> list[Outputs]:
    """The answer to each part of a joined batch; the compute time of the whole stands in each."""
    parts: list[Outputs] = []
    start = 0
    for count in rows:
        part = slice(start, start + count)
        scores = None if outputs.scores is None else outputs.scores[part]
        arrays = {name: array[part] for name, array in outputs.arrays.items()}
        parts.append(Outputs(outputs.prediction[part], scores, arrays, outputs.compute_us))
        start += count
    return parts


@contextmanager
def _woken_by_signals() -> Iterator[socket.socket]:
    """A socket that turns readable when a signal arrives, so that waiting ends at once."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(before)
        ours.close()
        theirs.close()
