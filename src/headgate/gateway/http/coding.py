"""Content codings: gzip and deflate of bodies that come and replies that go (RFC 9110, section 8.4).

The router has a compressed body opened before any door sees it, off the event loop, because a few kilobytes may
unfold to the largest body there is. "deflate" is the zlib format (RFC 1950), as the RFC says and clients send.
"""

import zlib
from typing import Final

from headgate.errors import BodyRefused
from headgate.gateway.http.exchange import ACCEPT_ENCODING, CONTENT_ENCODING, Head

WORTH_BYTES: Final = 1400
"""Replies below this go as they are: they fit one packet either way."""
_WINDOWS: Final = {b"gzip": 16 + zlib.MAX_WBITS, b"x-gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
_PLAIN: Final = (b"", b"identity")
_FASTEST: Final = 1


def is_coded(head: Head) -> bool:
    """Whether the body of a request is compressed, or claims to be in a way nobody knows."""
    return head.headers.get(CONTENT_ENCODING, b"").strip().lower() not in _PLAIN


def decoded(head: Head, body: bytes, limit: int) -> bytes:
    """The body as it was before its coding, at most `limit` bytes of it.

    Raises BodyRefused: rule ``encoding`` for a coding that is not gzip or deflate or bytes that are not in it,
    ``size`` for a body that unfolds beyond the limit.
    """
    window = _WINDOWS.get(head.headers.get(CONTENT_ENCODING, b"").strip().lower())
    if window is None:
        raise BodyRefused("body", "encoding", "has a Content-Encoding that is neither gzip nor deflate")
    stream = zlib.decompressobj(window)
    try:
        found = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise BodyRefused("body", "encoding", "is not what its Content-Encoding says") from error
    if len(found) > limit:
        raise BodyRefused("body", "size", f"may have {limit} bytes once unfolded; send fewer rows at a time")
    if not stream.eof or stream.unused_data:
        raise BodyRefused("body", "encoding", "is not what its Content-Encoding says")
    return found


def coding_wanted(head: Head) -> bytes:
    """The coding a caller takes replies in: ``gzip``, ``deflate`` or nothing.

    >>> coding_wanted(Head(b"GET", b"/", headers={ACCEPT_ENCODING: b"br, gzip;q=0.5, deflate;q=0"}))
    b'gzip'
    """
    for each in head.headers.get(ACCEPT_ENCODING, b"").lower().split(b","):
        name, _, rest = each.partition(b";")
        if name.strip() in (b"gzip", b"deflate") and rest.replace(b" ", b"") not in (b"q=0", b"q=0.0"):
            return name.strip()
    return b""


def encoded(body: bytes, coding: bytes) -> bytes:
    """`body` in `coding`, as quickly as may be.

    >>> zlib.decompress(encoded(b"rows", b"deflate"))
    b'rows'
    """
    stream = zlib.compressobj(_FASTEST, zlib.DEFLATED, _WINDOWS[coding])
    return stream.compress(body) + stream.flush()
