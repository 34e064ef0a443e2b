"""The control API: translates HTTP into calls of `Control` and errors into statuses.

Served by the controller's process on its own port, away from the callers'.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Final, Literal

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from headgate.access.grants import CallerRole
from headgate.console.bodies import read_body
from headgate.console.guard import Guard
from headgate.console.monitors import monitor_routes
from headgate.console.openapi import DOCUMENT
from headgate.console.paths import named
from headgate.console.ports import Control
from headgate.console.retraining import retraining_routes
from headgate.console.reviews import review_routes
from headgate.contracts.explain import off_calendar
from headgate.errors import (
    BadInput,
    CallerError,
    Conflict,
    Forbidden,
    HeadgateError,
    NotFound,
    OperatorError,
    PassingError,
    Unauthenticated,
)
from headgate.vocabulary import Micros, readable

_NO_PATH: Final = 404
_STEPLESS: Final = ("deploy", "rollback")
"""What is about a whole rollout, in whichever step it is."""
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


@readable
class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    to: str


@readable
class _Order(msgspec.Struct, forbid_unknown_fields=True):
    action: Literal["deploy", "pause", "resume", "approve", "promote", "abort", "rollback"]
    plan: str = ""
    why: str = ""
    step: int | None = None
    """The step an order is about, ``state.step`` as it was read."""


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
        where, every = named(request), request.query_params.get("every", "day")
        shown = request.headers.get("authorization")
        caller = await run_in_threadpool(partial(guard.caller, shown, CallerRole.READ, **where))
        body = await run_in_threadpool(partial(control.status, **where, every=every, who=caller.name))
        return Response(body, media_type="application/json")

    async def advance(request: Request) -> Response:
        caller = await run_in_threadpool(guard.caller, request.headers.get("authorization"), CallerRole.OPERATE)
        to = moment((await read_body(request, _Advance)).to, "to")
        return JSONResponse({"obeyed": await run_in_threadpool(control.advance, to, caller.name)})

    async def rollout(request: Request) -> Response:
        where, shown = named(request), request.headers.get("authorization")
        if request.method == "GET":
            caller = await run_in_threadpool(partial(guard.caller, shown, CallerRole.READ, **where))
            body = await run_in_threadpool(partial(control.rollout, **where, who=caller.name))
            return Response(body, media_type="application/json")
        caller = await run_in_threadpool(partial(guard.caller, shown, CallerRole.OPERATE, **where))
        order = await read_body(request, _Order)
        if order.step is not None and order.action in _STEPLESS:
            raise BadInput("step", "unknown", f"means nothing to {order.action}")
        if order.action == "deploy":
            act = partial(control.deploy, **where, plan=order.plan, why=order.why, who=caller.name)
        else:
            act = partial(control.move, **where, action=order.action, why=order.why, who=caller.name, step=order.step)
        return Response(await run_in_threadpool(act), media_type="application/json")

    return Starlette(
        routes=[
            Route("/livez", live),
            Route("/openapi.json", described),
            Route("/v1/endpoints", endpoints),
            Route("/v1/endpoints/{endpoint}/status", status),
            Route("/v1/projects/{project}/endpoints/{endpoint}/status", status),
            Route("/v1/endpoints/{endpoint}/rollout", rollout, methods=["GET", "POST"]),
            Route("/v1/projects/{project}/endpoints/{endpoint}/rollout", rollout, methods=["GET", "POST"]),
            *review_routes(control, guard),
            *monitor_routes(control, guard),
            *retraining_routes(control, guard),
            Route("/v1/replay/advance", advance, methods=["POST"]),
        ],
        exception_handlers={HeadgateError: _refuse, HTTPException: _no_route},
    )


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
    if off_calendar(parsed):
        raise BadInput(field, "type", "must be a time within the years 1 to 9999")
    return Micros((parsed - _EPOCH) // timedelta(microseconds=1))


async def _refuse(_: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUSES if isinstance(error, kind)), 500)
    body: dict[str, str] = {"message": str(error)}
    if isinstance(error, BadInput):
        body = {"field": error.field, "rule": error.rule, "message": error.message}
    headers = {"WWW-Authenticate": 'Bearer realm="headgate"'} if status == 401 else {}
    return JSONResponse({"error": body}, status_code=status, headers=headers)


async def _no_route(request: Request, error: Exception) -> Response:
    """What Starlette itself has to say: no such path, or another method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    message = f"path '{request.url.path[:100]}' does not exist" if error.status_code == _NO_PATH else error.detail
    return JSONResponse({"error": {"message": message}}, status_code=error.status_code, headers=error.headers)


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
