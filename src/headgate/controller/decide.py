"""What ought to happen next, from what was seen: pure, so that every decision can be tested and replayed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from headgate.journal.ports import Stream
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import DAY, Micros

COMPACT_EVERY: Final = 30
"""Sealings between two compactions: small files slow readers, rewriting them costs the disk."""

QUIET: Final = 30.0
"""Seconds an open segment must not grow before its writer is suspected dead: one that is started again puts its
own stream right long before."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything a chore may depend on."""

    now: Micros
    """Event time: the replay's clock during a replay."""
    running_s: float
    """Seconds of real time since the start."""
    closed_segments: int
    retention_days: Mapping[tuple[str, str], int]
    """Endpoints whose rows are removed after so many days."""
    quiet_s: Mapping[Stream, float] = field(default_factory=dict)
    """How long, in seconds, the open segments of each stream that has any have not grown."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done before."""

    sealed_s: float = float("-inf")
    """Real time of the last sealing, in seconds since the start."""
    sealings: int = 0
    retained_day: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The day of event time on which each endpoint's old rows were last removed."""
    finished_s: Mapping[Stream, float] = field(default_factory=dict)
    """Real time at which each stream's writer was last looked for."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Write a new traffic revision."""

    traffic: Traffic
    expected_revision: int


@dataclass(frozen=True, slots=True)
class Seal:
    """Move closed segments into the lake."""


@dataclass(frozen=True, slots=True)
class Compact:
    """Join the lake's small files."""


@dataclass(frozen=True, slots=True)
class Retain:
    """Remove an endpoint's rows from before a moment."""

    project: str
    endpoint: str
    before: Micros


@dataclass(frozen=True, slots=True)
class Finish:
    """Close what the writer of a stream left open, if it is dead."""

    stream: Stream


Chore = Finish | Seal | Compact | Retain


def publications(desired: Sequence[Traffic], published: Mapping[tuple[str, str], Traffic]) -> tuple[Publish, ...]:
    """The revisions that make what gateways obey equal to what was declared; none when it is.

    Revisions in `desired` mean nothing: each publication carries the next one.
    """
    found: list[Publish] = []
    for wanted in desired:
        present = published.get((wanted.project, wanted.endpoint))
        revision = present.revision if present else 0
        if present is None or msgspec.structs.replace(wanted, revision=revision) != present:
            found.append(Publish(msgspec.structs.replace(wanted, revision=revision + 1), revision))
    return tuple(found)


def chores(seen: Seen, done: Done, *, seal_interval: float) -> tuple[Chore, ...]:
    """What the journal needs now."""
    found: list[Chore] = [*_finishes(seen, done)]
    if seen.closed_segments and seen.running_s - done.sealed_s >= seal_interval:
        found.append(Seal())
        if (done.sealings + 1) % COMPACT_EVERY == 0:
            found.append(Compact())
    return (*found, *_retentions(seen, done))


def _finishes(seen: Seen, done: Done) -> list[Finish]:
    """Streams nobody writes to, each asked after once per `QUIET`: a living writer may just have nothing to say."""
    return [
        Finish(stream)
        for stream, quiet in sorted(seen.quiet_s.items())
        if quiet >= QUIET and seen.running_s - done.finished_s.get(stream, float("-inf")) >= QUIET
    ]


def _retentions(seen: Seen, done: Done) -> list[Retain]:
    """Once per day of event time: removing by date partition cannot do more."""
    today = day_of(seen.now)
    return [
        Retain(project, endpoint, Micros((today - days) * DAY))
        for (project, endpoint), days in sorted(seen.retention_days.items())
        if done.retained_day.get((project, endpoint)) != today
    ]


def day_of(moment: Micros) -> int:
    """Whole days since 1970 in UTC."""
    return moment // DAY
