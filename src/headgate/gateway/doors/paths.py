"""Every path the gateway answers to, and what each means.

::

    GET  /livez  /readyz
    GET  /openapi.json
    GET  /v1/endpoints/{endpoint}/openapi.json
    POST /v1/endpoints/{endpoint}/predict | labels | decisions
    POST /v1/projects/{project}/endpoints/{endpoint}/predict | labels | decisions
    GET  /v1/projects/{project}/endpoints/{endpoint}/openapi.json
    GET  /v2  /v2/health/live  /v2/health/ready
    GET  /v2/models/{endpoint}[/versions/{version}]  …/ready
    POST /v2/models/{endpoint}[/versions/{version}]/infer
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from headgate.vocabulary import DEFAULT_PROJECT

NATIVE: Final = "native"
V2: Final = "v2"
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


def find_route(target: bytes) -> Route | None:
    """What a request target means; None when it means nothing.

    >>> find_route(b"/v1/endpoints/delays/predict").endpoint
    'delays'
    """
    path = target.partition(b"?")[0].decode("ascii", "replace")
    match [unquote(part) for part in path.removeprefix("/").split("/")]:
        case [("livez" | "readyz") as door]:
            return Route(door, _READ)
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
        case ["v2"] | ["v2", ""]:
            return Route("v2", _READ, V2)
        case ["v2", "health", ("live" | "ready") as health]:
            return Route(f"{health}z", _READ, V2)
        case ["v2", "models", endpoint, *rest]:
            return _model_route(endpoint, [each for each in rest if each])
    return None


def _model_route(endpoint: str, rest: list[str]) -> Route | None:
    version = None
    if len(rest) >= 2 and rest[0] == "versions":
        version, rest = rest[1], rest[2:]
    match rest:
        case []:
            return Route("v2/model", _READ, V2, endpoint=endpoint, version=version)
        case ["ready"]:
            return Route("v2/model/ready", _READ, V2, endpoint=endpoint, version=version)
        case ["infer"]:
            return Route("v2/infer", _WRITE, V2, endpoint=endpoint, version=version)
    return None
