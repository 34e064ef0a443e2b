"""The signature of a webhook's request, as the Standard Webhooks specification 1.0 has it.

https://www.standardwebhooks.com: HMAC-SHA256 under a secret that both sides know, over the message's id, the moment of
the try and the body. Libraries in most languages verify it; `verify` does for receivers in Python.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headgate.errors import BadConfiguration, Unauthenticated
from headgate.vocabulary import SECOND, Micros

PREFIX: Final = "whsec_"
"""How a secret begins that is written in base64."""
SHORTEST: Final = 24
"""Bytes a secret has at least, as the specification asks."""
TOLERANCE_S: Final = 300
"""Seconds by which a request may be older, or a clock ahead: within them a repeat is told by its id alone."""
_VERSION: Final = "v1"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed request's id, moment and signature."""

    id: str
    timestamp: int
    """Whole seconds since 1970."""
    text: str

    @property
    def headers(self) -> dict[str, str]:
        """The three headers a receiver looks at."""
        return {
            "webhook-id": self.id,
            "webhook-timestamp": str(self.timestamp),
            "webhook-signature": self.text,
        }


def key_of(secret: str) -> bytes:
    """The bytes of a secret: base64 behind ``whsec_``, or else the text itself, without what surrounds it.

    Raises BadConfiguration, which does not repeat it, when that is no base64 or shorter than 24 bytes.
    """
    text = secret.strip()
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else text.encode()
    except binascii.Error as error:
        raise BadConfiguration("secret", f"must be base64 behind {PREFIX}") from error
    if len(key) < SHORTEST:
        raise BadConfiguration("secret", f"must have at least {SHORTEST} bytes; `openssl rand -base64 32` makes 32")
    return key


def sign(secret: str, id_: str, body: bytes, now: Micros) -> Signature:
    """The signature of `body` under `secret` at `now`.

    >>> signature = sign("a secret of two dozen bytes", "msg-1", b"{}", Micros(1_700_000_000_000_000))
    >>> verify("a secret of two dozen bytes", signature.headers, b"{}", Micros(1_700_000_060_000_000))
    'msg-1'
    """
    timestamp = now // SECOND
    return Signature(id_, timestamp, _signed(key_of(secret), id_, timestamp, body))


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: Micros) -> str:
    """The id of a request that whoever has `secret` signed no longer than five minutes ago; see it once, act once.

    `headers` are the request's, their names in any case. Raises Unauthenticated for every other request.
    """
    found = {name.lower(): value for name, value in headers.items()}
    id_, timestamp = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    if not id_ or not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        raise Unauthenticated("the request has no webhook-id, or no webhook-timestamp in seconds")
    if abs(now // SECOND - int(timestamp)) > TOLERANCE_S:
        raise Unauthenticated(f"the request is more than {TOLERANCE_S} s away from now; see that both clocks are right")
    expected = _signed(key_of(secret), id_, int(timestamp), body).encode()
    signatures = found.get("webhook-signature", "").encode("utf-8", "replace").split()
    if not any(hmac.compare_digest(each, expected) for each in signatures):
        raise Unauthenticated("the request is signed with another secret, or its body is another")
    return id_


def _signed(key: bytes, id_: str, timestamp: int, body: bytes) -> str:
    content = f"{id_}.{timestamp}.".encode() + body
    return f"{_VERSION},{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"
