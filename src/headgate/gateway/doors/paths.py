"""Every path the gateway answers to, and what each means.

::

    GET  /livez  /readyz
    GET  /openapi.json
    GET  /v1/endpoints/{endpoint}/openapi.json
    POST /v1/endpoints/{endpoint}/predict | labels | decisions
    POST /v1/projects/{project}/endpoints/{endpoint}/predict | labels | decisions
    GET  /v1/projects/{project}/endpoints/{endpoint}/openapi.json
    GET  /v2  /v2/health/live  /v2/health/ready
    GET  /v2/models/{endpoint}[/versions/{version}]  …/ready  …/config  …/stats
    GET  /v2/models/stats
    POST /v2/models/{endpoint}[/versions/{version}]/infer
    POST /v2/repository/index
    POST /v2/repository/models/{endpoint}/load | unload
    POST /v1/models/{endpoint}[/versions/{version} | /labels/{label}]:predict
    GET  /v1/models/{endpoint}[/versions/{version} | /labels/{label}]  …/metadata
    POST /invocations
    GET  /ping
    GET  /health
    GET  /version

The last four are for the only endpoint there is; ``/endpoints/{endpoint}`` in front names one of several. So it is
with the two routes a platform may choose.
"""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from headgate.vocabulary import DEFAULT_PROJECT

NATIVE: Final = "native"
V2: Final = "v2"
TENSORFLOW: Final = "tensorflow"
INVOCATIONS: Final = "invocations"
VERTEX: Final = "vertex"
_READ: Final = frozenset({b"GET", b"HEAD"})
_WRITE: Final = frozenset({b"POST"})


@dataclass(frozen=True, slots=True)
class Route:
    """What a path means."""

    door: str
    """The name `router.py` knows the door by."""
    methods: frozenset[bytes]
    dialect: str = NATIVE
    """In whose words it is refused."""
    project: str = DEFAULT_PROJECT
    endpoint: str | None = None
    """None where the path names none: the door is the server's, or the only endpoint there is answers."""
    version: str | None = None
    """As the caller spelled it, a label with ``@`` in front."""


Chosen = dict[str, Route]
"""Routes by paths that a platform chose."""


def chosen_routes(*, health: str | None, predict: str | None) -> Chosen:
    """What the paths a platform chose for health checks and predictions mean.

    >>> sorted(chosen_routes(health="/healthy", predict="/predict"))
    ['/healthy', '/predict']
    """
    meanings = ((health, Route("ping", _READ, VERTEX)), (predict, Route("vertex", _WRITE, VERTEX)))
    return {path: meaning for path, meaning in meanings if path is not None}


def find_route(target: bytes, chosen: Chosen | None = None) -> Route | None:
    """What a request target means; None when it means nothing.

    >>> find_route(b"/v1/endpoints/delays/predict").endpoint
    'delays'
    >>> find_route(b"/endpoints/delays/ping").door
    'ping'
    """
    path = _path(target)
    if chosen and path in chosen:
        return chosen[path]
    raw = path.removeprefix("/").split("/")
    match [unquote(part) for part in raw]:
        case [("livez" | "readyz") as door]:
            return Route(door, _READ)
        case ["endpoints", endpoint, *rest]:
            return _of_one(endpoint, rest, (chosen or {}).get("/".join(["", *raw[2:]])))
        case ["openapi.json"]:
            return Route("openapi", _READ)
        case ["v1", "endpoints", endpoint, "openapi.json"]:
            return Route("openapi/endpoint", _READ, endpoint=endpoint)
        case ["v1", "projects", project, "endpoints", endpoint, "openapi.json"]:
            return Route("openapi/endpoint", _READ, project=project, endpoint=endpoint)
        case ["v1", "endpoints", endpoint, ("predict" | "labels" | "decisions") as door]:
            return Route(door, _WRITE, endpoint=endpoint)
        case ["v1", "projects", project, "endpoints", endpoint, ("predict" | "labels" | "decisions") as door]:
            return Route(door, _WRITE, project=project, endpoint=endpoint)
        case ["v2", *rest]:
            return _v2([each for each in rest if each])
        case ["v1", "models", *rest]:
            return _tensorflow(rest)
        case rest:
            return _single(rest)


