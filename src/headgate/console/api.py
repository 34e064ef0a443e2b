"""The control API: translates HTTP into calls of `Control` and errors into statuses.

Served by the controller's process on its own port, away from the callers'.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from headgate.access.grants import CallerRole
from headgate.console.guard import Guard
from headgate.console.openapi import DOCUMENT
from headgate.console.ports import Control
from headgate.errors import (
    BadInput,
    BodyRefused,
    CallerError,
    Conflict,
    Forbidden,
    HeadgateError,
    NotFound,
    OperatorError,
    PassingError,
    Unauthenticated,
)
from headgate.vocabulary import DEFAULT_PROJECT, Micros

_STATUSES: Final[tuple[tuple[type[HeadgateError], int], ...]] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (BadInput, 422),
    (CallerError, 400),
    (PassingError, 503),
    (OperatorError, 500),
)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AWARE = Annotated[datetime, msgspec.Meta(tz=True)]


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    to: str


def control_api(control: Control, guard: Guard) -> Starlette:
    """The application behind the control port; `guard` says who may use it."""

    async def live(_: Request) -> Response:
        return JSONResponse({"live": True})

    async def described(_: Request) -> Response:
        return JSONResponse(DOCUMENT)

    async def endpoints(request: Request) -> Response:
        shown = request.headers.get("authorization")
        found = await run_in_threadpool(control.endpoints)
        found = await run_in_threadpool(_visible, guard, shown, found)
        return JSONResponse({"endpoints": [{"project": project, "endpoint": name} for project, name in found]})

    async def status(request: Request) -> Response:
        project = request.path_params.get("project", DEFAULT_PROJECT)
        endpoint, every = request.path_params["endpoint"], request.query_params.get("every", "day")
        shown = request.headers.get("authorization")
        caller = await run_in_threadpool(guard.caller, shown, CallerRole.READ, project=project, endpoint=endpoint)
        body = await run_in_threadpool(control.status, project, endpoint, every, caller.name)
        return Response(body, media_type="application/json")

    async def advance(request: Request) -> Response:
        await run_in_threadpool(guard.caller, request.headers.get("authorization"), CallerRole.OPERATE)
        to = moment(_decoded(await request.body()).to, "to")
        return JSONResponse({"obeyed": await run_in_threadpool(control.advance, to)})

    return Starlette(
        routes=[
            Route("/livez", live),
            Route("/openapi.json", described),
            Route("/v1/endpoints", endpoints),
            Route("/v1/endpoints/{endpoint}/status", status),
            Route("/v1/projects/{project}/endpoints/{endpoint}/status", status),
            Route("/v1/replay/advance", advance, methods=["POST"]),
        ],
        exception_handlers={HeadgateError: _refuse},
    )


def _decoded(body: bytes) -> _Advance:
    try:
        return msgspec.json.decode(body, type=_Advance)
    except msgspec.ValidationError as error:
        raise BadInput("body", "type", str(error)) from error
    except msgspec.DecodeError as error:
        raise BodyRefused("body", "json", "the body is not JSON") from error


def moment(text: str, field: str) -> Micros:
    """RFC 3339 text with an offset as microseconds since 1970.

    Raises BadInput naming `field`.

    >>> moment("2013-03-01T00:00:00Z", "to")
    1362096000000000
    """
    try:
        parsed = msgspec.convert(text, type=_AWARE, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(field, "type", "must be a time with an offset, such as 2013-03-01T00:00:00Z") from error
    return Micros((parsed - _EPOCH) // timedelta(microseconds=1))


async def _refuse(_: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUSES if isinstance(error, kind)), 500)
    body: dict[str, str] = {"message": str(error)}
    if isinstance(error, BadInput):
        body = {"field": error.field, "rule": error.rule, "message": error.message}
    headers = {"WWW-Authenticate": 'Bearer realm="headgate"'} if status == 401 else {}
    return JSONResponse({"error": body}, status_code=status, headers=headers)


def _visible(guard: Guard, shown: str | None, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The endpoints a caller may operate or read. Raises Unauthenticated, or Forbidden when there is none."""
    visible, refused = [], None
    for project, endpoint in found:
        try:
            guard.caller(shown, CallerRole.OPERATE, CallerRole.READ, project=project, endpoint=endpoint)
        except Forbidden as error:
            refused = error
        else:
            visible.append((project, endpoint))
    if not visible:
        if refused is not None:
            raise refused
        guard.caller(shown, CallerRole.OPERATE)
    return visible
