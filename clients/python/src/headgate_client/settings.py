"""What both clients are made with, checked once."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from headgate_client.errors import BadInput

VERSION: Final = "0.1.0"
IDLE_SECONDS: Final = 50.0
"""A connection idle for so long is not used again: a gateway closes those that are silent for a minute."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to believe and who we are, over https."""

    ca: Path | None = None
    """PEM file of the authorities to believe; None believes those of the operating system."""
    certificate: Path | None = None
    """PEM file of our own certificate, where the server asks for one."""
    private_key: Path | None = None
    """PEM file of its key; None where `certificate` holds it."""
    verify: bool = True
    """False believes anybody: for a test, never for a key that is worth something."""

    def context(self) -> ssl.SSLContext:
        """The standard library's form of it. Raises BadInput for files that hold no certificates."""
        try:
            return self._made()
        except OSError as error:  # ssl.SSLError is one
            says = f"its files cannot be used: {error.strerror or error}"
            raise BadInput(says, field="tls", rule="type") from error

    def _made(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.private_key)
        return context


def base_of(url: str) -> str:
    """`url` without its last slash. Raises BadInput when it is no http address.

    >>> base_of("http://127.0.0.1:8080/models/")
    'http://127.0.0.1:8080/models'
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # a port beyond 65535, a bracket that does not close, a label no name server knows
        fine = None
    if not fine or parts.query or parts.fragment or parts.username:
        raise BadInput("is not an address such as http://127.0.0.1:8080", field="url", rule="type")
    return url.rstrip("/")


def connections_of(connections: int) -> int:
    """`connections` again. Raises BadInput for a number with which no call could ever be made."""
    if isinstance(connections, bool) or not isinstance(connections, int) or connections < 1:
        raise BadInput("must be a whole number from 1", field="connections", rule="range")
    return connections


def headers_with(
    common: list[tuple[bytes | str, bytes | str]], own: tuple[tuple[str, str], ...]
) -> list[tuple[bytes | str, bytes | str]]:
    """The headers of one request: its own in the place of those it shares.

    >>> headers_with([("Accept", "application/json"), ("User-Agent", "me")], (("Accept", "text/csv"),))
    [('User-Agent', 'me'), ('Accept', 'text/csv')]
    """
    names = {name for name, _ in own}
    return [each for each in common if each[0] not in names] + list(own) if own else common


def headers_of(key: str | None) -> list[tuple[bytes | str, bytes | str]]:
    """The headers of every request. Raises BadInput for a key no header can carry."""
    kind, agent = "application/json", f"headgate-client/{VERSION}"
    found: list[tuple[bytes | str, bytes | str]] = [("Content-Type", kind), ("Accept", kind), ("User-Agent", agent)]
    if key is not None:
        if not key or not all("!" <= each <= "~" for each in key):
            raise BadInput("must be printable ASCII without spaces", field="key", rule="type")
        found.append(("Authorization", f"Bearer {key}"))
    return found
