"""Calls by way of grpcio's core, which speaks HTTP/2, compresses, and limits sizes in C.

grpcio's own servers give each call a thread or a coroutine of its own and were measured to take twice the processor
time; see docs/decisions/0010. Here one thread waits for the core and hands messages to the event loop, many per
wake-up, and replies are written from the loop. The core's Python face is no public API: `pyproject.toml` admits only
the minor versions it was tried with.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from grpc._cython import cygrpc

from headgate.errors import BadConfiguration
from headgate.gateway.doors.statuses import Status
from headgate.gateway.rpc.call import Call, Door, Trailers

_LOG: Final = logging.getLogger(__name__)
_IDLE_MS: Final = 300_000
"""A connection without calls for so long is asked to come back when it needs us."""
_CALLS: Final = 1024
"""Calls one connection may have open; its further ones wait with the caller."""
_LONGEST_DETAILS: Final = 1000
"""Characters of a refusal: details travel in a header, and callers limit those."""
_LAST_SECONDS: Final = 5.0
"""Longest a stopping server waits for calls it has cut off."""


class CoreCall:
    """A call of grpcio's core as a Call."""

    __slots__ = (
        "_begun", "_call", "_ended", "_said", "_sending", "_watched", "deadline", "message", "method",
    )  # fmt: skip

    def __init__(self, event: Any, said: Callable[["CoreCall"], None]) -> None:
        details = event.call_details
        self.method: str = details.method.decode("ascii", "replace")
        self.deadline: float | None = details.deadline if details.deadline < _NEVER else None
        self.message = b""
        self._call, self._said = event.call, event.invocation_metadata
        self._begun = self._ended = self._sending = self._watched = False
        self._receive(said)

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """As Call has it."""
        return {each[0]: each[1] for each in self._said or ()}

    def _receive(self, said: Callable[["CoreCall"], None]) -> None:
        def arrived(event: Any) -> None:
            message = event.batch_operations[0].message()
            if message is not None:  # None: the caller left, or ended without a message
                self.message = message
                said(self)
            else:
                self.refuse(Status.INVALID_ARGUMENT, "the call has no message")

        self._call.start_server_batch((cygrpc.ReceiveMessageOperation(0),), arrived)

    def reply(self, message: bytes, trailers: Trailers = ()) -> None:
        """As Call has it."""
        self._end(trailers, Status.OK, b"", cygrpc.SendMessageOperation(message, 0))

    def refuse(self, status: Status, details: str, trailers: Trailers = ()) -> None:
        """As Call has it."""
        self._end(trailers, status, details[:_LONGEST_DETAILS].encode("utf-8", "replace"))

    def _end(self, trailers: Trailers, status: Status, details: bytes, *message: Any) -> None:
        """All in one batch: the core then writes head, message and trailers at once."""
        if self._ended:
            return
        self._ended = True
        last = cygrpc.SendStatusFromServerOperation(trailers, status.value, details, 0)
        head = () if self._begun else (cygrpc.SendInitialMetadataOperation((), 0),)
        close = () if self._watched else (cygrpc.ReceiveCloseOnServerOperation(0),)
        self._call.start_server_batch((*head, *message, last, *close), _done)

    def say(self, message: bytes) -> bool:
        """As Call has it."""
        if self._ended or self._sending:
            return False
        self._sending = True
        head = () if self._begun else (cygrpc.SendInitialMetadataOperation((), 0),)
        self._begun = True
        self._call.start_server_batch((*head, cygrpc.SendMessageOperation(message, 0)), self._sent)
        return True

    def _sent(self, event: Any) -> None:
        self._sending = False

    def until(self, left: Callable[[], None]) -> None:
        """As Call has it."""
        loop = asyncio.get_running_loop()
        self._watched = True
        close = (cygrpc.ReceiveCloseOnServerOperation(0),)
        self._call.start_server_batch(close, lambda event: loop.call_soon_threadsafe(left))


