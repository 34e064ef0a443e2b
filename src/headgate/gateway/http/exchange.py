"""One request and the reply it waits for; what the doors and the wire know of each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from headgate.gateway.http.connection import Connection
    from headgate.gateway.room import Account


ACCEPT: Final = b"accept"
ACCEPT_ENCODING: Final = b"accept-encoding"
AUTHORIZATION: Final = b"authorization"
CONTENT_ENCODING: Final = b"content-encoding"
CONTENT_TYPE: Final = b"content-type"
DEADLINE: Final = b"headgate-deadline-ms"
"""How long the caller waits, where its protocol has no place for that in the body."""
JSON_LENGTH: Final = b"inference-header-content-length"
"""Bytes of JSON before binary tensors."""
SAGEMAKER_ID: Final = b"x-amzn-sagemaker-inference-id"
WATCHED: Final = frozenset(
    {
        ACCEPT,
        ACCEPT_ENCODING,
        AUTHORIZATION,
        CONTENT_ENCODING,
        CONTENT_TYPE,
        DEADLINE,
        JSON_LENGTH,
        SAGEMAKER_ID,
    }
)
"""Headers that mean anything to a door; all others are passed over."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a request's head says. Clients repeat theirs, so one value serves many requests."""

    method: bytes
    target: bytes
    """As it came: path and query, percent-encoded."""
    length: int = 0
    """``Content-Length``; 0 when there is none."""
    keep_alive: bool = True
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    """Those of WATCHED that came, names in lower case; one that came twice has both values, a comma between them."""

    def media_type(self) -> bytes:
        """``Content-Type`` in lower case without its parameters; empty when there is none.

        >>> Head(b"POST", b"/", headers={CONTENT_TYPE: b"Text/CSV; charset=utf-8"}).media_type()
        b'text/csv'
        """
        return self.headers.get(CONTENT_TYPE, b"").partition(b";")[0].strip().lower()


class Exchange(msgspec.Struct, eq=False):
    """A complete request on a connection. A door calls `reply` once, now or later, from the event loop."""

    connection: "Connection"
    head: Head
    body: bytes
    answer: bytes | None = None
    caller: "Account | None" = None
    """Whose request it is, once `permits.py` said so."""

    def reply(self, message: bytes) -> None:
        """Send `message`, a whole HTTP reply, as soon as every earlier request of this connection is answered."""
        if self.answer is None:
            self.answer, self.body = message, b""  # it may wait long for its turn, and its body may be large
            self.connection.answered()
