"""How a call is answered or refused: the message, its status, and the trailers every reply owes."""

import logging
from typing import Any, Final

from headgate.errors import DeadlineExceeded, HeadgateError, PassingError
from headgate.gateway.ask import FAULT
from headgate.gateway.doors.statuses import Status, rpc_status_of
from headgate.gateway.http.replies import NOBODY, new_request_id
from headgate.gateway.rpc.call import Call, Trailers
from headgate.gateway.rpc.messages import INFERENCE, message_classes

_LOG: Final = logging.getLogger(__name__)
MESSAGES: Final = message_classes(INFERENCE)
"""The inference service's message classes, by name."""


def say(call: Call, kind: str, *, speaker: bytes = NOBODY, **fields: Any) -> None:
    """Reply with a message of `kind`; `speaker` is the version it is about."""
    call.reply(MESSAGES[kind](**fields).SerializeToString(), trailers(b"", speaker))


def refuse(call: Call, error: HeadgateError, *, request_id: bytes = b"", version: bytes = NOBODY) -> Status:
    """End `call` with what `error` says; the status."""
    status = rpc_status_of(error)
    owed = trailers(request_id, version)
    if isinstance(error, PassingError) and not isinstance(error, DeadlineExceeded):
        owed += (("grpc-retry-pushback-ms", b"%d" % round(error.retry_after * 1000)),)
    call.refuse(status, str(error), owed)
    return status


def fail(call: Call, error: BaseException) -> None:
    """End `call` with `error`; a fault of ours must cost this caller's answer only."""
    if isinstance(error, HeadgateError):
        refuse(call, error)
        return
    _LOG.error("a call could not be handled", exc_info=error)
    call.refuse(Status.INTERNAL, FAULT)


def trailers(request_id: bytes, version: bytes) -> Trailers:
    """What stands behind every reply: its request's name, drawn where there is none, and the version that answered."""
    return (("headgate-request-id", request_id or new_request_id()), ("headgate-version", version))
