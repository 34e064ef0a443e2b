"""Replies as bytes: a status line, the two headers every door owes, and a body of known length."""

import asyncio
from http import HTTPStatus
from random import getrandbits
from typing import Final

from headgate.gateway.http.coding import WORTH_BYTES, coding_wanted, encoded
from headgate.gateway.http.exchange import ACCEPT_ENCODING, Exchange

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
NOBODY: Final = b"none"
"""``Headgate-Version`` of a reply no version had a part in."""
JSON: Final = b"application/json"
_CODED_HERE: Final = 256 * 1024
"""Bytes of a body that is compressed on the event loop; larger ones would hold it for milliseconds."""

_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_HEAD: Final = (
    b"%bContent-Type: %b\r\nHeadgate-Request-Id: %b\r\nHeadgate-Version: %b\r\n%bContent-Length: %d\r\n\r\n%b"
)


def send(
    exchange: Exchange,
    status: int,
    body: bytes,
    *,
    request_id: bytes = b"",
    version: bytes = NOBODY,
    extra: bytes = b"",
    content_type: bytes = JSON,
) -> None:
    """Answer `exchange`. `extra` are further header lines, each with its line end."""
    head = exchange.head
    line, id_ = _STATUS_LINES[status], request_id or new_request_id()
    if len(body) < WORTH_BYTES and head.keep_alive and head.method != b"HEAD":  # nearly all of them
        exchange.reply(_HEAD % (line, content_type, id_, version, extra, len(body), body))
        return
    if not head.keep_alive:
        extra += b"Connection: close\r\n"
    if len(body) >= WORTH_BYTES and ACCEPT_ENCODING in head.headers and (coding := coding_wanted(head)):
        extra += b"Content-Encoding: %b\r\nVary: Accept-Encoding\r\n" % coding
        parts = (line, content_type, id_, version, extra)
        if len(body) <= _CODED_HERE:
            _write(exchange, parts, encoded(body, coding))
        else:
            coded = asyncio.get_running_loop().run_in_executor(None, encoded, body, coding)
            coded.add_done_callback(lambda done: _write(exchange, parts, done.result()))
    else:
        _write(exchange, (line, content_type, id_, version, extra), body)


class Prepared:
    """A short reply that is always the same but for the request's name, made into bytes beforehand."""

    __slots__ = ("_begin", "_end")

    def __init__(self, status: int, body: bytes, *, version: bytes, extra: bytes = b"") -> None:
        whole = _HEAD % (_STATUS_LINES[status], JSON, b"\0", version, extra, len(body), body)
        self._begin, _, self._end = whole.partition(b"\0")

    def message(self) -> bytes:
        """The whole reply to one more request, on a connection that stays open."""
        return b"%b%032x%b" % (self._begin, getrandbits(128), self._end)


def _write(exchange: Exchange, parts: tuple[bytes, ...], body: bytes) -> None:
    shown = b"" if exchange.head.method == b"HEAD" else body
    # Joined, for a body of megabytes is copied once that way.
    exchange.reply(b"".join((_HEAD % (*parts, len(body), b""), shown)))


def new_request_id() -> bytes:
    """A name for a request that brought none and asked no row."""
    return b"%032x" % getrandbits(128)


def header_text(text: str) -> bytes:
    """`text` as a header may carry it: printable ASCII, the rest as question marks, at most 200 characters."""
    return "".join(each if " " <= each <= "~" else "?" for each in text[:200]).encode()