_NEVER: Final = 1e12
"""Seconds of the epoch; the core says infinity, or the end of its clock, where a caller states no deadline."""


def _done(event: Any) -> None:
    """A batch nobody waits for: what the caller did not get, it left behind."""


class CoreServer:
    """Listens on a port that several processes may share (``SO_REUSEPORT``)."""

    def __init__(self, host: str, port: int, *, body_limit: int) -> None:
        options = (
            (b"grpc.so_reuseport", 1),
            (b"grpc.max_receive_message_length", body_limit),
            (b"grpc.max_send_message_length", -1),
            (b"grpc.max_connection_idle_ms", _IDLE_MS),
            (b"grpc.max_concurrent_streams", _CALLS),
        )
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server = cygrpc.Server(options, False)
        self._queue = cygrpc.CompletionQueue()
        self._server.register_completion_queue(self._queue)
        self._arrived: deque[Call] = deque()
        self._woken = False
        self._stopping = False
        self._over: asyncio.Event | None = None
        """No call is left."""
        self._ended = asyncio.Event()
        """The thread is gone."""

    def start(self, door: Door) -> int:
        """As Server has it."""
        try:
            port = self._server.add_http2_port(self._address.encode())
        except RuntimeError:
            port = 0
        if not port:
            raise BadConfiguration("--grpc-port", f"{self._address} cannot be listened on; is it taken?")
        self._server.start()
        self._loop, self._door, self._over = asyncio.get_running_loop(), door, asyncio.Event()
        threading.Thread(target=self._wait, name="grpc", daemon=True).start()
        return int(port)

    async def stop(self, seconds: float) -> None:
        """As Server has it."""
        if self._over is None or self._stopping:
            return
        self._stopping = True
        self._server.shutdown(self._queue, self._stopped)
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            self._server.cancel_all_calls()
            await asyncio.wait_for(self._over.wait(), _LAST_SECONDS)
        # Not from the other thread: `shutdown` above may still be on its way out of the server when its event comes.
        self._server.destroy()
        self._queue.shutdown()
        await asyncio.wait_for(self._ended.wait(), _LAST_SECONDS)

    # --- on the event loop

    def _take(self) -> None:
        # Lowered first: a call that arrives during the loop below is either seen by it or wakes us again.
        self._woken = False
        arrived, open_ = self._arrived, self._door.open
        while arrived:
            open_(arrived.popleft())

    # --- on the thread that waits for the core

    def _wait(self) -> None:
        methods = self._door.methods
        self._server.request_call(self._queue, self._queue, None)
        while True:
            event = self._queue.poll()
            if event.completion_type == cygrpc.CompletionType.queue_shutdown:
                break
            try:
                if event.tag is None:
                    self._greet(event, methods)
                else:
                    event.tag(event)
            except Exception:  # one call's misfortune must not end all others
                _LOG.exception("a gRPC event could not be handled")
            # An event that is kept while the next is awaited keeps its call alive, and a call that is over makes the
            # core spin.
            event = None
        self._loop.call_soon_threadsafe(self._ended.set)

    def _greet(self, event: Any, methods: frozenset[str]) -> None:
        if not self._stopping:
            self._server.request_call(self._queue, self._queue, None)
        if event.call is None or not event.success:
            return
        method = event.call_details.method.decode("ascii", "replace")
        if method in methods:
            CoreCall(event, self._hand_over)
        else:
            _unimplemented(event.call, method)

    def _hand_over(self, call: CoreCall) -> None:
        self._arrived.append(call)
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._take)

    def _stopped(self, event: Any) -> None:
        if self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)


def _unimplemented(call: Any, method: str) -> None:
    status = cygrpc.SendStatusFromServerOperation(
        (), Status.UNIMPLEMENTED.value, f"{method[:200]} is not spoken here".encode(), 0
    )
    head, close = cygrpc.SendInitialMetadataOperation((), 0), cygrpc.ReceiveCloseOnServerOperation(0)
    call.start_server_batch((head, status, close), _done)
