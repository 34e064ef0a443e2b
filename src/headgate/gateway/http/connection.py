"""One caller's connection: bytes to requests, replies to bytes, in order, however the bytes come in pieces.

The event loop calls this for every read; what came in one of its turns is heard at the turn's end, one connection
after the other. httptools parses; what it was taught once is remembered: clients send the same head again and again,
so a head that was parsed before is looked up by its bytes and the body is cut from the same read. Anything else (a
body in pieces, chunks, pipelining, a new head) goes through the parser.
"""

import asyncio
from collections import deque
from typing import Final

import httptools

from headgate.gateway.http.certificate import common_name
from headgate.gateway.http.exchange import WATCHED, Exchange, Head
from headgate.gateway.http.heads import ENCODING, EXPECT, HOST, LENGTH, LENGTHS, METHODS, length_of, odd_head, unwished
from headgate.gateway.http.replies import CONTINUE
from headgate.gateway.http.wire import Handle, Refused, Wire

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line and headers."""
PIPELINE_LIMIT: Final = 256
"""Requests one connection may have unanswered before it is read no further."""
HEARD_AT_ONCE: Final = 64 * 1024
"""Bytes of one read that do not wait for the turn's end, so that a caller told to wait has sent little more by then."""
_LINGER_LIMIT: Final = 64 * 1024 * 1024
"""Bytes still taken, and thrown away, from a caller whose request was refused before all of it came."""
_LONGEST_HEAD_KEPT: Final = 1024
_PIECES: Final = 1024
"""Pieces of a body that are kept apart: one that comes two bytes at a time would weigh twenty times as much."""


