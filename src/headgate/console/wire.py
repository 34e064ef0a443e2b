"""One connection of the control port: uvicorn's, with bounds on what comes before a request can be answered.

uvicorn leaves heads, and the time they take, to a proxy in front; an operator's port often has none. Used by whoever
serves `control_api`.
"""

import asyncio
import json
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line and headers, and of what follows a body in chunks."""
REQUEST_SECONDS: Final = 30.0
"""A connection that brings no whole request for one to two of these, and waits for no reply, is closed."""
CONNECTIONS: Final = 256
"""Connections with which requests are still answered; with more they get 503."""

_REFUSAL: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol that refuses heads without end and hangs up on callers who take for ever."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._untold = 0
        """Bytes since the parser last told of a whole head or of part of a body."""
        self._told = False
        self._requests = 0
        self._seen = -1
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin, and look after it."""
        super().connection_made(transport)
        self._watch = self.loop.call_later(REQUEST_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look after it no more."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as something comes of it."""
        self._told = False
        super().data_received(data)
        self._untold = 0 if self._told else self._untold + len(data)
        if self._untold > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response(f"request line and headers may have {HEAD_LIMIT} bytes")

    def on_headers_complete(self) -> None:
        """A head is whole; one that a server in front of us may read otherwise is none."""
        self._told = True
        found = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (found and (found != [b"chunked"] or self.parser.get_http_version() == "1.0")):
            raise ValueError("this head may be read in two ways")  # to the parser, which makes a 400 of it
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Part of a body."""
        self._told = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._told = True
        self._requests += 1
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are no request in the words of this API, and close."""
        body = json.dumps({"error": {"message": msg}}).encode()
        self.transport.write(_REFUSAL % len(body) + body)
        self.transport.close()

    def _look(self) -> None:
        cycle = self.cycle
        answering = cycle is not None and not cycle.response_complete and not cycle.more_body
        if self._seen == self._requests and not answering:
            self.transport.close()
            return
        self._seen = self._requests
        self._watch = self.loop.call_later(REQUEST_SECONDS, self._look)
