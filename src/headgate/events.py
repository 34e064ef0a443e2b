"""What happened to an installation, as values: the history every listing and audit is drawn from."""

from enum import StrEnum

import msgspec

from headgate.vocabulary import Micros


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
    RETAINED = "retained"
    """Rows past their retention were removed."""
    COLLECTED = "collected"
    """Blobs that no record named any more were removed."""
    DAMAGED = "damaged"
    """A journal segment cannot be read whole; its file is kept for a person to look at."""
    DIED = "died"
    """A process ended by itself and was started again."""


class Event(msgspec.Struct, frozen=True):
    """One thing that happened: who did what to which subject, when and why."""

    at: Micros
    kind: EventKind
    project: str
    subject: str
    actor: str
    why: str = ""
    details: dict[str, str | int | float | bool | None] = {}


class Death(msgspec.Struct, frozen=True):
    """A process that ended by itself, before the history knows of it."""

    id: str
    """One death's own, however often it is reported."""
    at: Micros
    name: str
    """The child's, such as ``gateway 0``."""
    cause: str
    """``signal SIGKILL`` or ``exit status 3``."""