class Connection(asyncio.Protocol):
    """The protocol of one connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Exchange] = deque()
        self._closing = False
        """No request is read after this: the last reply closes."""
        self._choked = False
        """The caller does not read its replies."""
        self._held = False
        """The transport was told to read no further."""
        self._kept: deque[tuple[Exchange, Handle]] = deque()
        """Requests of what had been read by then: they wait for their replies, and nobody was asked for them yet."""
        self._resumes = False
        """A turn is to come in which what was kept is handed on."""
        self._unread = 0
        """Bytes of replies still to be sent at the last sweep; 0 where the caller has read since."""
        self._linger = 0
        """Bytes that may still come after a refusal; 0 where nothing was refused."""
        self._owed = 0
        """Bytes of the bodies that were handed on since every request was answered."""
        self._seen = -1
        self.certificate = ""
        """The common name in the caller's client certificate, which the handshake has verified; "" without one."""
        self.requests = 0
        """Whole requests read so far."""
        self._begin()

    def _begin(self) -> None:
        self._partial = False
        self._head_bytes = 0
        self._in_head = True
        self._target = b""
        self._body: list[bytes] = []
        self._joined = 0
        """How many of its first pieces are several that were put together."""
        self._size = 0
        self._length: int | None = None
        self._chunked = False
        self._expects = False
        self._hosts = 0
        self._silent = 0
        """Bytes of the head, or bytes after it, of which the parser told nothing."""
        self._looked_at = False
        """Whether the wire was asked to turn this request away before its body came."""
        self._headers: dict[bytes, bytes] = {}

    # --- the event loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; the wire knows the connection from here on."""
        self._transport = transport  # type: ignore[assignment] # servers get nothing but asyncio.Transport
        certificate = transport.get_extra_info("peercert")
        if certificate:
            self.certificate = common_name(certificate)
        if not self._wire.makes_room():
            self._closing = True
            exchange = Exchange(self, Head(b"", b"", keep_alive=False), b"")
            self._waiting.append(exchange)
            self._wire.refuse(exchange, Refused(503, "overloaded", "too many connections are open; come back later"))
            return
        self._wire.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it; replies still to come fall on the floor."""
        self._wire.connections.discard(self)
        self._transport = None
        self._waiting.clear()
        self._kept.clear()

    def data_received(self, data: bytes) -> None:
        """Keep what came for `hear`.

        Between two reads the kernel works, and leaves the caches as it likes: what is done between them takes longer
        than the same done for one connection after the other once all reads of a turn are made.
        """
        wire = self._wire
        if not wire.came:
            wire.soon(wire.turn)
        wire.came.append((self, data))
        if len(data) >= HEARD_AT_ONCE:
            wire.hear()

    def hear(self, data: bytes) -> None:
        """Read on: a known head with its whole body at once, everything else through the parser."""
        if self._transport is None:
            return  # whoever asked has left
        if self._closing:
            if self._kept:
                self._hand_on()
            self._throw_away(len(data))
            return
        if not self._partial:
            end = data.find(b"\r\n\r\n") + 4
            wire = self._wire
            known = wire.heads.get(data[:end])
            if known is not None and len(data) == end + known[0].length:
                head, handle = known
                if wire.room.waiting >= wire.room.limit:
                    wire.relieve()
                    if not self._waiting and (refusal := wire.no_room(head)) is not None:
                        # Heads that are remembered keep their connection open, so this reply is all there is to do.
                        self.requests += 1
                        self._transport.write(refusal)
                        return
                self._accept(Exchange(self, head, data[end:]), handle or wire.handle)
                return
            before = self.requests
            self._parse(data)
            if self.requests == before + 1 and not self._partial:
                self._learn(data, end)
            return
        self._parse(data)

    def eof_received(self) -> bool:
        """The caller sends no more; what it asked is still answered, half a request is refused."""
        self._wire.hear()
        if self._partial and not self._closing:
            self._refuse(Refused(400, "truncated", "the connection ended before the request did; send all of it"))
        self._closing, self._linger = True, 0
        return bool(self._waiting)

    def pause_writing(self) -> None:
        """The caller does not read its replies, so nothing more is read from it."""
        self._choked = True
        self._hold()

    def resume_writing(self) -> None:
        """The caller reads again."""
        self._choked = False
        self._unread = 0
        self._hold()

    # --- the parser's side

    def on_message_begin(self) -> None:
        """A request begins."""
        self._begin()
        self._partial = True

    def on_url(self, url: bytes) -> None:
        """Part of the target."""
        self._target += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; few of them mean anything here, and none behind a body in chunks: what follows comes unasked."""
        self._count(len(name) + len(value) + 4)
        if len(name) not in LENGTHS or not self._in_head:
            return
        name = name.lower()
        if name == LENGTH:
            self._length = length_of(value)
        elif name == ENCODING:
            # The parser takes codings before the last one and several headers; whoever stands before us may not.
            if self._chunked or value.strip().lower() != b"chunked":
                self._refuse(
                    Refused(501, "encoding", "a body comes with a length or, once, in chunks; in no other way")
                )
            self._chunked = True
        elif name == EXPECT:
            self._expects = True
        elif name == HOST:
            self._hosts += 1
        elif name in WATCHED:
            before = self._headers.get(name)
            self._headers[name] = value if before is None else b"%b, %b" % (before, value)

    def on_headers_complete(self) -> None:
        """Refuse what can be refused before its body is read; tell a patient caller to go on."""
        self._in_head = False
        parser = self._parser
        method = parser.get_method()
        if method in METHODS and parser.should_upgrade():
            return  # `_parse` tells its head again
        if self._length is not None and self._length > self._wire.body_limit:
            self._refuse(self._too_large())
        elif method == b"POST" and self._length is None and not self._chunked:
            self._refuse(Refused(411, "length", "a POST needs a Content-Length or chunks"))
        elif method not in METHODS:
            self._refuse(Refused(405, "method", "only GET, HEAD and POST are answered here"))
        elif wrong := odd_head(parser.get_http_version(), chunked=self._chunked, hosts=self._hosts):
            self._refuse(Refused(400, "http", wrong))
        elif self._expects and self._turned_away():
            return  # instead of the word to go on
        elif self._expects and not self._waiting and self._transport is not None:
            self._expects = False
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._size += len(body)
        if self._size > self._wire.body_limit:
            self._refuse(self._too_large())
        if self._closing:
            return
        pieces, joined = self._body, self._joined
        pieces.append(body)
        if len(pieces) - joined >= _PIECES:
            pieces[joined:] = [b"".join(pieces[joined:])]
            self._joined += 1

    def on_message_complete(self) -> None:
        """A whole request: hand it on."""
        parser = self._parser
        if self._closing or parser.should_upgrade():
            return
        self._partial = False
        keep_alive = parser.should_keep_alive()
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        head = Head(parser.get_method(), self._target, self._length or 0, keep_alive, self._headers)
        self._closing = not keep_alive  # first, because a reply may come at once and the last one closes
        self._accept(Exchange(self, head, body), self._wire.handle)

    # --- our side

    def answered(self) -> None:
        """An exchange has its reply: write every reply whose turn has come.

        Nothing is gathered here: uvloop sends what was written in one turn of its loop together when the turn ends.
        """
        waiting, transport = self._waiting, self._transport
        if transport is None:
            return
        while waiting and (answer := waiting[0].answer) is not None:
            waiting.popleft()
            transport.write(answer)
        if not waiting:
            self._owed = 0
            if self._closing and self._linger:
                if transport.can_write_eof():  # TLS cannot; its caller finds the whole reply all the same
                    transport.write_eof()
            elif self._closing:
                transport.close()
            elif self._expects and self._partial and not self._in_head:
                self._expects = False
                transport.write(CONTINUE)
        if self._held:
            self._hold()

    @property
    def idle(self) -> bool:
        """Whether nothing is owed to its caller and nothing began lately."""
        return not self._waiting and (not self._partial or self._seen == self.requests)

    def sweep(self) -> None:
        """Called at long, even intervals: end the connection if nothing came of it since the last call.

        A request that is still not whole after a whole interval is refused with 408; slow drips do not help it. Nor is
        a caller waited for that has read nothing of its replies in a whole interval.
        """
        self._wire.hear()
        if self._reads_nothing():
            self.abort()
        elif self._seen == self.requests and not self._waiting:
            if self._partial and not self._closing:
                self._refuse(Refused(408, "slow", "the request did not arrive in time"))
            elif self._transport is not None:
                self._transport.close()
        self._seen = self.requests

    def finish(self) -> None:
        """Answer what was asked and close."""
        self._wire.hear()
        self._closing = True
        if not self._waiting and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close without another word."""
        if self._transport is not None:
            self._transport.abort()

    def _reads_nothing(self) -> bool:
        """Whether as many bytes as at the last sweep, or more, are still to be sent, and the caller ought to read."""
        transport, before = self._transport, self._unread
        if transport is None or not (self._choked or transport.is_closing()):
            return False
        self._unread = transport.get_write_buffer_size()
        return 0 < before <= self._unread

    def _accept(self, exchange: Exchange, handle: Handle) -> None:
        self.requests += 1
        self._waiting.append(exchange)
        if self._held:
            self._kept.append((exchange, handle))
            return
        self._owed += len(exchange.body)
        if len(self._waiting) >= PIPELINE_LIMIT or self._owed > self._wire.body_limit:
            self._hold()
        handle(exchange)

    def _hand_on(self) -> None:
        """Hand on what was kept, in the order in which it came, until the caller is to be held again."""
        self._resumes = True  # which replies that come at once need not ask for
        while self._kept and not self._has_enough():
            exchange, handle = self._kept.popleft()
            self._owed += len(exchange.body)
            handle(exchange)
        self._resumes = False
        self._hold()

    def _parse(self, data: bytes) -> None:
        if self._kept:
            self._hand_on()
        requests, size = self.requests, self._size
        while data and not self._closing:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._head_again() + data[upgrade.args[0] :]
                continue
            except httptools.HttpParserCallbackError:
                raise  # a fault of ours, and no reply would ever be due: the wire gives the connection up
            except httptools.HttpParserError:
                self._refuse(Refused(400, "http", "these bytes are not an HTTP/1.1 request"))
            break
        if self._partial and not self._closing:
            # Where an earlier request ended in the same bytes, nobody knows how many of them are this one's.
            self._bound(len(data) if self.requests == requests else 0, told=self._size != size)

    def _bound(self, size: int, *, told: bool) -> None:
        """Of a request not yet whole, `size` bytes came: bound what the parser does not tell of before it ends.

        It tells of whole headers only, also of those behind the body, and of a chunk's extension never.
        """
        self._silent = 0 if told and not self._in_head else self._silent + size
        if self._silent > HEAD_LIMIT:
            self._refuse(self._long_head())
        elif not self._in_head:
            self._turned_away()

    def _turned_away(self) -> bool:
        """Whether the head just read is refused before its body has come; asked once for each request.

        Where the whole request came at once nobody asks: there is no body left to save, and the connection stays.
        """
        if self._looked_at or self._closing:
            return self._closing
        self._looked_at = True
        head = Head(self._parser.get_method(), self._target, self._length or 0, False, self._headers)
        exchange = Exchange(self, head, b"")
        self._closing, self._linger = True, _LINGER_LIMIT  # first, because the reply comes at once
        self._waiting.append(exchange)
        if not self._wire.turn_away(exchange):
            self._waiting.pop()
            self._closing, self._linger = False, 0
        return self._closing

    def _head_again(self) -> bytes:
        """The head just read without its wish for another protocol, and a new parser to be told it."""
        parser, self._parser = self._parser, httptools.HttpRequestParser(self)
        length, chunked, expects = self._length, self._chunked, self._expects
        return unwished(parser, self._target, self._headers, length=length, chunked=chunked, expects=expects)

    def _learn(self, data: bytes, end: int) -> None:
        """Remember a head that came with its whole body in one read and asked for nothing unusual."""
        plain = not (self._chunked or self._expects or self._closing)
        length = self._length or 0
        if plain and 4 <= end <= _LONGEST_HEAD_KEPT and len(data) == end + length:
            self._wire.learn(data[:end], Head(self._parser.get_method(), self._target, length, headers=self._headers))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_LIMIT:
            self._refuse(self._long_head())

    def _long_head(self) -> Refused:
        return Refused(431, "size", f"request line and headers may have {HEAD_LIMIT} bytes")

    def _too_large(self) -> Refused:
        return Refused(413, "size", f"a body may have {self._wire.body_limit} bytes; send fewer rows at a time")

    def _refuse(self, reason: Refused) -> None:
        if self._closing:
            return
        # Closed while bytes are on their way, the connection is reset and the reply with it (RFC 9112, section 9.6).
        self._closing, self._linger = True, _LINGER_LIMIT
        exchange = Exchange(self, Head(b"", self._target, keep_alive=False), b"")
        self._waiting.append(exchange)
        self._wire.refuse(exchange, reason)

    def _throw_away(self, size: int) -> None:
        """Read on without listening, so that a caller who was refused can finish and find its reply."""
        self._linger = max(0, self._linger - size)
        if not self._linger and not self._waiting and self._transport is not None:
            self._transport.close()

    def _has_enough(self) -> bool:
        """Whether the caller leaves its replies unread or has too much unanswered."""
        asked = len(self._waiting) - len(self._kept)
        return self._choked or asked >= PIPELINE_LIMIT or self._owed > self._wire.body_limit

    def _hold(self) -> None:
        """Read no further while the caller has enough; what is kept is handed on in a turn after that."""
        if self._transport is None:
            return
        if self._kept and self._waiting[0] is self._kept[0][0]:
            self._owed = 0  # all that was handed on is answered
        enough = self._has_enough()
        if self._kept and not enough and not self._resumes:
            self._resumes = True
            self.data_received(b"")
        hold = enough or bool(self._kept)
        if self._held == hold:
            return
        self._held = hold
        if hold:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
