"""The inference service: its calls to questions, answers to its messages. What they mean is in `doors/v2`."""

import logging
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns
from typing import Any, Final

from google.protobuf.message import DecodeError

from headgate.access.grants import ANY
from headgate.errors import BodyRefused, DeadlineExceeded, HeadgateError, PassingError, Unavailable
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import Ask, make_ask
from headgate.gateway.doors.dialect import check_rows, first_problem, have_answered
from headgate.gateway.doors.native import versions
from headgate.gateway.doors.statuses import Status, rpc_status_of
from headgate.gateway.doors.v2 import about
from headgate.gateway.doors.v2.repository import Repository
from headgate.gateway.http.replies import NOBODY, header_text, new_request_id
from headgate.gateway.permits import Permits
from headgate.gateway.reading import LONGEST_DEADLINE_MS
from headgate.gateway.room import Account
from headgate.gateway.rpc import infer
from headgate.gateway.rpc.call import Call, Trailers, milliseconds_left
from headgate.gateway.rpc.health import CHECK, NOT_SERVING, SERVICE_UNKNOWN, SERVING, WATCH, Health
from headgate.gateway.rpc.messages import INFERENCE, message_classes
from headgate.journal.records import Answer
from headgate.vocabulary import DEFAULT_PROJECT, VERSION

PROTOCOL: Final = "grpc"
SERVICE: Final = f"{INFERENCE}.GRPCInferenceService"

_LOG: Final = logging.getLogger(__name__)
_MESSAGES: Final = message_classes(INFERENCE)
_infer = _MESSAGES["ModelInferRequest"].FromString


