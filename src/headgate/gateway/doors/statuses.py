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
    Forbidden,
    HeadgateError,
    MissingExtra,
    NotFound,
    PassingError,
    RateExceeded,
    Unauthenticated,
)

NATIVE: Final[tuple[tuple[type[HeadgateError], int], ...]] = (
    (BodyRefused, 400),
    (ContractViolation, 422),
    (BadInput, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (MissingExtra, 501),
    (CallerError, 400),
    (DeadlineExceeded, 504),
    (RateExceeded, 429),
    (PassingError, 503),
)
"""First match counts."""

V2: Final[tuple[tuple[type[HeadgateError], int], ...]] = (
    (NotFound, 404),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (CallerError, 400),
    (DeadlineExceeded, 504),
    (RateExceeded, 429),
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
    UNAUTHENTICATED = 16


RPC: Final[tuple[tuple[type[HeadgateError], Status], ...]] = (
    (NotFound, Status.NOT_FOUND),
    (Conflict, Status.ABORTED),
    (Unauthenticated, Status.UNAUTHENTICATED),
    (Forbidden, Status.PERMISSION_DENIED),
    (RateExceeded, Status.RESOURCE_EXHAUSTED),
    (CallerError, Status.INVALID_ARGUMENT),
    (DeadlineExceeded, Status.DEADLINE_EXCEEDED),
    (PassingError, Status.UNAVAILABLE),
)
"""First match counts."""

_SIZE: Final = 413
CHALLENGE: Final = b'WWW-Authenticate: Bearer realm="headgate"\r\n'
"""How callers learn what to send; see RFC 6750."""


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


def error_headers(error: HeadgateError) -> bytes:
    """Every header line a refusal owes its caller: when to come back, or how to show who it is.

    >>> error_headers(Unauthenticated("no key"))[:16]
    b'WWW-Authenticate'
    """
    return CHALLENGE if isinstance(error, Unauthenticated) else retry_after(error)
