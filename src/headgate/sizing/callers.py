"""Callers that keep a gateway of this machine busy: each asks, waits for its answer, and asks again.

Called by the app's sizing. One thread over plain sockets, because what asks must cost less than what answers.
"""

import re
import select
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from headgate.errors import Unavailable

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_ERROR: Final = b'"error":'
_WHY: Final = 300


@dataclass(slots=True)
class Answered:
    """What a number of callers were answered."""

    latencies_s: list[float] = field(default_factory=list)
    """Of requests that were answered whole."""
    failed: int = 0
    why: str = ""
    """What the first failed one was told."""
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        """Requests that came back, answered or not."""
        return len(self.latencies_s) + self.failed


def request(path: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """The bytes of a POST.

    >>> request("/v1", b"{}").splitlines()[0]
    b'POST /v1 HTTP/1.1'
    """
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(port: int, requests: Sequence[bytes], *, callers: int, seconds: float, patience: float) -> Answered:
    """Have so many callers ask for so long, each at least once, going round through `requests`.

    After `seconds` nobody asks again; answers under way are waited for. Raises Unavailable when no answer comes for
    `patience` seconds, or when nobody listens.
    """
    found = Answered()
    with ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        lines: dict[int, _Line] = {}
        for place in range(callers):
            line = _Line(stack.enter_context(_connected(port)), place)
            lines[line.socket.fileno()] = line
            poll.register(line.socket, select.EPOLLIN)
        began = time.perf_counter()
        for line in lines.values():
            line.send(requests)
        waiting = len(lines)
        while waiting:
            ready = poll.poll(patience)
            if not ready:
                raise Unavailable(f"the gateway gave no answer within {patience:g} s")
            for descriptor, _ in ready:
                line = lines[descriptor]
                if not line.receive(found):
                    continue
                if time.perf_counter() - began < seconds:
                    line.send(requests)
                else:
                    waiting -= 1
        found.seconds = time.perf_counter() - began
    return found


class _Line:
    """One caller and its connection."""

    __slots__ = ("_at", "_buffer", "_whole", "asked", "socket")

    def __init__(self, connection: socket.socket, start: int) -> None:
        self.socket = connection
        self.asked = 0.0
        self._at = start
        self._buffer = b""
        self._whole = 0

    def send(self, requests: Sequence[bytes]) -> None:
        """Ask the next question."""
        self.asked = time.perf_counter()
        self.socket.sendall(requests[self._at % len(requests)])
        self._at += 1

    def receive(self, found: Answered) -> bool:
        """Take in what came, and note the answer in `found` once it is whole; whether it is."""
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise Unavailable("the gateway hung up; did it die?")
        self._buffer += chunk
        if not self._whole:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            length = _LENGTH.search(self._buffer, 0, end + 2)
            self._whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < self._whole:
            return False
        took = time.perf_counter() - self.asked
        if self._buffer.startswith(b"HTTP/1.1 200") and _ERROR not in self._buffer:
            found.latencies_s.append(took)
        else:
            found.failed += 1
            found.why = found.why or self._buffer[self._buffer.find(b"\r\n\r\n") + 4 :][:_WHY].decode(errors="replace")
        self._buffer, self._whole = b"", 0
        return True


def _connected(port: int) -> socket.socket:
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=10.0)
    except OSError as error:
        raise Unavailable(f"the gateway cannot be reached: {error}") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