class RpcDoor:
    """Has calls of the inference service answered."""

    def __init__(
        self, answerer: Answerer, repository: Repository, permits: Permits, unready: Callable[[], str]
    ) -> None:
        """`unready` says why this gateway should get no requests, "" when it should."""
        self._answerer, self._repository, self._unready = answerer, repository, unready
        self._permits = permits
        self._health = Health(self._state_of)
        named = {
            "ModelInfer": self._model_infer,
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ServerMetadata": self._server_metadata,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model_metadata,
            "RepositoryIndex": self._index,
            "RepositoryModelLoad": self._change,
            "RepositoryModelUnload": self._change,
        }
        self._opened: dict[str, Callable[[Call], None]] = {f"/{SERVICE}/{name}": each for name, each in named.items()}
        self._opened |= {CHECK: self._health.check, WATCH: self._health.watch}
        self.methods = frozenset(self._opened)
        self.streaming = frozenset({WATCH})

    def open(self, call: Call) -> None:
        """Have `call` answered, now or later."""
        try:
            self._opened[call.method](call)
        except DecodeError:
            _refuse(call, BodyRefused("message", "protobuf", "is not the message this method takes"))
        except HeadgateError as error:
            _refuse(call, error)
        except Exception:  # a fault of ours must cost this caller's answer only
            _LOG.exception("a call could not be handled")
            call.refuse(Status.INTERNAL, "a fault of Headgate")

    def close(self) -> None:
        """End the calls that would never end by themselves."""
        self._health.close()

    def _admit(self, call: Call, door: str, endpoint: str) -> Account | None:
        """On whose account `call` is, at a door that HTTP callers know by that name. Raises what keeps them out."""
        shown = call.metadata.get("authorization")
        authorization = shown.encode("latin-1", "replace") if isinstance(shown, str) else shown
        return self._permits.admit_call(authorization, door, DEFAULT_PROJECT, endpoint)

    # --- inference

    def _model_infer(self, call: Call) -> None:
        request = _infer(call.message)
        caller = self._admit(call, "v2/infer", request.model_name)
        view = self._repository.find(DEFAULT_PROJECT, request.model_name)
        try:
            self._repository.check_open(view)
            self._answerer.room.knock(caller)
            pinned = view.seat(request.model_version) if request.model_version else None
            question = infer.read(request, pinned or view.live)
            check_rows(question.reading)
            question.reading.deadline_ms = _soonest(question.reading.deadline_ms, milliseconds_left(call))
            ask = make_ask(view, question.reading, partial(self._answered, call, question.wanted), pinned, caller)
            have_answered(self._answerer, ask)
        except HeadgateError as error:
            self._answerer.note(view, error)
            view.count.replied(PROTOCOL, _refuse(call, error, version=view.live.header), 0.0)

    def _answered(self, call: Call, wanted: infer.Wish, ask: Ask) -> None:
        # Only a caller's own id may be anything but a UUID.
        request_id = ask.request_id.encode() if ask.reading.id is None else header_text(ask.request_id)
        version, problem = versions(ask), first_problem(ask)
        if problem is not None:
            status = _refuse(call, problem, request_id=request_id, version=version)
        else:
            answers = [each for each in ask.outcomes if isinstance(each, Answer)]
            reply = infer.write(_MESSAGES["ModelInferResponse"](), ask, answers, wanted)
            call.reply(reply.SerializeToString(), _trailers(request_id, version))
            status = Status.OK
        ask.view.count.replied(PROTOCOL, status, (perf_counter_ns() - ask.arrived) / 1e9)

    # --- what the server and its models say of themselves

    def _server_live(self, call: Call) -> None:
        _say(call, "ServerLiveResponse", live=True)

    def _server_ready(self, call: Call) -> None:
        _say(call, "ServerReadyResponse", ready=not self._unready())

    def _server_metadata(self, call: Call) -> None:
        _say(call, "ServerMetadataResponse", **about.server(VERSION))

    def _model_ready(self, call: Call) -> None:
        """Raises NotFound for no such model; one that is there and cannot answer is told by a false `ready`."""
        request = _MESSAGES["ModelReadyRequest"].FromString(call.message)
        self._admit(call, "v2/model/ready", request.name)
        view = self._repository.find(DEFAULT_PROJECT, request.name)
        try:
            self._repository.check_open(view)
            seat = view.seat(request.version) if request.version else view.live
        except Unavailable:
            _say(call, "ModelReadyResponse", ready=False)
        else:
            _say(call, "ModelReadyResponse", speaker=seat.header, ready=not self._unready())

    def _model_metadata(self, call: Call) -> None:
        request = _MESSAGES["ModelMetadataRequest"].FromString(call.message)
        self._admit(call, "v2/model", request.name)
        view = self._repository.find(DEFAULT_PROJECT, request.name)
        seat, said = about.model(view, request.version or None)
        _say(call, "ModelMetadataResponse", speaker=seat.header, **said)

    # --- the repository

    def _index(self, call: Call) -> None:
        self._admit(call, "v2/index", ANY)
        request = _MESSAGES["RepositoryIndexRequest"].FromString(call.message)
        views = [view for (project, _), view in sorted(self._repository.views.items()) if project == DEFAULT_PROJECT]
        models = [each for view in views for each in about.index(view, self._unready())]
        if request.ready:
            models = [each for each in models if each["state"] == about.READY]
        _say(call, "RepositoryIndexResponse", models=models)

    def _change(self, call: Call) -> None:
        says = "versions are loaded and unloaded by the endpoint's traffic; use `headgate apply`"
        call.refuse(Status.PERMISSION_DENIED, says, _trailers(b"", NOBODY))

    def _state_of(self, service: str) -> int:
        if service in ("", SERVICE) or (DEFAULT_PROJECT, service) in self._repository.views:
            return NOT_SERVING if self._unready() else SERVING
        return SERVICE_UNKNOWN


def _soonest(stated: float | None, left: float | None) -> float | None:
    """The earlier of two deadlines in milliseconds. Raises DeadlineExceeded when it has passed."""
    if left is None:
        return stated
    if left <= 0:
        raise DeadlineExceeded("the deadline had passed before the call was read")
    return min(left, LONGEST_DEADLINE_MS if stated is None else stated)


def _say(call: Call, kind: str, *, speaker: bytes = NOBODY, **fields: Any) -> None:
    """Reply with a message of `kind`; `speaker` is the version it is about."""
    call.reply(_MESSAGES[kind](**fields).SerializeToString(), _trailers(b"", speaker))


def _refuse(call: Call, error: HeadgateError, *, request_id: bytes = b"", version: bytes = NOBODY) -> Status:
    status = rpc_status_of(error)
    trailers = _trailers(request_id, version)
    if isinstance(error, PassingError) and not isinstance(error, DeadlineExceeded):
        trailers += (("grpc-retry-pushback-ms", b"%d" % round(error.retry_after * 1000)),)
    call.refuse(status, str(error), trailers)
    return status


def _trailers(request_id: bytes, version: bytes) -> Trailers:
    return (("headgate-request-id", request_id or new_request_id()), ("headgate-version", version))
