"""Where keys and the rules for tokens are kept and read."""

from collections.abc import Sequence
from typing import Protocol

from headgate.access.caller import Caller
from headgate.access.keys import Key, Published
from headgate.events import Event
from headgate.vocabulary import Micros


class KeyStore(Protocol):
    """Keys where an installation keeps what must outlive its processes."""

    def put_keys(self, keys: Sequence[Key], event: Event) -> None:
        """Keep keys, new and changed ones, and what is to be remembered of it, in one step.

        Raises headgate.errors.Conflict when a new key bears the name of one in force.
        """
        ...

    def keys(self, project: str | None = None) -> list[Key]:
        """Every key there ever was, of one project or of all, oldest first."""
        ...


class KeySource(Protocol):
    """Where gateways read keys; implementations never raise on a missing or half-made entry."""

    def read(self) -> Published:
        """The keys published last; what cannot be read leaves those read before in force."""
        ...

    def changed(self) -> bool:
        """Whether a `read` now might differ from the last one; cheap enough for every 100 ms."""
        ...


class TokenReader(Protocol):
    """Makes callers of bearer tokens."""

    def identify(self, token: str, now: Micros) -> Caller:
        """Whose token it is. Raises headgate.errors.Unauthenticated."""
        ...


class TokenSource(Protocol):
    """Where the rules for tokens come from."""

    def read(self) -> TokenReader | None:
        """The reader for the rules there are now; None when no tokens are taken."""
        ...

    def changed(self) -> bool:
        """Whether a `read` now might differ from the last one."""
        ...
