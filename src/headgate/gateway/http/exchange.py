"""One request and the reply it waits for; what the doors and the wire know of each other."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headgate.gateway.http.connection import Connection


class Exchange:
    """A complete request on a connection. A door calls `reply` once, now or later, from the event loop."""

    __slots__ = ("_connection", "answer", "body", "expects_json_length", "head_only", "keep_alive", "method", "target")

    def __init__(self, connection: "Connection", method: bytes, target: bytes, body: bytes, keep_alive: bool) -> None:
        self._connection = connection
        self.method = method
        self.target = target
        """As it came: path and query, percent-encoded."""
        self.body = body
        self.keep_alive = keep_alive
        self.head_only = method == b"HEAD"
        self.expects_json_length: int | None = None
        """``Inference-Header-Content-Length``: bytes of JSON before binary tensors."""
        self.answer: bytes | None = None

    def reply(self, message: bytes) -> None:
        """Send `message`, a whole HTTP reply, as soon as every earlier request of this connection is answered."""
        if self.answer is None:
            self.answer = message
            self._connection.answered()
