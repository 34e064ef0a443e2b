"""The few words every room speaks: names, roles, verdicts, tasks, and time as a number."""

import re
from enum import StrEnum
from typing import Final, NewType, TypeVar

import msgspec

VERSION: Final = "0.1.0"
"""The version of Headgate itself; the package metadata repeats it and a test holds the two together."""

ProjectName = NewType("ProjectName", str)
EndpointName = NewType("EndpointName", str)
ModelName = NewType("ModelName", str)
VersionRef = NewType("VersionRef", str)
"""One model version, spelled ``model:number`` (``flight-delay:3``)."""
Digest = NewType("Digest", str)
"""A content address, spelled ``sha256:`` and 64 hexadecimal digits."""
Micros = NewType("Micros", int)
"""A moment: whole microseconds since 1970-01-01T00:00:00Z."""

SECOND: Final = 1_000_000
"""A second in microseconds, as what lies between two moments is counted; so are the others."""
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR

DEFAULT_PROJECT: Final = ProjectName("default")
PEOPLE: Final = "human"
"""What stands in the place of a version where people decide."""
OUTLIER: Final = "outlier"
"""The rule that a row breaks which is unlike the rows the model was fitted on."""
OUTLIER_FLAG: Final = f"{OUTLIER}:row"
"""The flag of such a row where it is answered all the same."""
NAME_RULE: Final = "[a-z0-9-]{1,63}"
NAME: Final = re.compile(NAME_RULE)

T = TypeVar("T")


def readable(kind: type[T]) -> type[T]:
    """`kind`, from now on read by any number of threads; for every type that is read from bytes or documents.

    At the first reading msgspec (0.22) finds out what a struct consists of, and shows other threads what it has found
    so far: one that reads the same type meanwhile ends the process. So each is looked through where it is defined.

    >>> @readable
    ... class Place(msgspec.Struct):
    ...     row: int
    >>> msgspec.json.decode(b'{"row": 3}', type=Place)
    Place(row=3)
    """
    msgspec.json.Decoder(kind)
    return kind


class Task(StrEnum):
    """What a model is asked for."""

    BINARY = "binary"
    """One of two classes; the second class listed is the positive one."""
    MULTICLASS = "multiclass"
    """One of three or more classes."""
    REGRESSION = "regression"
    """A real number."""
    TENSOR = "tensor"
    """Named arrays whose meaning only the caller knows; nothing but volume and latency is measured."""


class Role(StrEnum):
    """In which capacity a version answered; evidence looks at nothing else first."""

    LIVE = "live"
    """The version that owns the endpoint."""
    CANARY = "canary"
    """A version that took a share of the traffic."""
    SHADOW = "shadow"
    """Answered beside the live version, or beside people; no caller saw it."""
    SUGGESTION = "suggestion"
    """Shown to whoever then decided: that decision is not independent of it."""
    HUMAN = "human"
    """A person's decision on the same input."""
    PINNED = "pinned"
    """The caller named the version; outside all evidence."""


class Verdict(StrEnum):
    """What the evidence says of a version."""

    PROMOTE = "promote"
    """It may take more traffic."""
    ROLL_BACK = "roll_back"
    """It must take none."""
    UNDECIDED = "undecided"
    """Not enough evidence yet; collecting goes on and nothing moves forward."""
    BROKEN = "broken"
    """The measurement itself failed."""


class Ack(StrEnum):
    """When a reply may leave."""

    DURABLE = "durable"
    """After its journal records are on disk."""
    BUFFERED = "buffered"
    """After its journal records are handed over to be written; a crash may lose the last few."""


class OnFailure(StrEnum):
    """What a gateway does when it can no longer write its journal."""

    REFUSE = "refuse"
    """Answer 503 and turn unready."""
    ANSWER = "answer"
    """Answer, say ``journalled: false``, count it."""
