"""Fetches an issuer's signing keys into the home, where an operator configured an address; nothing else is fetched.

The controller takes turns of this; gateways read the file alone, so no caller ever waits for another server.
"""

import http.client
import json
import logging
import time
import urllib.request
from pathlib import Path
from typing import Final

from headgate.app.identity import JWKS, rules_of
from headgate.errors import BadConfiguration
from headgate.store import atomic

TIMEOUT_SECONDS: Final = 5.0
MOST_BYTES: Final = 256 * 1024
RETRY_SECONDS: Final = 30.0
"""Pause after a fetch that failed; the keys fetched before stay in force."""
log = logging.getLogger("headgate.access")


class SigningKeys:
    """Keeps ``jwks.json`` what the address says, as often as the rules ask."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = 0.0
        self._url: str | None = None

    def turn(self) -> bool:
        """Fetch if it is time; whether the file was written. What goes wrong is logged and tried again later."""
        try:
            rules = rules_of(self._folder)
        except BadConfiguration:
            return False  # the gateways say so already
        if rules is None or rules.jwks_url is None or (rules.jwks_url == self._url and time.monotonic() < self._next):
            return False
        self._url, self._next = rules.jwks_url, time.monotonic() + rules.jwks_refresh
        try:
            found = fetched(rules.jwks_url)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._next = time.monotonic() + RETRY_SECONDS
            log.error("the signing keys cannot be fetched from %s: %s", rules.jwks_url, error)
            return False
        path = self._folder / JWKS
        if path.exists() and path.read_bytes() == found:
            return False
        atomic.write_file(path, found)
        return True


def fetched(url: str) -> bytes:
    """The key set at `url`, looked at. Raises OSError when it is not there, ValueError when it is none or too large."""
    with urllib.request.build_opener(_Straight).open(url, timeout=TIMEOUT_SECONDS) as reply:
        content: bytes = reply.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("it is too large for a key set")
    document = json.loads(content)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("it is no key set")
    return content


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: whose keys are trusted is what the operator wrote, not what a server says."""

    def redirect_request(self, *_: object) -> None:
        """Nowhere."""
