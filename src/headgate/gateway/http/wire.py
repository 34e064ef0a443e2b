"""What the connections of one server share: who takes their requests, the heads they learnt, how many there may be."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from headgate.gateway.http.exchange import Exchange, Head
from headgate.gateway.room import Room

if TYPE_CHECKING:
    from headgate.gateway.http.connection import Connection

_LOG: Final = logging.getLogger(__name__)
_HEADS_KEPT: Final = 2048
_LOOKED_AT: Final = 64
"""Connections looked at for one that may be ended in favour of another."""
Handle = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why bytes are no request this server takes; the wire answers it and closes."""

    status: int
    rule: str
    message: str


@dataclass(slots=True)
class Wire:
    """What the connections of one server share."""

    handle: Handle
    """Takes each whole request."""
    refuse: Callable[[Exchange, Refused], None]
    """Answers what is no request."""
    body_limit: int
    heads: dict[bytes, tuple[Head, Handle | None]] = field(default_factory=dict)
    """Those remembered, by their bytes, each with its way."""
    room: Room = field(default_factory=lambda: Room(1))
    """While it is not full nobody is asked for `no_room`."""
    relieve: Callable[[], None] = lambda: None
    """Makes what room there can be at once; asked before anybody is refused for want of it."""
    no_room: Callable[[Head], bytes | None] = lambda _: None
    """The reply to a request of that head where none of it need be read, because there is no room; else None."""
    way: Callable[[Head], Handle | None] = lambda _: None
    """What takes requests of that head in place of `handle`; asked once for each head that is remembered."""
    turn_away: Callable[[Exchange], bool] = lambda _: False
    """Whether a head whose body is still to come is refused by itself; its exchange has its reply then."""
    connections_limit: int = 1 << 20
    """Connections at once; each keeps a file open, and the journal needs some too."""
    connections: "set[Connection]" = field(default_factory=set)
    came: "list[tuple[Connection, bytes]]" = field(default_factory=list)
    """What was received in this turn of the loop and not heard yet, in order."""
    soon: Callable[[Callable[[], None]], object] = lambda turn: asyncio.get_running_loop().call_soon(turn)
    """Has something done when all that the loop has for now is received."""
    around: Callable[[Callable[[], None]], None] = lambda hear: hear()
    """Is given `hear` once a turn, to do what is to be done before and after."""

    def turn(self) -> None:
        """What was received in this turn is heard, and what came of it is done."""
        self.around(self.hear)

    def hear(self) -> None:
        """Hear what was received. A fault of ours costs its connection, and no other."""
        came, self.came = self.came, []
        for connection, data in came:
            try:
                connection.hear(data)
            except Exception:
                _LOG.exception("a connection was given up")
                connection.abort()

    def makes_room(self) -> bool:
        """Whether there is room for one more connection, if need be in place of one of which nothing comes."""
        if len(self.connections) < self.connections_limit:
            return True
        self.hear()  # who just asked is not idle
        # Any of them will do: looking for the one that is idle longest would take a flood's length for each of a flood.
        idle = next((each for each in islice(self.connections, _LOOKED_AT) if each.idle), None)
        if idle is not None:
            self.connections.discard(idle)
            idle.abort()
        return idle is not None

    def learn(self, head: bytes, meaning: Head) -> None:
        """Remember what `head` means; a full memory starts again from nothing."""
        if len(self.heads) >= _HEADS_KEPT:
            self.heads.clear()
        self.heads[head] = meaning, self.way(meaning)
