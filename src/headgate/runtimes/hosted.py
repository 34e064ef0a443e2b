"""A package in a runtime host, as its callers see it: on the event loop for gateways, blocking for commands.

The loop's client waits for the socket with ``add_reader`` and ``add_writer`` and does its own reading, because large
arrays arrive as descriptors, which transports do not pass on. Works on asyncio's loop and on uvloop.
"""

import asyncio
import select
import selectors
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from headgate.errors import RuntimeFailed
from headgate.runtimes.channel import Channel, Closed, Frame, connect
from headgate.runtimes.failure import died, not_there
from headgate.runtimes.ports import Feeds, Outputs, Runtime
from headgate.runtimes.wire import SHARED_FROM, Kind, pack_cancel, pack_run, read_outputs

CALL_TIMEOUT: Final = 10.0
"""Seconds a call waits for its answer, unless told otherwise: a caller's longest default deadline."""
OUTSTANDING: Final = 1024
"""Calls one client may have under way; more would only wait in the host."""
BACKOFF: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between attempts to connect, in order; the last repeats."""
_READY_POLL: Final = 0.02


class HostedPlacement:
    """A package in the runtime host that listens at `path`; used from one event loop.

    Connects at the first call and again, with growing pauses, after the host died; in a pause every call fails at once,
    so that a caller is never held up by a host that is not there. When the host dies, every call under way
    raises RuntimeFailed.
    """

    def __init__(
        self,
        path: Path,
        *,
        call_timeout: float = CALL_TIMEOUT,
        shared_from: int = SHARED_FROM,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """`call_timeout` is in seconds; arrays of `shared_from` bytes and more go through shared memory."""
        self._path = path
        self._call_timeout = call_timeout
        self._shared_from = shared_from
        self._now = now
        self._channel: Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls: dict[int, asyncio.Future[Outputs]] = {}
        self._next = 0
        self._failures = 0
        self._not_before = 0.0
        self._closed = False

    @property
    def inline(self) -> Runtime | None:
        """None: nothing of a hosted package runs on the loop."""
        return None

    @property
    def under_way(self) -> int:
        """Calls that wait for their answer."""
        return len(self._calls)

    async def run(self, feeds: Feeds, budget: float | None = None) -> Outputs:
        """Answer a batch within `budget` seconds (the placement's call timeout when None).

        Raises RuntimeFailed when the model errs, its process dies or is not there, or the time runs out.
        Cancelling is safe: the host is told, and an answer that comes all the same is dropped.
        """
        budget = self._call_timeout if budget is None else budget
        channel = self._connected()
        if len(self._calls) >= OUTSTANDING:
            raise RuntimeFailed("too many calls wait for the runtime host")
        loop = asyncio.get_running_loop()
        self._next = call = self._next + 1
        future: asyncio.Future[Outputs] = loop.create_future()
        self._calls[call] = future
        timer = loop.call_later(budget, _expire, future, budget)
        try:
            self._send(channel, call, feeds, budget)
            return await future
        finally:
            timer.cancel()
            if self._calls.pop(call, None) is not None:
                self._give_up(call)

    def rest(self, seconds: float) -> bool:
        """Hold the loop until the host says something, `seconds` at most; whether a call waits for its answer."""
        if self._channel is None or all(call.done() for call in self._calls.values()):
            return False
        poll = select.poll()  # `select` knows no descriptor beyond 1023
        poll.register(self._channel.fileno(), select.POLLIN)
        poll.poll(seconds * 1000)
        return True

    async def ready(self, timeout: float) -> None:
        """Wait until the host answers; RuntimeFailed if it does not within `timeout` seconds."""
        end = self._now() + timeout
        while True:
            try:
                self._not_before = 0.0
                self._connected()
                return
            except RuntimeFailed:
                if self._closed or self._now() >= end:
                    raise
            await asyncio.sleep(_READY_POLL)

    async def close(self) -> None:
        """Let go of the host; calls under way raise RuntimeFailed. Closing twice is no error."""
        self._closed = True
        self._lose(_closed)

    def _connected(self) -> Channel:
        if self._channel is not None:
            return self._channel
        if self._closed:
            raise _closed()
        if self._now() < self._not_before:
            raise not_there()
        try:
            channel = connect(self._path)
        except Closed as error:
            self._back_off()
            raise not_there() from error
        self._failures = 0
        self._channel, self._loop = channel, asyncio.get_running_loop()
        self._loop.add_reader(channel.fileno(), self._readable)
        return channel

    def _back_off(self) -> None:
        self._not_before = self._now() + BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1

    def _send(self, channel: Channel, call: int, feeds: Feeds, budget: float) -> None:
        try:
            if not channel.send(pack_run(call, feeds, max(1, int(budget * 1e6)), self._shared_from)):
                self._wait_to_write(channel)
        except Closed:
            self._lose(died)

    def _give_up(self, call: int) -> None:
        """Tell the host that nobody waits any more; the future is gone already."""
        if self._channel is None:
            return
        try:
            if not self._channel.send(pack_cancel(call)):
                self._wait_to_write(self._channel)
        except Closed:
            self._lose(died)

    def _wait_to_write(self, channel: Channel) -> None:
        if self._loop is not None:
            self._loop.add_writer(channel.fileno(), self._writable)

    def _writable(self) -> None:
        channel = self._channel
        try:
            if channel is not None and self._loop is not None and channel.flush():
                self._loop.remove_writer(channel.fileno())
        except Closed:
            self._lose(died)

    def _readable(self) -> None:
        if self._channel is None:
            return
        try:
            frames = self._channel.receive()
        except (Closed, RuntimeFailed):
            self._lose(died)
            return
        for frame in frames:
            future = self._calls.pop(frame.head.id, None)
            if future is not None and not future.done():
                _settle(future, frame)

    def _lose(self, why: Callable[[], RuntimeFailed]) -> None:
        """Drop the connection and fail every call under way."""
        channel, self._channel = self._channel, None
        if channel is not None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(channel.fileno())
                self._loop.remove_writer(channel.fileno())
            channel.close()
            self._back_off()
        calls, self._calls = self._calls, {}
        for future in calls.values():
            if not future.done():
                future.set_exception(why())


class HostedRuntime:
    """A package in the runtime host that listens at `path`, called and waited for; one thread at a time.

    Connects at the first call and after the host died. Every method raises RuntimeFailed as HostedPlacement does.
    """

    def __init__(self, path: Path, *, call_timeout: float = CALL_TIMEOUT, shared_from: int = SHARED_FROM) -> None:
        """`call_timeout` is in seconds; arrays of `shared_from` bytes and more go through shared memory."""
        self._path = path
        self._call_timeout = call_timeout
        self._shared_from = shared_from
        self._channel: Channel | None = None
        self._selector = selectors.DefaultSelector()
        self._next = 0
        self._closed = False

    def run(self, feeds: Feeds) -> Outputs:
        """Answer a batch. Raises RuntimeFailed when the model errs, its host dies, or the time runs out."""
        end = monotonic() + self._call_timeout
        self._next = call = self._next + 1
        try:
            channel = self._connected()
            sent = channel.send(pack_run(call, feeds, max(1, int(self._call_timeout * 1e6)), self._shared_from))
            while True:
                self._wait(channel, end, writing=not sent)
                sent = sent or channel.flush()
                for frame in self._received(channel):
                    if frame.head.id == call:
                        return _outputs(frame)
        except Closed as error:
            self._lose()
            raise died() from error

    def _received(self, channel: Channel) -> list[Frame]:
        try:
            return channel.receive()
        except RuntimeFailed:
            self._lose()  # what follows garbage is garbage: the next call begins anew
            raise

    def ready(self, timeout: float) -> None:
        """Wait until the host answers; RuntimeFailed if it does not within `timeout` seconds."""
        end = monotonic() + timeout
        while True:
            try:
                self._connected()
                return
            except Closed as error:
                if monotonic() >= end:
                    raise not_there() from error
            self._selector.select(_READY_POLL)

    def close(self) -> None:
        """Let go of the host; a later call raises RuntimeFailed. Closing twice is no error."""
        self._lose()
        self._selector.close()
        self._closed = True

    def _connected(self) -> Channel:
        if self._closed:
            raise _closed()
        if self._channel is None:
            self._channel = connect(self._path)
            self._selector.register(self._channel, selectors.EVENT_READ)
        return self._channel

    def _wait(self, channel: Channel, end: float, *, writing: bool) -> None:
        events = selectors.EVENT_READ | selectors.EVENT_WRITE if writing else selectors.EVENT_READ
        if self._selector.get_key(channel).events != events:
            self._selector.modify(channel, events)
        if not self._selector.select(max(0.0, end - monotonic())):
            self._lose()  # an answer that comes later must not be taken for another's
            raise RuntimeFailed(f"the model did not answer within {self._call_timeout:g} s")

    def _lose(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            self._selector.unregister(channel)
            channel.close()


def _closed() -> RuntimeFailed:
    return RuntimeFailed("the placement was closed")


def _expire(future: asyncio.Future[Outputs], budget: float) -> None:
    if not future.done():
        future.set_exception(RuntimeFailed(f"the model did not answer within {budget:g} s"))


def _settle(future: asyncio.Future[Outputs], frame: Frame) -> None:
    try:
        future.set_result(_outputs(frame))
    except RuntimeFailed as error:
        future.set_exception(error)


def _outputs(frame: Frame) -> Outputs:
    if frame.head.kind != Kind.DONE:
        raise RuntimeFailed(frame.head.message, kind=frame.head.failure)
    return read_outputs(frame.head, frame.arrays)
