"""Refusals on the native door: ``{"error": {"field", "rule", "message"}}``."""

import msgspec

from headgate.errors import (
    BadInput,
    DeadlineExceeded,
    Forbidden,
    HeadgateError,
    JournalUnavailable,
    MissingExtra,
    NotFound,
    Overloaded,
    PassingError,
    RateExceeded,
    RuntimeFailed,
    Unauthenticated,
    Violation,
)
from headgate.gateway.doors.statuses import NATIVE, error_headers, status_of
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import NOBODY, send
from headgate.gateway.http.wire import Refused

_RULES = (
    (MissingExtra, "extra"),
    (Overloaded, "overloaded"),
    (RateExceeded, "rate"),
    (DeadlineExceeded, "deadline"),
    (JournalUnavailable, "journal"),
    (RuntimeFailed, "runtime"),
    (PassingError, "unavailable"),
)


class ErrorBody(msgspec.Struct):
    """What a caller reads about one thing that went wrong."""

    field: str
    rule: str
    message: str


class _Refusal(msgspec.Struct):
    error: ErrorBody


_encode = msgspec.json.Encoder().encode


def error_body(error: HeadgateError | Violation) -> ErrorBody:
    """`error` as field, rule and message."""
    if isinstance(error, BadInput | Violation):
        return ErrorBody(error.field, error.rule, error.message)
    if isinstance(error, NotFound):
        return ErrorBody(error.what, "unknown", str(error))
    if isinstance(error, Unauthenticated | Forbidden):
        return ErrorBody(
            "authorization", "forbidden" if isinstance(error, Forbidden) else "unauthenticated", str(error)
        )
    rule = next((rule for kind, rule in _RULES if isinstance(error, kind)), "internal")
    return ErrorBody("request", rule, str(error))


def refusal_body(error: HeadgateError) -> bytes:
    """The whole body of a refusal."""
    return _encode(_Refusal(error_body(error)))


def refuse(exchange: Exchange, error: HeadgateError, *, request_id: bytes = b"", version: bytes = NOBODY) -> int:
    """Answer `exchange` with `error` and return the status."""
    status = status_of(error, NATIVE)
    send(exchange, status, refusal_body(error), request_id=request_id, version=version, extra=error_headers(error))
    return status


def error_of(field: str, reason: Refused) -> bytes:
    """The body of a refusal that no error stands for: the bytes were no request."""
    return _encode(_Refusal(ErrorBody(field, reason.rule, reason.message)))
