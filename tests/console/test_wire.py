"""The control port on a real socket: what may be read in two ways, what never ends, who never comes to the point."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from tests.console.test_api import SECRET, Scripted
from tests.gateway.test_smuggling import statuses

from headgate.access.identity import Identity
from headgate.clock import SystemClock
from headgate.console import wire
from headgate.console.api import control_api
from headgate.console.bodies import BODY_LIMIT
from headgate.console.guard import Guard
from headgate.console.wire import HEAD_LIMIT, BoundedProtocol
from headgate.testing.memory import MemoryKeys

BODY = b'{"to": "2013-03-01T00:00:00Z"}'
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
GET = b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /v1/replay/advance HTTP/1.1", b"Host: t", *headers, b"", b""]) + body


@pytest.fixture(scope="module")
def control() -> Scripted:
    return Scripted()


@pytest.fixture(scope="module")
def port(control: Scripted) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listener:
        patch.setattr(wire, "REQUEST_SECONDS", 0.5)
        guard = Guard(Identity(MemoryKeys(), SECRET, SystemClock()))
        config = uvicorn.Config(control_api(control, guard), log_level="critical", http=BoundedProtocol, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(20)


def said(port: int, raw: bytes, *, half_closed: bool = True) -> bytes:
    """All that is said to `raw` until the other side closes."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        with contextlib.suppress(OSError):  # it may have refused and closed already
            line.sendall(raw)
            if half_closed:
                line.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # closed while more came: what was said came before
            while part := line.recv(65536):
                found += part
    return found


READ_TWO_WAYS = {
    "length and chunks": post(LENGTH, CHUNKED, body=CHUNKS),
    "two different lengths": post(LENGTH, b"Content-Length: 0", body=BODY),
    "twice the same length": post(LENGTH, LENGTH, body=BODY),
    "no carriage returns": post(LENGTH, body=BODY).replace(b"\r\n", b"\n"),
    "a carriage return alone": post(b"X: a\rTransfer-Encoding: chunked", LENGTH, body=BODY),
    "a folded header": post(b"X: a\r\n folded", LENGTH, body=BODY),
    "space before the colon": post(b"Content-Length : %d" % len(BODY), body=BODY),
    "an unknown coding": post(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "chunks of chunks": post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS),
    "compressed chunks": post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "no coding": post(b"Transfer-Encoding: identity", LENGTH, body=BODY),
    "chunks in HTTP/1.0": post(CHUNKED, body=CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "two hosts": post(b"Host: other", LENGTH, body=BODY),
    "a negative length": post(b"Content-Length: -5", body=BODY),
    "a length with a sign": post(b"Content-Length: +5", body=BODY),
    "a length in hexadecimal": post(b"Content-Length: 0x5", body=BODY),
    "a length beyond 64 bits": post(b"Content-Length: %d" % 2**70, body=BODY),
    "a chunk with a sign": post(CHUNKED, body=b"+5\r\nhello\r\n0\r\n\r\n"),
    "NUL in a value": post(b"X: a\0b", LENGTH, body=BODY),
    "a length behind the body": post(CHUNKED, body=CHUNKS[:-2] + b"Content-Length: 9\r\n\r\n"),
}


@pytest.mark.parametrize("name", READ_TWO_WAYS)
def test_what_may_be_read_in_two_ways_is_refused_once_and_does_nothing(name: str, port: int, control: Scripted) -> None:
    control.asked.clear()
    answer = said(port, READ_TWO_WAYS[name] + GET)
    assert statuses(answer) == [400]
    assert list(json.loads(answer.partition(b"\r\n\r\n")[2])) == ["error"]
    assert control.asked == []


def test_a_request_hidden_in_a_body_stays_a_body(port: int, control: Scripted) -> None:
    control.asked.clear()
    inner = post(LENGTH, body=BODY)
    outer = post(b"Content-Length: %d" % len(inner), body=inner)
    assert statuses(said(port, outer + LAST, half_closed=False)) == [422, 200]
    assert control.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /" + b"a" * 8 * HEAD_LIMIT,
        b"GET /livez HTTP/1.1\r\nX: " + b"a" * 8 * HEAD_LIMIT,
        b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 2 * HEAD_LIMIT,
        post(CHUNKED, body=b"1;" + b"a" * 8 * HEAD_LIMIT),
    ],
    ids=["target", "header", "headers", "extension"],
)
def test_what_never_ends_is_refused(raw: bytes, port: int) -> None:
    assert statuses(said(port, raw, half_closed=False)) in ([400], []), "a reset may overtake the refusal"
    assert statuses(said(port, LAST, half_closed=False)) == [200]


def test_a_body_has_a_limit_however_it_comes(port: int) -> None:
    large = b"x" * (BODY_LIMIT + 1)
    for raw in (
        post(b"Content-Length: %d" % len(large), b"Connection: close", body=large),
        post(CHUNKED, b"Connection: close", body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(large), large)),
    ):
        assert statuses(said(port, raw, half_closed=False)) == [422]


@pytest.mark.parametrize("begun", [b"", b"GET /livez HTTP/1.1\r\nX:", post(LENGTH, body=BODY[:5]), b"\r\n"])
def test_who_never_comes_to_the_point_is_let_go(begun: bytes, port: int) -> None:
    began = time.monotonic()
    assert statuses(said(port, begun, half_closed=False)) in ([], [400])
    assert time.monotonic() - began < 5


def drip(line: socket.socket) -> None:
    """Send a header a byte at a time, for up to eight seconds."""
    line.sendall(b"GET /livez HTTP/1.1\r\nX:")
    for _ in range(160):
        line.sendall(b"a")
        time.sleep(0.05)


def test_drips_do_not_help(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as line, pytest.raises(OSError, match=r"."):
        drip(line)
    with socket.create_connection(("127.0.0.1", port), 10) as busy:
        for _ in range(12):  # one that asks is kept
            busy.sendall(GET)
            answer = b""
            while not answer.endswith(b'{"live":true}'):
                answer += busy.recv(65536)
            assert statuses(answer) == [200]
            time.sleep(0.1)


def test_a_slow_reply_is_waited_for(port: int, control: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> dict[str, dict[str, int]]:
        time.sleep(1.5)
        return {}

    monkeypatch.setattr(control, "advance", slow)
    assert statuses(said(port, post(LENGTH, b"Connection: close", body=BODY), half_closed=False)) == [200]
