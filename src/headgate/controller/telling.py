"""Tells a tracking server what happened, in real time and behind everybody's back: nothing waits for it.

What the history says is turned into entries of the outbox first, then how far it was read is kept; so nothing is lost
to whoever is killed between the two, and an entry that comes twice is one. Sending is a loop of its own: a server that
does not answer keeps nobody but the entries behind.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from headgate import durability
from headgate.clock import Clock
from headgate.errors import CallerError, HeadgateError, OperatorError, PassingError
from headgate.events import Event
from headgate.registry.ports import EventLog
from headgate.tracking.entries import Entry
from headgate.tracking.outbox import Outbox, Waiting
from headgate.vocabulary import readable

log = logging.getLogger("headgate.tracking")

MOST: Final = 1000
"""Records that are read at once."""


@readable
class Read(msgspec.Struct, frozen=True):
    """How far the history was read."""

    number: int


class Telling:
    """The entries of an installation, a turn at a time; call `turn` from one thread."""

    def __init__(
        self,
        *,
        wanted: Callable[[], bool],
        events: EventLog,
        entries: Callable[[Event], Iterable[Entry]],
        send: Callable[[Entry], None],
        outbox: Outbox,
        place: Path,
        wall: Clock,
    ) -> None:
        """`wanted` says whether there is a server to tell; `entries` what there is to tell of an event.

        `place` is the file that says how far the history was read. Without it, it is read from now on.
        """
        self._wanted = wanted
        self._events = events
        self._entries = entries
        self._send = send
        self._outbox = outbox
        self._place = place
        self._wall = wall

    def turn(self) -> list[Waiting]:
        """Put what is new into the outbox and tell what is due there, oldest first; returns what failed of it.

        One that has to wait keeps those behind it: the server is away for all of them, and of two promotions the later
        one has to move the alias last.
        """
        if not self._wanted():
            return []
        self.gather()
        left = []
        for each in self._outbox.waiting():
            if each.refused:
                continue
            if each.next > self._wall.now():
                break
            if (failed := self._tried(each)) is not None:
                left.append(failed)
                if not failed.refused:
                    break
        return left

    def gather(self) -> None:
        """Put what is new in the history into the outbox."""
        read = self._read()
        if read is None:
            self._keep(Read(self._newest()))
            return
        while records := self._events.sealed(read.number, MOST):
            for each in records:
                self._add(each.event)
            read = Read(records[-1].number)
            self._keep(read)

    def _add(self, event: Event) -> None:
        try:
            for entry in self._entries(event):
                self._outbox.add(entry, self._wall.now())
        except CallerError as error:  # what it speaks of is gone; those behind must not wait for it
            log.warning("nothing is told of a '%s' of %s: %s", event.kind.value, event.subject, error)

    def _tried(self, waiting: Waiting) -> Waiting | None:
        try:
            self._send(waiting.entry)
        except (PassingError, OperatorError) as error:  # the server, or whoever wrote tracking.yaml, has to act first
            failed = waiting.failed(self._wall.now(), str(error), final=False)
        except HeadgateError as error:
            failed = waiting.failed(self._wall.now(), str(error), final=True)
        except Exception as error:  # a reply that nobody foresaw must not keep what is behind it, nor try for ever
            log.exception("telling the tracking server of %s failed", waiting.entry.id)
            said = f"a fault of Headgate's own: {type(error).__name__}; the controller's log has it"
            failed = waiting.failed(self._wall.now(), said, final=True)
        else:
            self._outbox.taken(waiting.entry.id)
            return None
        then = "it is tried no more" if failed.refused else "it is kept and tried again"
        log.warning("the tracking server was not told of %s: %s; %s", waiting.entry.id, failed.said, then)
        self._outbox.keep(failed)
        return failed

    def _newest(self) -> int:
        number = 0
        while records := self._events.sealed(number, MOST):
            number = records[-1].number
        return number

    def _read(self) -> Read | None:
        try:
            return msgspec.json.decode(self._place.read_bytes(), type=Read)
        except FileNotFoundError:
            return None

    def _keep(self, read: Read) -> None:
        durability.make_folder(self._place.parent)
        beside = self._place.with_suffix(".tmp")
        beside.write_bytes(msgspec.json.encode(read))
        durability.sync(beside)
        beside.replace(self._place)
        durability.sync(self._place.parent)
