"""What happened to an installation, as values: the history every listing and audit is drawn from.

The history is a chain: every record is sealed with a hash over itself and the seal of the one before, so that a
record that was changed, taken out or put in later breaks it. Stores seal while they append; `headgate audit` looks.
"""

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from headgate.vocabulary import Micros, readable


class EventKind(StrEnum):
    """The closed list of things worth remembering about an installation."""

    REGISTERED = "registered"
    """A version entered the registry."""
    EVALUATED = "evaluated"
    """A version was measured and its gates judged."""
    ALIASED = "aliased"
    """An alias was moved."""
    APPLIED = "applied"
    """An endpoint was created or its settings changed."""
    TRAFFIC = "traffic"
    """A new traffic revision was published."""
    ROLLOUT = "rollout"
    """A rollout began, or something moved it."""
    RETRAINING = "retraining"
    """A run of the loop began, went on to its next stage, or ended."""
    RETAINED = "retained"
    """Rows past their retention were removed."""
    COLLECTED = "collected"
    """Blobs that no record named any more were removed."""
    DAMAGED = "damaged"
    """A journal segment cannot be read whole; its file is kept for a person to look at."""
    KEY_CREATED = "key_created"
    """A key was made for a caller."""
    KEY_ROTATED = "key_rotated"
    """A key was replaced by a new one of the same name."""
    KEY_REVOKED = "key_revoked"
    """A key stopped working before its time."""
    READ = "read"
    """Somebody read an endpoint's journal over HTTP."""
    LOADED = "loaded"
    """An endpoint was taken into service on a caller's word."""
    UNLOADED = "unloaded"
    """An endpoint was taken out of service on a caller's word."""
    ADVANCED = "advanced"
    """A replay's clock was moved."""
    DIED = "died"
    """A process ended by itself and was started again."""
    ALERTED = "alerted"
    """An alert was raised, grew worse or was over."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody took an alert on."""
    SILENCED = "silenced"
    """Somebody silenced the alerts of an endpoint, or ended that."""
    UNDELIVERED = "undelivered"
    """A channel could not be told of an alert, and it is tried no more."""


@readable
class Event(msgspec.Struct, frozen=True):
    """One thing that happened: who did what to which subject, when and why."""

    at: Micros
    kind: EventKind
    project: str
    subject: str
    actor: str
    why: str = ""
    details: dict[str, str | int | float | bool | None] = {}
    before: str = ""
    """What was changed, as it was: text of its own kind, empty where there was nothing."""
    after: str = ""
    """What it is now."""


class Death(msgspec.Struct, frozen=True):
    """A process that ended by itself, before the history knows of it."""

    id: str
    """One death's own, however often it is reported."""
    at: Micros
    name: str
    """The child's, such as ``gateway 0``."""
    cause: str
    """``signal SIGKILL`` or ``exit status 3``."""


class Note(msgspec.Struct, frozen=True):
    """An event on its way into the history from a process that has no database."""

    id: str
    """The note's own, however often it is read."""
    event: Event


FIRST: Final = "0" * 64
"""What the first record of a chain names as the seal before it."""


class Sealed(msgspec.Struct, frozen=True):
    """An event in its place in the history."""

    number: int
    """Grows with every record; a store may leave numbers out."""
    event: Event
    previous: str
    """The seal of the record before."""
    seal: str
    """Empty, like `previous`, for records older than the chain."""


class Broken(msgspec.Struct, frozen=True):
    """Where a history stops being what it was."""

    number: int
    why: str


def seal(event: Event, previous: str) -> str:
    """The seal of `event` behind the record sealed `previous`: SHA-256, as 64 hexadecimal digits.

    What is hashed is one JSON array in ASCII, without spaces, the keys of details sorted, so that anybody can
    compute it again: ``[previous,at,kind,project,subject,actor,why,details,before,after]``.

    >>> seal(Event(Micros(7), EventKind.ALIASED, "default", "late:2", "ann"), FIRST)[:12]
    '64d96b6f1ac9'
    """
    told = [previous, event.at, event.kind.value, event.project, event.subject, event.actor, event.why]
    content = [*told, event.details, event.before, event.after]
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def first_broken(records: Iterable[Sealed]) -> Broken | None:
    """The first of `records`, oldest first and from the very first on, that does not fit; None when all do."""
    last, begun = FIRST, False
    for each in records:
        if not each.seal:
            if begun:
                return Broken(each.number, "it has no seal although the records before it have")
            continue
        begun = True
        if each.previous != last:
            return Broken(each.number, "it does not name the seal of the record before it: one was removed or added")
        if each.seal != seal(each.event, last):
            return Broken(each.number, "its words are not those it was sealed with")
        last = each.seal
    return None
