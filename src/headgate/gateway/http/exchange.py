"""One request and the reply it waits for; what the doors and the wire know of each other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from headgate.gateway.http.connection import Connection


@dataclass(frozen=True, slots=True)
class Head:
    """What a request's head says. Clients repeat theirs, so one value serves many requests."""

    method: bytes
    target: bytes
    """As it came: path and query, percent-encoded."""
    length: int = 0
    """``Content-Length``; 0 when there is none."""
    keep_alive: bool = True
    json_length: int | None = None
    """``Inference-Header-Content-Length``: bytes of JSON before binary tensors."""


class Exchange(msgspec.Struct, eq=False):
    """A complete request on a connection. A door calls `reply` once, now or later, from the event loop."""

    connection: "Connection"
    head: Head
    body: bytes
    answer: bytes | None = None

    def reply(self, message: bytes) -> None:
        """Send `message`, a whole HTTP reply, as soon as every earlier request of this connection is answered."""
        if self.answer is None:
            self.answer = message
            self.connection.answered()
