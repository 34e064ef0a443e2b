"""One call from its message to its status, without a word of the library that carries it."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from headgate.gateway.answer import Answerer
from headgate.gateway.doors.statuses import Status
from headgate.gateway.doors.v2.repository import Repository
from headgate.gateway.permits import Permits

Trailers = tuple[tuple[str, bytes], ...]
"""Names, in lower case, and values, printable ASCII, sent behind the last message."""


class Call(Protocol):
    """A call whose message is here. Used from the event loop; ends with `reply`, `refuse` or the caller's leaving."""

    @property
    def method(self) -> str:
        """Its path, such as ``/inference.GRPCInferenceService/ModelInfer``."""
        ...

    @property
    def message(self) -> bytes:
        """What the caller sent."""
        ...

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """What the caller sent beside it; names in lower case."""
        ...

    @property
    def certificate(self) -> str:
        """The common name in the caller's client certificate, which the handshake has verified; "" without one."""
        ...

    @property
    def deadline(self) -> float | None:
        """When the caller stops waiting, in seconds of the Unix epoch; None when it did not say."""
        ...

    def reply(self, message: bytes, trailers: Trailers = ()) -> None:
        """Send the one message and end well."""
        ...

    def refuse(self, status: Status, details: str, trailers: Trailers = ()) -> None:
        """End without a message, or without another."""
        ...

    def say(self, message: bytes) -> bool:
        """Send a message and stay open; False when the one before is still on its way, so that nothing was sent."""
        ...

    def until(self, left: Callable[[], None]) -> None:
        """Call `left` on the event loop if the caller goes, or its deadline passes, before the call has ended."""
        ...


class Door(Protocol):
    """What calls are handed to."""

    @property
    def methods(self) -> frozenset[str]:
        """The paths it answers; every other is refused without waiting for a message."""
        ...

    @property
    def streaming(self) -> frozenset[str]:
        """Those of them that say more than one message and stay open; few of their calls are admitted at once."""
        ...

    @property
    def unspoken(self) -> Mapping[str, str]:
        """Paths that are known and refused as unimplemented before anything is read, and why."""
        ...

    def open(self, call: Call) -> None:
        """Have `call` answered, now or later."""
        ...

    def close(self) -> None:
        """End the calls that would never end by themselves."""
        ...


class Server(Protocol):
    """Where calls arrive."""

    def start(self, door: Door) -> int:
        """Lead calls to `door` from now on; the port. Raises BadConfiguration when it cannot be listened on."""
        ...

    async def stop(self, seconds: float) -> None:
        """Take no new calls, give those that came up to `seconds`, then end."""
        ...


DoorOf = Callable[[Answerer, Repository, Permits, Callable[[], str]], Door]
"""Makes a gateway's door from who answers, what is served, who may call, and why it should get no requests."""


def milliseconds_left(call: Call) -> float | None:
    """How long the caller will still wait, possibly less than nothing; None when it did not say."""
    # The wire has a duration, the library makes a moment of it: this is its inverse, not the journal's time.
    return None if call.deadline is None else (call.deadline - time.time()) * 1000
