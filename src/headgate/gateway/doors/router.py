"""Which door a request goes through: `paths.py` says what a path means, this table what is done about it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from headgate.access.grants import ANY
from headgate.errors import BodyRefused, HeadgateError, NotFound
from headgate.gateway.ask import FAULT
from headgate.gateway.doors import errors
from headgate.gateway.doors.arrow.door import wants_table
from headgate.gateway.doors.dialect import DialectDoor
from headgate.gateway.doors.invocations.health import HealthDoor
from headgate.gateway.doors.labels import LabelDoor
from headgate.gateway.doors.native import PredictDoor
from headgate.gateway.doors.openapi import Described
from headgate.gateway.doors.paths import NATIVE, Chosen, Route, dialect_of, find_route
from headgate.gateway.doors.tensorflow import about as tensorflow
from headgate.gateway.doors.unfold import Unfolder
from headgate.gateway.doors.v2 import about
from headgate.gateway.doors.v2.repository import Repository
from headgate.gateway.http.coding import is_coded
from headgate.gateway.http.exchange import ACCEPT, CONTENT_TYPE, Exchange, Head
from headgate.gateway.http.heads import METHODS
from headgate.gateway.http.replies import send
from headgate.gateway.http.wire import Handle, Refused
from headgate.gateway.permits import Permits
from headgate.gateway.room import Room
from headgate.gateway.view import View

_LOG: Final = logging.getLogger(__name__)
_PATHS_KEPT: Final = 4096
_LONGEST_KEPT: Final = 256
_WORDS_KEPT: Final = 256
"""Pairs of types; every form has another boundary."""
_ASKING: Final = frozenset({"predict", "v2/infer", "tensorflow", "invocations", "vertex"})
"""Doors whose rows wait in the room; each looks into it before it reads a body."""

ServerDoor = Callable[[Exchange], object]
EndpointDoor = Callable[[Exchange, View, str | None], object]
"""Opens for a request, the view it is answered under and the version it names."""
PredictBody = Callable[[Exchange, View], object]
"""Has a body of one type answered under a view."""
Change = Callable[[Exchange, View], "asyncio.Future[None]"]
"""Takes an endpoint into service or out of it."""
Refuse = Callable[[Exchange, HeadgateError], object]


class Router:
    """Leads requests to doors."""

    def __init__(
        self,
        *,
        predict: PredictDoor,
        bodies: Mapping[bytes, PredictBody],
        tables: PredictBody,
        labels: LabelDoor,
        decisions: LabelDoor,
        dialects: Mapping[str, DialectDoor],
        repository: Repository,
        chosen: Chosen,
        permits: Permits,
        room: Room,
        unready: Callable[[], str],
        release: str,
        body_limit: int,
    ) -> None:
        """`bodies` are doors of the native predict route by the type of body they take; every other body is JSON.

        `tables` is the door for JSON whose caller accepts tables alone, `dialects` are doors by the name that
        `paths.py` gives their protocol, `chosen` paths of a platform's. `unready` says why this gateway should get no
        requests, "" when it should; `release` is Headgate's own.
        """
        self.views = repository.views
        self._repository = repository
        self._chosen, self._permits, self.room = chosen, permits, room
        self._unready, self._unfolder = unready, Unfolder(body_limit)
        self._routes: dict[bytes, Route | None] = {}
        self._predict = predict.open
        self._no_room = predict.no_room
        self._bodies, self._tables = bodies, tables
        self._spoken: dict[tuple[bytes | None, bytes | None], PredictBody] = {}
        """The door by what was said of body and answer; clients repeat themselves."""
        described = Described(release)
        self._of_server: Mapping[str, ServerDoor] = {
            "livez": lambda exchange: send(exchange, 200, b'{"live":true}'),
            "readyz": self._ready,
            "openapi": described.all_of_it,
            "v2": lambda exchange: send(exchange, 200, about.server_metadata(release)),
            "v2/index": repository.index,
            "v2/stats": repository.statistics,
        }
        health = HealthDoor(repository.check_ready, release, lambda: permits.required)
        self._of_endpoints: Mapping[str, EndpointDoor] = {
            "predict": lambda exchange, view, _: predict.open(exchange, view),
            "labels": lambda exchange, view, _: labels.open(exchange, view),
            "decisions": lambda exchange, view, _: decisions.open(exchange, view),
            "openapi/endpoint": described.endpoint,
            "v2/model": about.metadata,
            "v2/model/ready": self._model_ready,
            "v2/infer": dialects["v2"].open,
            "tensorflow": dialects["tensorflow"].open,
            "tensorflow/status": tensorflow.status,
            "tensorflow/metadata": tensorflow.metadata,
            "invocations": dialects["invocations"].open,
            "vertex": dialects["vertex"].open,
            "ping": health.ping,
            "version": health.release,
        }
        self._of_operators: Mapping[str, EndpointDoor] = {
            "v2/load": partial(self._change, repository.load),
            "v2/unload": partial(self._change, repository.unload),
            "v2/model/config": about.configuration,
            "v2/model/stats": repository.statistics_of,
        }
        """These open for endpoints out of service too."""
        self._refusals: Mapping[str, Refuse] = {
            NATIVE: errors.refuse,
            **{name: door.refuse for name, door in dialects.items()},
        }

    def handle(self, exchange: Exchange) -> None:
        """Answer `exchange`, now or later."""
        # Before anything is read or unfolded: strangers get no work out of us.
        if self._permits.required and not (self._permits.knows(exchange) or self._admits(exchange)):
            return
        if exchange.head.headers and is_coded(exchange.head):
            self._unfold(exchange)
        else:
            self._lead(exchange)

    def way(self, head: Head) -> Handle | None:
        """What `handle` does with requests of that head, less what the head alone decides; None off the hot path.

        That is half of what there is to do before the body is read.
        """
        route = self._route(head.target)
        if route is None or route.endpoint is None or head.method != b"POST" or is_coded(head):
            return None
        key = route.project, route.endpoint
        if route.door == "predict":
            return partial(self._go, route, key, self._predict_body(head))
        door = self._of_endpoints.get(route.door)
        if door is None or head.method not in route.methods:
            return None
        return partial(self._go, route, key, lambda exchange, view: door(exchange, view, route.version))

    def _go(self, route: Route, key: tuple[str, str], door: PredictBody, exchange: Exchange) -> None:
        if self._permits.required and not (self._permits.knows(exchange) or self._admits(exchange)):
            return
        view = self.views.get(key)
        if view is None or self._repository.closed:
            self._lead(exchange)  # which says what is wrong
            return
        try:
            door(exchange, view)
        except Exception as error:
            self._failed(exchange, route, error)

    def no_room(self, head: Head) -> bytes | None:
        """The reply to a request of that head on the hot path, when no row has room; None means it must be led.

        Where callers must show who they are, how much of the room is theirs decides, and that is found out on the way.
        """
        if self._permits.required or not self.room.lacks(None):
            return None
        route = self._routes.get(head.target)
        if route is None or route.door != "predict" or head.method != b"POST":
            return None
        try:
            return self._no_room(self._view(route))
        except HeadgateError:
            return None  # it is refused for another reason, on the way

    def turn_away(self, exchange: Exchange) -> bool:
        """Whether its head alone refuses `exchange`, whose body is still to come; it was answered then.

        So nobody may send us a body that no door of theirs would read: not a stranger, nor to a path without one.
        """
        if self._permits.required and not self._admits(exchange):
            return True
        route, method = self._route(exchange.head.target), exchange.head.method
        if route is None or method not in route.methods:
            self._lead(exchange)
            return True
        if method != b"POST":
            self._refuse(exchange, route, BodyRefused("body", "size", "is not read with this method; send none"))
            return True
        return False

    def refuse(self, exchange: Exchange, reason: Refused) -> None:
        """Answer bytes that are no request."""
        body = errors.error_of(
            "body" if reason.rule in ("size", "truncated", "length", "encoding") else "request", reason
        )
        extra = {405: self._allow(exchange), 503: b"Retry-After: 1\r\n"}.get(reason.status, b"")
        send(exchange, reason.status, body, extra=extra)

    def _allow(self, exchange: Exchange) -> bytes:
        """What the path answers to: a reply of status 405 owes it (RFC 9110, section 15.5.6)."""
        route = self._route(exchange.head.target)
        return b"Allow: %b\r\n" % b", ".join(sorted(METHODS if route is None else route.methods))

    def _lead(self, exchange: Exchange) -> None:
        route: Route | None = None
        try:
            route = self._route(exchange.head.target)
            if route is not None and route.door == "predict" and exchange.head.method == b"POST":
                self._predict_body(exchange.head)(exchange, self._view(route))
            else:
                self._open(exchange, route)
        except Exception as error:
            self._failed(exchange, route, error)

    def _failed(self, exchange: Exchange, route: Route | None, error: BaseException) -> None:
        """Tell the caller; a fault of ours must cost this caller's answer only."""
        if not isinstance(error, HeadgateError):
            _LOG.error("a request could not be handled", exc_info=error)
            error = HeadgateError(FAULT)
        self._refuse(exchange, route, error)

    def _predict_body(self, head: Head) -> PredictBody:
        """The door for a body: it may be something else than JSON, or something else may answer it."""
        said = head.headers.get(CONTENT_TYPE), head.headers.get(ACCEPT)
        try:
            return self._spoken[said]
        except KeyError:
            pass
        if len(self._spoken) >= _WORDS_KEPT:
            self._spoken.clear()
        door = self._bodies.get(head.media_type())
        if door is None:
            door = self._tables if wants_table(head) else self._predict
        self._spoken[said] = door
        return door

    def _admits(self, exchange: Exchange) -> bool:
        """Whether the caller may pass the door it asks for; if not, it was told so."""
        route: Route | None = None
        try:
            route = self._route(exchange.head.target)
            if route is None:
                return True  # there is nothing behind it
            project, endpoint = route.project, route.endpoint
            if endpoint is None and len(self.views) == 1:
                project, endpoint = next(iter(self.views))
            self._permits.admit(exchange, route, project, endpoint or ANY)
        except Exception as error:
            self._failed(exchange, route, error)
            return False
        return True

    def _open(self, exchange: Exchange, route: Route | None) -> None:
        if route is None:
            raise NotFound("path", exchange.head.target.decode("ascii", "replace")[:100])
        if exchange.head.method not in route.methods:
            send(exchange, 405, errors.error_of("method", _METHOD), extra=self._allow(exchange))
        elif route.door in self._of_server:
            self._of_server[route.door](exchange)
        elif route.door in self._of_operators:
            self._of_operators[route.door](exchange, self._find(route), route.version)
        else:
            self._of_endpoints[route.door](exchange, self._view(route), route.version)

    def _refuse(self, exchange: Exchange, route: Route | None, error: HeadgateError) -> None:
        dialect = dialect_of(exchange.head.target) if route is None else route.dialect
        self._refusals[dialect](exchange, error)

    def _unfold(self, exchange: Exchange) -> None:
        """Have a compressed body opened and its exchange led on; where there is no room, its door says so at once."""
        route: Route | None = None
        try:
            route = self._route(exchange.head.target)
            if route is not None and route.door in _ASKING and self.room.lacks(exchange.caller):
                self._lead(exchange)
            else:
                self._unfolder.open(exchange, partial(self._unfolded, exchange))
        except Exception as error:
            self._failed(exchange, route, error)

    def _unfolded(self, exchange: Exchange, problem: BaseException | None) -> None:
        if problem is None:
            self._lead(exchange)
        else:  # the caller's fault, or ours: there may be no memory left to open it in
            self._failed(exchange, self._route(exchange.head.target), problem)

    def _ready(self, exchange: Exchange) -> None:
        why = self._unready()
        if why:
            send(exchange, 503, b'{"ready":false,"why":"%b"}' % why.encode(), extra=b"Retry-After: 1\r\n")
        else:
            send(exchange, 200, b'{"ready":true}')

    def _model_ready(self, exchange: Exchange, view: View, version: str | None) -> None:
        self._repository.check_ready()
        about.ready(exchange, view, version)

    def _change(self, change: Change, exchange: Exchange, view: View, _: str | None) -> None:
        change(exchange, view).add_done_callback(partial(self._changed, exchange, view.live.header))

    def _changed(self, exchange: Exchange, version: bytes, done: "asyncio.Future[None]") -> None:
        if (problem := done.exception()) is None:
            send(exchange, 200, b"{}", version=version)
        else:
            self._failed(exchange, self._route(exchange.head.target), problem)

    def _view(self, route: Route) -> View:
        return self._repository.check_open(self._find(route))

    def _find(self, route: Route) -> View:
        if route.endpoint is None:
            return self._only_view()
        return self._repository.find(route.project, route.endpoint)

    def _only_view(self) -> View:
        """The endpoint of protocols that know one model: the only one there is."""
        if len(self.views) != 1:
            raise NotFound("endpoint", "default", "Several or none are served; name one: /endpoints/{endpoint}/...")
        return next(iter(self.views.values()))

    def _route(self, target: bytes) -> Route | None:
        try:
            return self._routes[target]
        except KeyError:
            pass
        if len(self._routes) >= _PATHS_KEPT:
            self._routes.clear()
        route = find_route(target, self._chosen)
        if len(target) <= _LONGEST_KEPT:
            self._routes[target] = route
        return route


_METHOD: Final = Refused(405, "method", "is not what this path answers to; see the Allow header")
