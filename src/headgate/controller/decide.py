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
COLLECT_EVERY: Final = 3600.0
"""Seconds of real time from the end of one pass over the blobs to the next: what one set aside, the next may remove.
In a replay days pass faster than that."""


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
    any_blobs: bool = False
    """Whether blobs were ever kept: without any, there is no reason to read the whole journal."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done before."""

    sealed_s: float = float("-inf")
    """Real time of the last sealing, in seconds since the start."""
    sealings: int = 0
    retained: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The first day each endpoint kept when its old rows were last removed."""
    sealed_since: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The earliest day of the rows sealed for each endpoint since then."""
    finished_s: Mapping[Stream, float] = field(default_factory=dict)
    """Real time at which each stream's writer was last looked for."""
    collected_s: float = float("-inf")
    """Real time at which the last pass over the blobs ended."""
    collected_day: int | None = None
    """The day of event time of the last pass that came to its end."""
    aside: int = 0
    """Blobs that this pass left set aside."""


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
class Collect:
    """Set aside the blobs no record names, and remove those that were long enough."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Close what the writer of a stream left open, if it is dead."""

    stream: Stream


Chore = Finish | Seal | Compact | Retain | Collect


def publications(desired: Sequence[Traffic], published: Mapping[tuple[str, str], Traffic]) -> tuple[Publish, ...]:
    """The revisions that make what gateways obey equal to what was declared; none when it is.

    Revisions in `desired` mean nothing: each publication carries the next one. An endpoint whose file names a model or
    an alias is left as it is while that means a version nobody proved: what was live goes on until it is.
    """
    found: list[Publish] = []
    for wanted in desired:
        present = published.get((wanted.project, wanted.endpoint))
        revision = present.revision if present else 0
        if present is not None and wanted.live != present.live and not wanted.may_be_heard:
            continue
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
    # Blobs last: rows removed in this turn name nothing any more.
    return (*found, *_retentions(seen, done), *_collections(seen, done))


def _finishes(seen: Seen, done: Done) -> list[Finish]:
    """Streams nobody writes to, each asked after once per `QUIET`: a living writer may just have nothing to say."""
    return [
        Finish(stream)
        for stream, quiet in sorted(seen.quiet_s.items())
        if quiet >= QUIET and seen.running_s - done.finished_s.get(stream, float("-inf")) >= QUIET
    ]


def _retentions(seen: Seen, done: Done) -> list[Retain]:
    """Once per day of event time, and again when rows of a day that had passed by then were sealed after it.

    In a fast replay a day can end before its rows are sealed; without the second time, which rows are left would
    depend on the speed.
    """
    found = []
    for (project, endpoint), days in sorted(seen.retention_days.items()):
        first = day_of(seen.now) - days
        sealed = done.sealed_since.get((project, endpoint), first)
        if done.retained.get((project, endpoint)) != first or sealed < first:
            found.append(Retain(project, endpoint, Micros(first * DAY)))
    return found


def _collections(seen: Seen, done: Done) -> list[Collect]:
    """Once per day of event time, and once more for what the last pass set aside."""
    if not seen.any_blobs or seen.running_s - done.collected_s < COLLECT_EVERY:
        return []
    return [Collect()] if done.aside or done.collected_day != day_of(seen.now) else []


def day_of(moment: Micros) -> int:
    """Whole days since 1970 in UTC."""
    return moment // DAY
