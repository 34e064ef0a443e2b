"""What a request's head may say: the headers the connection looks at, what is wrong with it, how it is told again."""

from collections.abc import Mapping
from typing import Final

from httptools import HttpRequestParser

from headgate.gateway.http.exchange import WATCHED

METHODS: Final = frozenset({b"GET", b"HEAD", b"POST"})
LENGTH: Final = b"content-length"
ENCODING: Final = b"transfer-encoding"
EXPECT: Final = b"expect"
HOST: Final = b"host"
LENGTHS: Final = frozenset(map(len, (LENGTH, ENCODING, EXPECT, HOST, *WATCHED)))
"""How long the names of headers are that mean anything: most others are passed over by their length."""


def length_of(value: bytes) -> int:
    """A ``Content-Length`` of which the parser has refused everything but digits, and any number of zeros before them.

    >>> length_of(b"0" * 5000 + b"17 ")
    17
    """
    return int(value.strip().lstrip(b"0") or b"0")


def odd_head(version: str, *, chunked: bool, hosts: int) -> str | None:
    """Why a head the parser takes may be read in two ways all the same; None where it may not."""
    if version not in ("1.0", "1.1"):
        return "only HTTP/1.1 and HTTP/1.0 are spoken here"
    if chunked and version == "1.0":
        return "HTTP/1.0 knows no chunks; send a Content-Length"
    return "a request has one Host" if hosts > 1 else None


def unwished(
    parser: HttpRequestParser,
    target: bytes,
    headers: Mapping[bytes, bytes],
    *,
    length: int | None,
    chunked: bool,
    expects: bool,
) -> bytes:
    """The head `parser` has just read, less its wish for another protocol, which a server may ignore (RFC 9110, 7.8).

    Java's client wishes for HTTP/2 with every first request. The parser takes what follows such a head for the
    other protocol, so a new one must be told.
    """
    lines = [b"%b %b HTTP/%b" % (parser.get_method(), target, parser.get_http_version().encode())]
    lines += [] if length is None else [b"Content-Length: %d" % length]
    lines += [b"Transfer-Encoding: chunked"] if chunked else []
    lines += [b"Expect: 100-continue"] if expects else []
    lines += [] if parser.should_keep_alive() else [b"Connection: close"]
    lines += [b"%b: %b" % each for each in headers.items()]
    return b"\r\n".join([*lines, b"", b""])
