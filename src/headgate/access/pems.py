"""The PEM files of an encrypted port as they were read, for servers that want bytes and make contexts of their own."""

from collections.abc import Callable
from typing import NamedTuple


class Pems(NamedTuple):
    """A certificate, its key, and whom callers' certificates must come from."""

    key: bytes
    chain: bytes
    callers: bytes | None
    """Authorities every caller must show a certificate of; None asks for none."""


NewestPems = Callable[[], Pems]
"""What is in force now; any thread may ask."""
