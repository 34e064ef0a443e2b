"""From what a request shows to who calls: keys first, then tokens, then the name in a client certificate."""

from headgate.access.caller import Caller
from headgate.access.keys import Key, Published, digest_of, id_in, is_same
from headgate.access.ports import KeySource, TokenReader, TokenSource
from headgate.clock import Clock
from headgate.errors import Unauthenticated

_SHOW = "send 'Authorization: Bearer KEY'"


class Identity:
    """Knows callers by what is published now; `look` at it often, every other call is about the last look."""

    def __init__(self, keys: KeySource, secret: bytes, clock: Clock, tokens: TokenSource | None = None) -> None:
        self._keys = keys
        self._secret = secret
        self._clock = clock
        self._tokens = tokens
        self._reader: TokenReader | None = None if tokens is None else tokens.read()
        self._published = Published()
        self._by_id: dict[str, Key] = {}
        self._by_name: dict[str, Key] = {}
        self.required = False
        """Whether callers must show who they are."""
        self.look()

    def look(self) -> bool:
        """See what changed since the last look; whether anything did."""
        changed = False
        if self._keys.changed():
            self._learn(self._keys.read())
            changed = True
        if self._tokens is not None and self._tokens.changed():
            self._reader = self._tokens.read()
            changed = True
        # Once closed it stays closed: a file that vanishes must not open a door.
        self.required = self.required or self._published.required or self._reader is not None
        return changed

    def identify(self, authorization: bytes | None, certificate: str = "") -> Caller:
        """Who calls, by the ``Authorization`` header or else by the name in a verified client certificate.

        Raises Unauthenticated.
        """
        if authorization is None:
            if certificate:
                return self._named(certificate)
            raise Unauthenticated(f"this installation asks who calls: {_SHOW}")
        scheme, _, text = authorization.decode("latin-1").partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text:
            raise Unauthenticated(f"the Authorization header is of another scheme: {_SHOW}")
        if id_ := id_in(text):
            return self._keyed(id_, text)
        if self._reader is None:
            raise Unauthenticated(f"this is no key of this installation, and it takes no tokens: {_SHOW}")
        return self._reader.identify(text, self._clock.now())

    def _learn(self, published: Published) -> None:
        self._published = published
        self._by_id = {each.id: each for each in published.keys}
        standing = [each for each in published.keys if each.successor is None]
        self._by_name = {f"{each.project}/{each.name}": each for each in standing}

    def _keyed(self, id_: str, text: str) -> Caller:
        key = self._by_id.get(id_)
        # An unknown id costs the same work as a known one.
        digest = digest_of(text, self._secret)
        same = is_same(digest, key.digest if key is not None else digest[::-1])
        if key is None or not same:
            raise Unauthenticated("the key is unknown or was revoked; ask an administrator for another")
        return self._caller(key)

    def _named(self, name: str) -> Caller:
        key = self._by_name.get(name if "/" in name else f"default/{name}")
        if key is None:
            raise Unauthenticated(f"the client certificate's name is none of a key, and no key was shown: {_SHOW}")
        return self._caller(key)

    def _caller(self, key: Key) -> Caller:
        if not key.in_force(self._clock.now()):
            raise Unauthenticated("the key has expired; ask an administrator for another")
        name = f"key {key.project}/{key.name}"
        return Caller(name, name, (key.grant,), key.expires_at, key.rate, key.burst)
