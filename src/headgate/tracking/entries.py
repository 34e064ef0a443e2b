"""What a tracking server is to be told, as values that wait in the outbox until it has taken them.

Each has an id of its own, under which it is found on the server: sending one twice leaves what sending it once does.
"""

from enum import StrEnum

import msgspec

from headgate.vocabulary import Micros, readable


class Ending(StrEnum):
    """How a run ended, in the server's own words."""

    FINISHED = "FINISHED"
    """It did what it was to do; a gate that failed is such an end."""
    FAILED = "FAILED"
    KILLED = "KILLED"
    """Somebody cancelled it."""


class Model(msgspec.Struct, frozen=True):
    """A version of Headgate's, as it is to be put on the server where that does not know it."""

    name: str
    """The registered model's."""
    version: str
    """``model:number`` here; the tag ``headgate.version`` there."""
    digest: str
    """Of its package."""
    known: tuple[str, str] | None = None
    """Name and version there, where it came from the server."""


@readable
class Ran(msgspec.Struct, frozen=True, kw_only=True, tag="ran"):
    """A run that has ended, to be logged."""

    id: str
    name: str
    experiment: str
    started: Micros
    ended: Micros
    ending: Ending
    parameters: dict[str, str] = {}
    metrics: dict[str, float] = {}
    tags: dict[str, str] = {}
    files: dict[str, str] = {}
    """Texts that are kept beside it, by their names there."""
    note: str = ""
    """What it is about, in Markdown; shown on top of it."""


@readable
class Marked(msgspec.Struct, frozen=True, kw_only=True, tag="marked"):
    """A version whose tags are to be set, and an alias pointed at it."""

    id: str
    at: Micros
    model: Model
    experiment: str
    tags: dict[str, str] = {}
    alias: str | None = None
    run: str = ""
    """The id of the run that learnt it; empty where none did."""
    push: bool = True
    """Whether it is put there where it is not known."""


Entry = Ran | Marked
