"""Which status each error gets, one table per door; every door's errors pass through here."""

from enum import IntEnum
from typing import Final

from headgate.errors import (
    BadInput,
    BodyRefused,
    CallerError,
    Conflict,
    ContractViolation,
    DeadlineExceeded,
    HeadgateError,
    NotFound,
    Overloaded,
    PassingError,
)

NATIVE: Final[tuple[tuple[type[HeadgateError], int], ...]] = (
    (BodyRefused, 400),
    (ContractViolation, 422),
    (BadInput, 422),
    (NotFound, 404),
    (Conflict, 409),
    (CallerError, 400),
    (DeadlineExceeded, 504),
    (PassingError, 503),
)
"""First match counts."""

V2: Final[tuple[tuple[type[HeadgateError], int], ...]] = (
    (NotFound, 404),
    (CallerError, 400),
    (DeadlineExceeded, 504),
    (PassingError, 503),
)
"""The open inference protocol knows 400 for whatever the caller did wrong; so do MLflow, TensorFlow and Vertex."""


class Status(IntEnum):
    """The statuses a gRPC call may end with, by their numbers on the wire."""

    OK = 0
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


RPC: Final[tuple[tuple[type[HeadgateError], Status], ...]] = (
    (NotFound, Status.NOT_FOUND),
    (Conflict, Status.ABORTED),
    (CallerError, Status.INVALID_ARGUMENT),
    (DeadlineExceeded, Status.DEADLINE_EXCEEDED),
    (Overloaded, Status.RESOURCE_EXHAUSTED),
    (PassingError, Status.UNAVAILABLE),
)
"""First match counts."""

_SIZE: Final = 413


def status_of(error: HeadgateError, table: tuple[tuple[type[HeadgateError], int], ...]) -> int:
    """The status of `error` at the door of `table`; 500 is a fault of ours.

    >>> status_of(NotFound("endpoint", "delays"), NATIVE)
    404
    """
    if isinstance(error, BodyRefused) and error.rule == "size":
        return _SIZE
    return next((status for kind, status in table if isinstance(error, kind)), 500)


def rpc_status_of(error: HeadgateError) -> Status:
    """The gRPC status of `error`; INTERNAL is a fault of ours.

    >>> rpc_status_of(NotFound("endpoint", "delays")).name
    'NOT_FOUND'
    """
    return next((status for kind, status in RPC if isinstance(error, kind)), Status.INTERNAL)


def retry_after(error: HeadgateError) -> bytes:
    """The header line that says when to come back, if that helps."""
    if isinstance(error, PassingError) and not isinstance(error, DeadlineExceeded):
        return b"Retry-After: %d\r\n" % max(1, round(error.retry_after))
    return b""
