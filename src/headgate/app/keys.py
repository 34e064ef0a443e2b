"""Keys of an installation: made, listed, rotated and revoked, and published to its gateways at once.

``headgate key`` and ``headgate.open(...).keys`` come through here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from headgate.access.grants import roles_of, scope_of
from headgate.access.keys import Key, digest_of, new_key
from headgate.access.ports import KeyStore
from headgate.clock import Clock
from headgate.errors import BadInput, NotFound
from headgate.events import Event, EventKind
from headgate.store.keyfiles import FileKeys
from headgate.traffic.durations import seconds
from headgate.vocabulary import NAME, NAME_RULE, Micros


@dataclass(frozen=True, slots=True)
class Made:
    """A new key; `text` is the key itself, and this is the only time anybody sees it."""

    key: Key
    text: str


class Keys:
    """The keys of one project."""

    def __init__(
        self, store: KeyStore, files: FileKeys, *, secret: bytes, clock: Clock, project: str, actor: str
    ) -> None:
        self._store = store
        self._files = files
        self._secret = secret
        self._clock = clock
        self._project = project
        self._actor = actor

    def create(
        self,
        name: str,
        roles: Sequence[str],
        *,
        scopes: Sequence[str] = ("*",),
        expires: str | None = None,
        rate: float | None = None,
        burst: float | None = None,
        why: str = "",
    ) -> Made:
        """A key for the caller `name`, good for `roles` at `scopes` until `expires` from now (such as ``90d``).

        Raises BadInput naming what is no name, role, scope, duration or rate; Conflict when the name is taken.
        """
        if not NAME.fullmatch(name):
            raise BadInput("name", "name", f"must match {NAME_RULE}")
        now = self._clock.now()
        key = Key(
            "",
            self._project,
            name,
            "",
            roles_of(tuple(roles)),
            tuple(dict.fromkeys(scope_of(each, self._project) for each in scopes)),
            now,
            None if expires is None else _later(now, expires, "expires"),
            rate=_positive(rate, "rate"),
            burst=_positive(burst, "burst"),
        )
        made = self._made(key)
        self._keep([made.key], EventKind.KEY_CREATED, made.key, why, after=shown(made.key))
        return made

    def every(self) -> list[Key]:
        """Every key of the project there ever was, oldest first."""
        return self._store.keys(self._project)

    def rotate(self, name: str, *, overlap: str = "0s", why: str = "") -> Made:
        """A new key in the place of the one in force under `name`, which works on for `overlap`.

        The new one has the same roles, scopes and rate, and lasts as long as the old one was made to last. Raises
        NotFound when there is none in force, BadInput for what is no duration.
        """
        old, now = self._standing(name), self._clock.now()
        lasts = None if old.expires_at is None else Micros(now + (old.expires_at - old.created_at))
        made = self._made(msgspec.structs.replace(old, created_at=now, expires_at=lasts))
        end = _later(now, overlap, "overlap")
        end = end if old.expires_at is None else min(end, old.expires_at)
        replaced = msgspec.structs.replace(old, expires_at=end, successor=made.key.id)
        self._keep([replaced, made.key], EventKind.KEY_ROTATED, made.key, why, before=shown(old), after=shown(made.key))
        return made

    def revoke(self, name: str, *, why: str = "") -> list[Key]:
        """End every key in force under `name`, at once. Raises NotFound when there is none."""
        now = self._clock.now()
        ended = [
            msgspec.structs.replace(each, revoked_at=now)
            for each in self.every()
            if each.name == name and each.in_force(now)
        ]
        if not ended:
            raise NotFound("key", name, "`headgate key list` shows those there are")
        before = "\n".join(shown(msgspec.structs.replace(each, revoked_at=None)) for each in ended)
        after = "\n".join(shown(each) for each in ended)
        self._keep(ended, EventKind.KEY_REVOKED, ended[-1], why, before=before, after=after)
        return ended

    def publish(self) -> None:
        """Let gateways have every project's keys."""
        self._files.publish(self._store.keys)

    def _standing(self, name: str) -> Key:
        now = self._clock.now()
        for each in reversed(self.every()):
            if each.name == name and each.in_force(now) and each.successor is None:
                return each
        raise NotFound("key", name, "`headgate key list` shows those there are")

    def _made(self, key: Key) -> Made:
        id_, text = new_key()
        return Made(msgspec.structs.replace(key, id=id_, digest=digest_of(text, self._secret)), text)

    def _keep(self, keys: Sequence[Key], kind: EventKind, key: Key, why: str, *, before: str = "", after: str) -> None:
        event = Event(
            self._clock.now(),
            kind,
            self._project,
            key.name,
            self._actor,
            why,
            {"id": key.id},
            before,
            after,
        )
        self._store.put_keys(keys, event)
        self.publish()


def shown(key: Key) -> str:
    """A key as listings and the audit trail have it: JSON, without the digest."""
    fields = msgspec.to_builtins(key)
    del fields["digest"]
    return msgspec.json.encode(fields).decode()


def _later(now: Micros, text: str, field: str) -> Micros:
    try:
        return Micros(now + seconds(text) * 1_000_000)
    except ValueError as error:
        raise BadInput(field, "type", str(error)) from error


def _positive(number: float | None, field: str) -> float | None:
    if number is not None and not 0 < number < float("inf"):
        raise BadInput(field, "range", "must be a number over 0")
    return number
