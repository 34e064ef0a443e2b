"""Which door a request goes through; the one place that knows every path.

::

    GET  /livez  /readyz
    POST /v1/endpoints/{endpoint}/predict | labels | decisions
    POST /v1/projects/{project}/endpoints/{endpoint}/predict | labels | decisions
    GET  /v2  /v2/health/live  /v2/health/ready
    GET  /v2/models/{endpoint}[/versions/{version}]  …/ready
    POST /v2/models/{endpoint}[/versions/{version}]/infer
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from headgate.errors import HeadgateError, NotFound, Unavailable
from headgate.gateway.ask import FAULT
from headgate.gateway.doors import errors, v2
from headgate.gateway.doors.labels import LabelDoor
from headgate.gateway.doors.native import PredictDoor
from headgate.gateway.http.connection import Refused
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import send
from headgate.gateway.view import View
from headgate.vocabulary import DEFAULT_PROJECT

_LOG: Final = logging.getLogger(__name__)
_PATHS_KEPT: Final = 4096
_LONGEST_KEPT: Final = 256
_READ: Final = frozenset({b"GET", b"HEAD"})
_WRITE: Final = frozenset({b"POST"})

Views = dict[tuple[str, str], View]
"""By project and endpoint."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a path means."""

    door: str
    methods: frozenset[bytes]
    project: str = DEFAULT_PROJECT
    endpoint: str = ""
    version: str | None = None

    @property
    def speaks_v2(self) -> bool:
        """Whether its errors are the inference protocol's."""
        return self.door.startswith("v2")


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything a path can lead to."""

    predict: PredictDoor
    labels: LabelDoor
    decisions: LabelDoor
    v2: v2.V2Door


class Router:
    """Leads requests to doors."""

    def __init__(self, doors: Doors, unready: Callable[[], str], release: str) -> None:
        """`unready` says why this gateway should get no requests, "" when it should; `release` is Headgate's own."""
        self.views: Views = {}
        self._doors = doors
        self._unready = unready
        self._release = release
        self._routes: dict[bytes, Route | None] = {}
        self._predict = doors.predict.open

    def handle(self, exchange: Exchange) -> None:
        """Answer `exchange`, now or later."""
        route = self._route(exchange.head.target)
        try:
            if route is not None and route.door == "predict" and exchange.head.method == b"POST":
                self._predict(exchange, self._view(route))
            else:
                self._open(exchange, route)
        except HeadgateError as error:
            _refuse(exchange, route, error)
        except Exception:  # a fault of ours must cost this caller's answer only
            _LOG.exception("a request could not be handled")
            _refuse(exchange, route, HeadgateError(FAULT))

    def refuse(self, exchange: Exchange, reason: Refused) -> None:
        """Answer bytes that are no request."""
        body = errors.error_of("body" if reason.rule in ("size", "truncated", "length") else "request", reason)
        send(exchange, reason.status, body)

    def _open(self, exchange: Exchange, route: Route | None) -> None:
        if route is None:
            raise NotFound("path", exchange.head.target.decode("ascii", "replace")[:100])
        if exchange.head.method not in route.methods:
            allow = b"Allow: %b\r\n" % b", ".join(sorted(route.methods))
            send(exchange, 405, errors.error_of("method", _METHOD), extra=allow)
            return
        doors = self._doors
        match route.door:
            case "livez" | "v2/live":
                send(exchange, 200, b'{"live":true}')
            case "readyz" | "v2/ready":
                self._ready(exchange)
            case "labels":
                doors.labels.open(exchange, self._view(route))
            case "decisions":
                doors.decisions.open(exchange, self._view(route))
            case "v2":
                send(exchange, 200, v2.server_metadata(self._release))
            case "v2/model":
                doors.v2.metadata(exchange, self._view(route), route.version)
            case "v2/model/ready":
                self._check_ready()
                doors.v2.ready(exchange, self._view(route), route.version)
            case "v2/infer":
                doors.v2.infer(exchange, self._view(route), route.version)

    def _ready(self, exchange: Exchange) -> None:
        why = self._unready()
        if why:
            send(exchange, 503, b'{"ready":false,"why":"%b"}' % why.encode(), extra=b"Retry-After: 1\r\n")
        else:
            send(exchange, 200, b'{"ready":true}')

    def _check_ready(self) -> None:
        why = self._unready()
        if why:
            raise Unavailable(why)

    def _view(self, route: Route) -> View:
        view = self.views.get((route.project, route.endpoint))
        if view is None:
            raise NotFound("endpoint", route.endpoint[:63], "`headgate status` lists those there are")
        return view

    def _route(self, target: bytes) -> Route | None:
        try:
            return self._routes[target]
        except KeyError:
            pass
        if len(self._routes) >= _PATHS_KEPT:
            self._routes.clear()
        route = find_route(target)
        if len(target) <= _LONGEST_KEPT:
            self._routes[target] = route
        return route


_METHOD: Final = Refused(405, "method", "is not what this path answers to; see the Allow header")


def _refuse(exchange: Exchange, route: Route | None, error: HeadgateError) -> None:
    (v2.refuse if route is not None and route.speaks_v2 else errors.refuse)(exchange, error)


def find_route(target: bytes) -> Route | None:
    """What a request target means; None when it means nothing.

    >>> find_route(b"/v1/endpoints/delays/predict").endpoint
    'delays'
    """
    path = target.partition(b"?")[0].decode("ascii", "replace")
    match [unquote(part) for part in path.removeprefix("/").split("/")]:
        case [("livez" | "readyz") as door]:
            return Route(door, _READ)
        case ["v1", "endpoints", endpoint, ("predict" | "labels" | "decisions") as door]:
            return Route(door, _WRITE, endpoint=endpoint)
        case ["v1", "projects", project, "endpoints", endpoint, ("predict" | "labels" | "decisions") as door]:
            return Route(door, _WRITE, project, endpoint)
        case ["v2"] | ["v2", ""]:
            return Route("v2", _READ)
        case ["v2", "health", ("live" | "ready") as door]:
            return Route(f"v2/{door}", _READ)
        case ["v2", "models", endpoint, *rest]:
            return _model_route(endpoint, [each for each in rest if each])
    return None


def _model_route(endpoint: str, rest: list[str]) -> Route | None:
    version = None
    if len(rest) >= 2 and rest[0] == "versions":
        version, rest = rest[1], rest[2:]
    match rest:
        case []:
            return Route("v2/model", _READ, endpoint=endpoint, version=version)
        case ["ready"]:
            return Route("v2/model/ready", _READ, endpoint=endpoint, version=version)
        case ["infer"]:
            return Route("v2/infer", _WRITE, endpoint=endpoint, version=version)
    return None
