"""Notices over HTTP: signed JSON for programs, messages for chats.

No redirect is followed, so that what is sent goes where the operator said and nowhere else.
"""

import contextlib
import email.utils
import http.client
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from headgate.alerts.channels import Slack, Webhook, url_fault
from headgate.alerts.couriers.deadline import Deadline
from headgate.alerts.couriers.hidden import reveal
from headgate.alerts.delivery import Answer, Delivery
from headgate.alerts.signature import sign
from headgate.alerts.told import as_chat, as_json
from headgate.errors import BadConfiguration
from headgate.vocabulary import SECOND, VERSION, Micros

SECONDS: Final = 10.0
"""How long one try may take, from the name's address to the end of the reply."""
_MOST: Final = 4096
"""Bytes of a reply that are read; the rest is nobody's business."""
_WORD: Final = re.compile(r"[a-z_]{2,40}")
"""What of a reply is repeated: one word such as ``channel_is_archived``, and no text that might hold an address."""


@dataclass(frozen=True, slots=True)
class WebhookCourier:
    """Signs a notice and posts it."""

    channel: Webhook
    seconds: float = SECONDS

    def carry(self, delivery: Delivery, now: Micros) -> Answer:
        """Try once."""
        body = as_json(delivery)
        try:
            headers = sign(reveal(self.channel.secret), delivery.id, body, now).headers
        except BadConfiguration as error:
            return Answer(False, str(error))
        return post(self.channel.url, body, headers, now, seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class SlackCourier:
    """Posts a notice as a message."""

    channel: Slack
    seconds: float = SECONDS

    def carry(self, delivery: Delivery, now: Micros) -> Answer:
        """Try once."""
        try:
            url = reveal(self.channel.url)
        except BadConfiguration as error:
            return Answer(False, str(error))
        return post(url, as_chat(delivery), {}, now, seconds=self.seconds)


def post(url: str, body: bytes, headers: Mapping[str, str], now: Micros, *, seconds: float = SECONDS) -> Answer:
    """What came of posting JSON to `url`: any 2xx has taken it, and 410 wants to hear of nothing any more."""
    if (fault := url_fault(url)) is not None:
        return Answer(False, f"the address {fault}")
    parts = urlsplit(url)
    host = parts.hostname or ""
    with Deadline(seconds) as deadline:
        try:
            return _exchanged(url, body, headers, now, deadline)
        except (OSError, http.client.HTTPException) as error:
            return Answer(False, deadline.failure(host, error))


def _exchanged(url: str, body: bytes, headers: Mapping[str, str], now: Micros, deadline: Deadline) -> Answer:
    parts = urlsplit(url)
    host, encrypted = parts.hostname or "", parts.scheme == "https"
    kind = http.client.HTTPSConnection if encrypted else http.client.HTTPConnection
    # Said in any case: without it the library looks for one in the host, and takes the last part of an IPv6 address.
    port = parts.port or kind.default_port
    connection = kind(host, port)
    with contextlib.closing(connection):
        tls = ssl.create_default_context() if encrypted else None
        connection.sock = deadline.connected(host, port, tls)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {"Content-Type": "application/json", "User-Agent": f"headgate/{VERSION}", **headers}
        connection.request("POST", target, body, sent)
        reply = connection.getresponse()
        # Who has taken it may do with the rest of the reply what it likes: the status is all there is to know.
        content = b"" if 200 <= reply.status < 300 else reply.read(_MOST)
        return _judged(reply.status, host, content, _asked(reply.getheader("Retry-After"), now))


def _judged(status: int, host: str, content: bytes, pause_s: float) -> Answer:
    said = f"HTTP {status} from {host}"
    if 200 <= status < 300:
        return Answer(True, said)
    if 300 <= status < 400:
        return Answer(False, f"{said}: no redirect is followed; write the new address into channels.yaml")
    word = content.decode("ascii", "replace").strip()
    said = f"{said}: {word}" if _WORD.fullmatch(word) else said
    return Answer(False, said, final=status == http.client.GONE, pause_s=pause_s)


def _asked(retry_after: str | None, now: Micros) -> float:
    """The seconds that a Retry-After asks for, as a number or as a date; 0 where it asks for nothing anybody can read.

    >>> _asked("120", Micros(0)), _asked("Thu, 01 Jan 1970 00:01:00 GMT", Micros(0)), _asked("soon", Micros(0))
    (120.0, 60.0, 0.0)
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now / SECOND)
    except (TypeError, ValueError, OverflowError):
        return 0.0
