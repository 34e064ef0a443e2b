"""What stands between a client and a gateway and behaves as badly as a network can, by a list of tricks."""

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

MOST_SECONDS = 10.0
"""Longest anything here hangs."""


@dataclass
class Seen:
    """One request that came."""

    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Number of the connection it came on."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def reply(status: int, body: object = "", *headers: str) -> bytes:
    """A whole reply with a JSON body."""
    content = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", "Content-Type: application/json", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


Trick = Callable[["Weir", socket.socket, bytes], bool]
"""Does something with a request's bytes; whether the connection goes on."""


def passes(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Has the gateway answer."""
    caller.sendall(weir.ask(request))
    return True


def drops(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Ends the connection without a word."""
    return False


def drops_after_asking(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Has the gateway answer, and keeps the answer."""
    weir.ask(request)
    return False


def halves(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Has the gateway answer, and passes on half of it."""
    whole = weir.ask(request)
    caller.sendall(whole[: len(whole) - 20])
    return False


def hangs(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Says nothing until the caller leaves."""
    caller.settimeout(MOST_SECONDS)
    caller.recv(1)
    return False


def hangs_halfway(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Says half of the answer late, then nothing until the caller leaves."""
    whole = weir.ask(request)
    time.sleep(0.3)
    caller.sendall(whole[: len(whole) - 20])
    return hangs(weir, caller, request)


def drips(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Says a byte of the answer every so often, so that no single wait is long."""
    for each in weir.ask(request):
        caller.sendall(bytes([each]))
        time.sleep(0.05)
    return True


def says(status: int, body: object = "", *headers: str) -> Trick:
    """Answers in the gateway's stead."""

    def trick(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
        caller.sendall(reply(status, body, *headers))
        return True

    return trick


def babbles(weir: "Weir", caller: socket.socket, request: bytes) -> bool:
    """Answers with bytes that are no HTTP."""
    caller.sendall(b"SSH-2.0-Something\r\n")
    return False


@dataclass
class Weir:
    """Listens on a port of its own; plays its tricks in order, one per request, and passes what comes after."""

    port: int
    """The gateway's."""
    tricks: deque[Trick] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> "Weir":
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for each in list(self._open):
            with suppress(OSError):  # its caller may have left a moment ago
                each.shutdown(socket.SHUT_RDWR)
        for thread in [self._listener, *self._threads]:
            thread.join(MOST_SECONDS)
            assert not thread.is_alive()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def ask(self, request: bytes) -> bytes:
        """The gateway's whole answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=MOST_SECONDS) as gateway:
            gateway.sendall(request)
            return whole(gateway)

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:  # closed: the test is over
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(caller, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, caller: socket.socket, number: int) -> None:
        self._open.add(caller)
        with caller:
            try:
                while (request := whole(caller)) and self._play(caller, request, number):
                    pass
            except OSError:  # the caller left in the middle, which some tricks make it do
                pass
            self._open.discard(caller)

    def _play(self, caller: socket.socket, request: bytes, number: int) -> bool:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.seen.append(Seen(first.split()[1], headers, body, number))
        trick = self.tricks.popleft() if self.tricks else passes
        return trick(self, caller, request)


def whole(sock: socket.socket) -> bytes:
    """One message with its body; nothing when the other side ends instead."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
    while len(body) < length:
        if not (more := sock.recv(65536)):
            return b""
        body += more
    return head + b"\r\n\r\n" + body
