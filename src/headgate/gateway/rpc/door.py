"""The inference service: its calls to questions, answers to its messages. What they mean is in `doors/v2`."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns
from typing import Final

from google.protobuf.message import DecodeError

from headgate.errors import BodyRefused, DeadlineExceeded, HeadgateError
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import Ask, make_ask
from headgate.gateway.doors.dialect import check_rows, first_problem, have_answered
from headgate.gateway.doors.native import name_of, versions
from headgate.gateway.doors.statuses import Status
from headgate.gateway.doors.v2.repository import Repository
from headgate.gateway.permits import Known, Permits, Shown
from headgate.gateway.reading import LONGEST_DEADLINE_MS
from headgate.gateway.room import Account
from headgate.gateway.rpc import infer
from headgate.gateway.rpc.call import Call, milliseconds_left
from headgate.gateway.rpc.health import CHECK, NOT_SERVING, SERVICE_UNKNOWN, SERVING, WATCH, Health
from headgate.gateway.rpc.messages import INFERENCE
from headgate.gateway.rpc.models import Models, Opened
from headgate.gateway.rpc.places import Places
from headgate.gateway.rpc.speaking import MESSAGES, fail, refuse, trailers
from headgate.vocabulary import DEFAULT_PROJECT

PROTOCOL: Final = "grpc"
SERVICE: Final = f"{INFERENCE}.GRPCInferenceService"

_CLEAR_SECONDS: Final = 0.1
"""How often calls of endpoints that do not answer are looked for while threads are few."""
_ONE_BY_ONE: Final = "streams of requests are not answered; send each as a ModelInfer of its own, any number at once"
_infer = MESSAGES["ModelInferRequest"].FromString


class RpcDoor:
    """Has calls of the inference service answered."""

    def __init__(
        self, answerer: Answerer, repository: Repository, permits: Permits, unready: Callable[[], str]
    ) -> None:
        """`unready` says why this gateway should get no requests, "" when it should."""
        self._answerer, self._repository, self._unready = answerer, repository, unready
        self._permits = permits
        self._health = Health(self._state_of)
        models = Models(repository, self._admit, unready)
        closed = {"ModelInfer": self._model_infer} | models.calls
        named = models.open_calls | {name: partial(self._identify, each) for name, each in closed.items()}
        self._opened: dict[str, Callable[[Call], None]] = {f"/{SERVICE}/{name}": each for name, each in named.items()}
        self._opened |= {CHECK: self._health.check, WATCH: self._health.watch}
        self.methods = frozenset(self._opened)
        self.streaming = frozenset({WATCH})
        self.unspoken = {f"/{SERVICE}/ModelStreamInfer": _ONE_BY_ONE}
        self._places = Places()
        self._clearing: asyncio.TimerHandle | None = None

    def open(self, call: Call) -> None:
        """Have `call` answered, now or later."""
        try:
            self._opened[call.method](call)
        except DecodeError:
            refuse(call, BodyRefused("message", "protobuf", "is not the message this method takes"))
        except Exception as error:
            fail(call, error)

    def close(self) -> None:
        """End the calls that would never end by themselves."""
        self._health.close()
        if self._clearing is not None:
            self._clearing.cancel()

    def _identify(self, open_: Opened, call: Call) -> None:
        """Find out who calls before the message is decoded: a stranger's may take the loop long for nothing."""
        open_(call, self._permits.identify(partial(_shown, call)))

    def _admit(self, known: Known | None, door: str, endpoint: str) -> Account | None:
        """On whose account a call is, at a door that HTTP callers know by that name. Raises Forbidden."""
        return self._permits.admit_call(known, door, DEFAULT_PROJECT, endpoint)

    # --- inference

    def _model_infer(self, call: Call, known: Known | None) -> None:
        request = _infer(call.message)
        caller = self._admit(known, "v2/infer", request.model_name)
        view = self._repository.find(DEFAULT_PROJECT, request.model_name)
        ask: Ask | None = None
        rows = 1
        try:
            self._repository.check_open(view)
            self._answerer.room.knock(caller)
            self._places.check(view.key)
            pinned = view.seat(request.model_version) if request.model_version else None
            question = infer.read(request, pinned or view.live)
            rows = len(question.reading.rows)
            check_rows(question.reading)
            question.reading.deadline_ms = _soonest(question.reading.deadline_ms, milliseconds_left(call))
            ask = make_ask(view, question.reading, partial(self._answered, call, question.wanted), pinned, caller)
            self._enter(ask)
            call.until(partial(_abandon, ask))
            have_answered(self._answerer, ask)
        except HeadgateError as error:
            if ask is not None:
                ask.open = False  # it was refused here, so that its caller's leaving concerns nobody
                self._places.leave(view.key, ask)
            problem, name = self._answerer.note(view, error, caller, rows)
            status = refuse(call, problem, request_id=name, version=view.live.header)
            view.count.replied(PROTOCOL, status, 0.0)
        except Exception:  # `open` tells the caller; what was entered here must not stay, and look stuck, for ever
            if ask is not None:
                ask.open = False
                self._places.leave(view.key, ask)
            raise

    def _answered(self, call: Call, wanted: infer.Wish, ask: Ask) -> None:
        self._places.leave(ask.view.key, ask)
        request_id, version, problem = name_of(ask), versions(ask), first_problem(ask)
        if problem is not None:
            self._count(ask, refuse(call, problem, request_id=request_id, version=version))
        else:
            reply = infer.write(MESSAGES["ModelInferResponse"](), ask, wanted)
            said = reply.SerializeToString()
            self._count(ask, Status.OK)  # first: whoever reads the reply may look at the counts at once
            call.reply(said, trailers(request_id, version))

    def _count(self, ask: Ask, status: int) -> None:
        ask.view.count.replied(PROTOCOL, status, (perf_counter_ns() - ask.arrived) / 1e9)

    # --- threads

    def _enter(self, ask: Ask) -> None:
        self._places.enter(ask.view.key, ask)
        if self._clearing is None and self._places.crowded:
            self._clearing = asyncio.get_running_loop().call_later(_CLEAR_SECONDS, self._clear)

    def _clear(self) -> None:
        self._clearing = None
        self._places.clear()
        if self._places.crowded:
            self._clearing = asyncio.get_running_loop().call_later(_CLEAR_SECONDS, self._clear)

    def _state_of(self, call: Call, service: str) -> int:
        """How a service stands, for whoever makes `call`: to strangers no endpoint exists."""
        key = (DEFAULT_PROJECT, service)
        if service not in ("", SERVICE) and not (key in self._repository.views and self._may_ask(call, service)):
            return SERVICE_UNKNOWN
        return NOT_SERVING if self._unready() or key in self._repository.closed else SERVING

    def _may_ask(self, call: Call, endpoint: str) -> bool:
        return self._permits.allows(partial(_shown, call), "v2/model/ready", DEFAULT_PROJECT, endpoint)


def _shown(call: Call) -> Shown:
    """What a caller shows of itself: its authorization, and the name in its certificate."""
    shown = call.metadata.get("authorization")
    return shown.encode("latin-1", "replace") if isinstance(shown, str) else shown, call.certificate


def _abandon(ask: Ask) -> None:
    """Nobody waits for `ask` any more: what no model has been asked for is asked of none."""
    if ask.open:
        ask.refusal = DeadlineExceeded("the caller has left, or its deadline passed")
        ask.close()


def _soonest(stated: float | None, left: float | None) -> float | None:
    """The earlier of two deadlines in milliseconds. Raises DeadlineExceeded when it has passed."""
    if left is None:
        return stated
    if left <= 0:
        raise DeadlineExceeded("the deadline had passed before the call was read")
    return min(left, LONGEST_DEADLINE_MS if stated is None else stated)
