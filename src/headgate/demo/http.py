"""The smallest HTTP client that keeps a gateway busy: one outstanding request per connection.

Called by the replay driver. httptools parses the replies, so that the driver costs less than what it drives.
"""

import asyncio
from collections.abc import Sequence

import httptools

from headgate.errors import Unavailable


class _Connection(asyncio.Protocol):
    """One kept-alive connection; `ask` may be awaited once at a time."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._parts: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type; TCP gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        status, body = self._parser.get_status_code(), b"".join(self._parts)
        self._parser = httptools.HttpResponseParser(self)
        self._parts.clear()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result((status, body))

    def connection_lost(self, _error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Unavailable("the gateway closed the connection before it answered"))

    @property
    def is_open(self) -> bool:
        """Whether the server has not closed it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        if self._transport is None or self._transport.is_closing():
            raise Unavailable("the connection to the gateway is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class HttpPool:
    """A fixed number of connections to one address, used by as many tasks; a context that may be entered again."""

    def __init__(self, host: str, port: int, size: int) -> None:
        self._host, self._port, self._size = host, port, size
        self._connections: list[_Connection] = []

    async def __aenter__(self) -> "HttpPool":
        for _ in range(self._size):
            self._connections.append(await self._connected())
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._connections:
            each.close()
        self._connections.clear()

    async def post_all(self, path: str, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """(status, body) of one POST per body, in order; as many at once as there are connections.

        Raises Unavailable when a connection breaks.
        """
        replies: list[tuple[int, bytes]] = [(0, b"")] * len(bodies)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\nContent-Length: ".encode()
        )
        turn = iter(range(len(bodies)))

        async def serve(place: int) -> None:
            # A server closes what was idle for a minute, as it is while a model learns within a step of the clock.
            if not self._connections[place].is_open:
                self._connections[place] = await self._connected()
            for index in turn:
                body = bodies[index]
                replies[index] = await self._connections[place].ask(b"%s%d\r\n\r\n%s" % (head, len(body), body))

        await asyncio.gather(*(serve(place) for place in range(min(len(bodies), len(self._connections)))))
        return replies

    async def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        return connection

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """(status, body) of one POST."""
        return (await self.post_all(path, [body]))[0]


def error_text(body: bytes) -> str:
    """What a refusal says, clipped to a line."""
    return body[:300].decode("utf-8", "replace")