def dialect_of(target: bytes) -> str:
    """In whose words a target that means nothing is refused: those of the protocol whose paths it is among.

    >>> dialect_of(b"/v1/models"), dialect_of(b"/v1/moods")
    ('tensorflow', 'native')
    """
    match [unquote(part) for part in _path(target).removeprefix("/").split("/")]:
        case ["v2", *_]:
            return V2
        case ["v1", "models", *_]:
            return TENSORFLOW
    return NATIVE


def _path(target: bytes) -> str:
    """The path in a target, without the scheme and host that requests to a proxy have, which any server may get.

    >>> _path(b"http://localhost:8080/livez"), _path(b"/livez?now")
    ('/livez', '/livez')
    """
    path = target.partition(b"?")[0].decode("ascii", "replace")
    scheme, apart, rest = path.partition("://")
    return path if not apart or scheme.lower() not in ("http", "https") else "/" + rest.partition("/")[2]


def _of_one(endpoint: str, rest: list[str], chosen: Route | None) -> Route | None:
    """The route of a protocol that knows one model, for the endpoint in front of it."""
    route = chosen or _single(rest)
    return None if route is None else replace(route, endpoint=endpoint)


def _single(parts: list[str]) -> Route | None:
    match parts:
        case ["invocations"]:
            return Route("invocations", _WRITE, INVOCATIONS)
        case ["ping" | "health"]:
            return Route("ping", _READ, INVOCATIONS)
        case ["version"]:
            return Route("version", _READ, INVOCATIONS)
    return None


def _v2(parts: list[str]) -> Route | None:
    match parts:
        case []:
            return Route("v2", _READ, V2)
        case ["health", ("live" | "ready") as health]:
            return Route(f"{health}z", _READ, V2)
        case ["models", "stats"]:
            return Route("v2/stats", _READ, V2)
        case ["models", endpoint, "versions", version, *rest]:
            return _v2_model(endpoint, version, rest)
        case ["models", endpoint, *rest]:
            return _v2_model(endpoint, None, rest)
        case ["repository", "index"]:
            return Route("v2/index", _WRITE, V2)
        case ["repository", "models", endpoint, ("load" | "unload") as door]:
            return Route(f"v2/{door}", _WRITE, V2, endpoint=endpoint)
    return None


def _v2_model(endpoint: str, version: str | None, rest: list[str]) -> Route | None:
    match rest:
        case []:
            return Route("v2/model", _READ, V2, endpoint=endpoint, version=version)
        case [("ready" | "config" | "stats") as about]:
            return Route(f"v2/model/{about}", _READ, V2, endpoint=endpoint, version=version)
        case ["infer"]:
            return Route("v2/infer", _WRITE, V2, endpoint=endpoint, version=version)
    return None


def _tensorflow(parts: list[str]) -> Route | None:
    """``{endpoint}[/versions/{version} | /labels/{label}]``, then ``:predict``, ``/metadata`` or nothing."""
    if not parts:
        return None
    door, methods = "tensorflow/status", _READ
    if parts[-1].endswith(":predict"):
        door, methods, parts = "tensorflow", _WRITE, [*parts[:-1], parts[-1].removesuffix(":predict")]
    elif len(parts) > 1 and parts[-1] == "metadata":
        door, parts = "tensorflow/metadata", parts[:-1]
    match parts:
        case [endpoint]:
            return Route(door, methods, TENSORFLOW, endpoint=endpoint)
        case [endpoint, "versions", version]:
            return Route(door, methods, TENSORFLOW, endpoint=endpoint, version=version)
        case [endpoint, "labels", label]:
            return Route(door, methods, TENSORFLOW, endpoint=endpoint, version=f"@{label}")
    return None
