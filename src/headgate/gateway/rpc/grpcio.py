"""Calls by way of grpcio's server, which speaks HTTP/2, compresses, and limits sizes.

It gives each call a thread from a pool. Such a thread receives the message, hands it to the event loop, many per
wake-up, and sleeps until the loop has answered, so calls that arrive together still share a model call; see
docs/decisions/0012. Calls that stay open have threads of their own number, or they would starve the others.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, NamedTuple

import grpc

from headgate.access.pems import NewestPems, Pems
from headgate.errors import BadConfiguration
from headgate.gateway.doors.statuses import Status
from headgate.gateway.rpc.call import Call, Door, Trailers
from headgate.gateway.rpc.places import THREADS
from headgate.gateway.rpc.threads import CallThreads

_LOG: Final = logging.getLogger(__name__)
_STREAMS: Final = 16
"""Calls that may stay open at once; each keeps a thread, one beyond those above, for as long."""
_OPEN: Final = 4096
"""Calls that may be open or wait for a thread; further ones are refused."""
_CALLS: Final = 1024
"""Calls one connection may have open; its further ones wait with the caller."""
_IDLE_MS: Final = 120_000
"""A connection without calls for so long is ended; unlike over HTTP, at the limit none is ended early for another."""
_HANDSHAKE_MS: Final = 5_000
"""Longest a connection may take to say that it speaks TLS, where that is asked, and HTTP/2."""
_ALIVE_MS: Final = 60_000
"""How long nothing may come on a connection with calls before its other side is asked whether it is there."""
_ALIVE_ANSWER_MS: Final = 20_000
"""How long it may take to say so before the connection, and its calls, are ended."""
_SILENT_SECONDS: Final = 10.0
"""A caller whose message takes longer keeps a thread from the others, and is cut off."""
_LONGEST_DETAILS: Final = 1000
"""Characters of a refusal: details travel in a header, and callers limit those."""
_LAST_SECONDS: Final = 5.0
"""Longest a stopping server waits for calls it has cut off."""
_NEVER: Final = 1e9
"""Seconds; grpcio says none, infinity, or the end of its clock, where a caller states no deadline."""
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class _End(NamedTuple):
    """How a call ends."""

    message: bytes
    trailers: Trailers
    status: Status = Status.OK
    details: str = ""


class ThreadedCall:
    """A call with which a thread waits, as a Call. What the loop says reaches the thread through a queue."""

    __slots__ = ("_context", "_ended", "_gone", "_left", "_sending", "_words", "deadline", "message", "method")

    def __init__(self, method: str, message: bytes, context: Any) -> None:
        self.method, self.message, self._context = method, message, context
        left = context.time_remaining()
        self.deadline: float | None = None if left is None or left > _NEVER else time.time() + left
        self._words: SimpleQueue[bytes | _End | None] = SimpleQueue()
        """None: the caller has left."""
        self._sending = self._ended = self._gone = False
        self._left: Callable[[], object] | None = None

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """As Call has it."""
        found: dict[str, str | bytes] = {}
        for name, value in self._context.invocation_metadata() or ():
            before = found.get(name)
            # As in HTTP: two of a name are one with a comma, which no key has, so that neither passes for the other.
            found[name] = f"{before}, {value}" if isinstance(before, str) and isinstance(value, str) else value
        return found

    @property
    def certificate(self) -> str:
        """As Call has it."""
        # Only a server that asks for certificates is shown any, and it has verified them then.
        names = self._context.auth_context().get("x509_common_name", ())
        return names[0].decode("utf-8", "replace") if len(names) == 1 else ""

    # --- on the event loop

    def reply(self, message: bytes, trailers: Trailers = ()) -> None:
        """As Call has it."""
        self._ended = True
        self._words.put(_End(message, trailers))

    def refuse(self, status: Status, details: str, trailers: Trailers = ()) -> None:
        """As Call has it."""
        self._ended = True
        self._words.put(_End(b"", trailers, status, details[:_LONGEST_DETAILS]))

    def say(self, message: bytes) -> bool:
        """As Call has it."""
        if self._sending:
            return False
        self._sending = True
        self._words.put(message)
        return True

    def until(self, left: Callable[[], None]) -> None:
        """As Call has it."""
        loop = asyncio.get_running_loop()
        self._left = partial(loop.call_soon_threadsafe, left)
        if self._gone:  # after the line above: the caller's leaving sees `left`, or we see that it has left
            loop.call_soon(left)

    # --- on the call's own thread

    def words(self, hand_over: Callable[[Call], None]) -> Iterator[bytes]:
        """Every message the loop has for the caller; the last may be followed by a refusal, which ends the thread."""
        # A caller may leave while the loop is busy with it, or with a model that hangs: the thread must not wait on.
        if not self._context.add_callback(self._leave):
            return
        hand_over(self)
        while (word := self._words.get()) is not None:
            if isinstance(word, _End):
                self._context.set_trailing_metadata(word.trailers)
                if word.status is not Status.OK:
                    self._context.abort(_CODES[word.status.value], word.details)
                yield word.message
                return
            yield word
            self._sending = False

    def _leave(self) -> None:
        """Called by grpcio once the call is over, however it ended; one that was answered concerns nobody."""
        self._gone = True
        self._words.put(None)
        if self._left is not None and not self._ended:
            self._left()


class ThreadedServer:
    """Listens on a port that several processes may share (``SO_REUSEPORT``), encrypted where there are `pems`."""

    def __init__(
        self, host: str, port: int, *, body_limit: int, connections_limit: int = 1 << 20, pems: NewestPems | None = None
    ) -> None:
        """At most `connections_limit` are open at once; one more is closed at once, before it could say anything."""
        self._options = (
            ("grpc.so_reuseport", 1),
            ("grpc.max_receive_message_length", body_limit),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_allowed_incoming_connections", connections_limit),
            ("grpc.max_connection_idle_ms", _IDLE_MS),
            ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
            ("grpc.keepalive_time_ms", _ALIVE_MS),
            ("grpc.keepalive_timeout_ms", _ALIVE_ANSWER_MS),
            ("grpc.http2.ping_timeout_ms", _ALIVE_ANSWER_MS),
            ("grpc.max_concurrent_streams", _CALLS),
            # What core would tell debuggers of every call, and its pings for how wide the line is: 6 % of a call.
            ("grpc.enable_channelz", 0),
            ("grpc.max_channel_trace_event_memory_per_node", 0),
            ("grpc.http2.bdp_probe", 0),
        )
        self._pems = pems
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server: Any = None
        self._arrived: deque[Call] = deque()
        self._woken = False
        self._streams = threading.BoundedSemaphore(_STREAMS)
        self._silent: dict[Any, float] = {}
        """Calls whose message is awaited, since when."""

    def start(self, door: Door) -> int:
        """As Server has it."""
        self._loop, self._door = asyncio.get_running_loop(), door
        # Its threads are made as calls need them: an idle server has none.
        self._pool = CallThreads(THREADS + _STREAMS)
        server = grpc.server(self._pool, self._handlers(), options=self._options, maximum_concurrent_rpcs=_OPEN)
        try:
            port = self._listen(server)
        except RuntimeError:  # older releases say 0 instead
            port = 0
        if not port:
            raise BadConfiguration("--grpc-port", f"{self._address} cannot be listened on; is it taken?")
        server.start()
        self._server = server
        self._timer = self._loop.call_later(1.0, self._cut_off)
        return int(port)

    async def stop(self, seconds: float) -> None:
        """As Server has it."""
        server, self._server = self._server, None
        if server is None:
            return
        self._timer.cancel()
        ended: threading.Event = server.stop(seconds)
        if not await asyncio.to_thread(ended.wait, seconds + _LAST_SECONDS):
            _LOG.warning("gRPC calls that were cut off have not ended and are left behind")
        self._pool.shutdown(wait=False)

    def _listen(self, server: Any) -> int:
        """The port; raises RuntimeError, or returns 0, where it cannot be listened on."""
        if self._pems is None:
            return int(server.add_insecure_port(self._address))
        return int(server.add_secure_port(self._address, _credentials(self._pems)))

    def _handlers(self) -> tuple[Any, ...]:
        handlers = {path: self._handler(path) for path in self._door.methods}
        for path, why in self._door.unspoken.items():
            handlers[path] = grpc.stream_stream_rpc_method_handler(partial(_unspoken, why))
        services: dict[str, dict[str, Any]] = {}
        for path, handler in handlers.items():
            service, name = path[1:].rsplit("/", 1)
            services.setdefault(service, {})[name] = handler
        return tuple(grpc.method_handlers_generic_handler(*each) for each in services.items())

    def _handler(self, method: str) -> Any:
        """On the wire a stream of one message is a message; taken as a stream, a caller's silence can be ended."""

        def one(messages: Iterator[bytes], context: Any) -> bytes:
            call = self._receive(method, messages, context)
            return next(call.words(self._hand_over), b"")  # nothing: the caller has left

        def many(messages: Iterator[bytes], context: Any) -> Iterator[bytes]:
            if not self._streams.acquire(blocking=False):
                context.abort(grpc.StatusCode.UNAVAILABLE, "too many such calls are open already")
            try:
                yield from self._receive(method, messages, context).words(self._hand_over)
            finally:
                self._streams.release()

        if method in self._door.streaming:
            return grpc.stream_stream_rpc_method_handler(many)
        return grpc.stream_unary_rpc_method_handler(one)

    # --- on the threads of calls

    def _receive(self, method: str, messages: Iterator[bytes], context: Any) -> ThreadedCall:
        self._silent[context] = time.monotonic()
        try:
            message = next(messages, None)
        finally:
            del self._silent[context]
        if message is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no message")
            raise AssertionError("a call that was aborted goes on")
        return ThreadedCall(method, message, context)

    def _hand_over(self, call: Call) -> None:
        self._arrived.append(call)
        # Two threads may both find it lowered: then the loop is woken once too often, never too seldom.
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._take)

    # --- on the event loop

    def _take(self) -> None:
        # Lowered first: a call that arrives during the loop below is either seen by it or wakes us again.
        self._woken = False
        arrived, open_ = self._arrived, self._door.open
        while arrived:
            open_(arrived.popleft())

    def _cut_off(self) -> None:
        late = time.monotonic() - _SILENT_SECONDS
        for context in list(self._silent):
            if self._silent.get(context, late) < late:
                context.cancel()
        self._timer = self._loop.call_later(1.0, self._cut_off)


def _unspoken(why: str, _: Iterator[bytes], context: Any) -> Iterator[bytes]:
    """Refuse at once: whoever opens a stream need not send anything into it."""
    context.abort(grpc.StatusCode.UNIMPLEMENTED, why)
    yield b""


def _credentials(newest: NewestPems) -> Any:
    """Credentials that follow the files; connections that stand keep what they were made with."""
    given = newest()

    def fetch() -> Any:
        """Asked by grpcio's own threads before each handshake; None means nothing has changed."""
        nonlocal given
        found = newest()
        if found is given:
            return None
        given = found
        return _configuration(found)

    return grpc.dynamic_ssl_server_credentials(_configuration(given), fetch, given.callers is not None)


def _configuration(pems: Pems) -> Any:
    return grpc.ssl_server_certificate_configuration([(pems.key, pems.chain)], pems.callers)
