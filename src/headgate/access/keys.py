"""API keys: made once, shown once, known ever after by their keyed digest alone."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

import msgspec

from headgate.access.grants import CallerRole, Grant
from headgate.errors import Conflict
from headgate.vocabulary import Micros, readable

PREFIX: Final = "hg_"
"""How every key begins, so that people and scanners for leaked secrets know one when they see it."""
_DOMAIN: Final = b"headgate key 1\0"
"""Keeps these digests apart from everything else that is keyed by a home's secret."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a key; the key itself is not in here."""

    id: str
    """Stands in the key too, so that it is found without trying all."""
    project: str
    name: str
    digest: str
    roles: tuple[CallerRole, ...]
    scopes: tuple[str, ...]
    created_at: Micros
    expires_at: Micros | None = None
    revoked_at: Micros | None = None
    successor: str | None = None
    """The id of the key that replaced it; it may work on for a while beside that one."""
    rate: float | None = None
    """Rows per second over all gateways; None means no limit."""
    burst: float | None = None
    """Rows that may come at once after a pause; None means those of one second."""

    def in_force(self, now: Micros) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def grant(self) -> Grant:
        """What it allows."""
        return Grant(self.roles, self.scopes)


@readable
class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys as gateways read them; a name that is not one is damage, for what it named would have its default."""

    revision: int = 0
    required: bool = False
    """Whether callers must show who they are: from the first key on, for ever, even when the last was revoked."""
    keys: tuple[Key, ...] = ()
    """Those that are not revoked."""


def new_key() -> tuple[str, str]:
    """A new key's id and the key itself, 256 bits of randomness in it."""
    id_ = secrets.token_hex(6)
    return id_, f"{PREFIX}{id_}_{secrets.token_urlsafe(32)}"


def id_in(text: str) -> str:
    """The id that a key claims to have; "" when it is no key.

    >>> id_in("hg_0123456789ab_rest"), id_in("eyJhbGciOi")
    ('0123456789ab', '')
    """
    if not text.startswith(PREFIX):
        return ""
    return text[len(PREFIX) :].partition("_")[0]


def digest_of(text: str, secret: bytes) -> str:
    """What is kept of a key: an HMAC under the home's `secret`, so that who can write the store can make no key."""
    return hmac.new(secret, _DOMAIN + text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def is_same(digest: str, other: str) -> bool:
    """Whether two digests are one, told in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest, other)


def refuse_taken(key: Key, same_name: Iterable[Key]) -> None:
    """Raise Conflict when `key`, a new one, bears the name of another that is in force and has no successor."""
    for each in same_name:
        if each.id != key.id and each.successor is None and each.in_force(key.created_at):
            raise Conflict(f"a key '{key.name}' is in force already; rotate or revoke it, or choose another name")
