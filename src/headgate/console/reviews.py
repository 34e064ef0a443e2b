"""Cases for people over HTTP: the next one, its pictures, giving it back, and what waits.

A decision itself goes to a gateway, which alone writes the journal: ``POST /v1/endpoints/{endpoint}/decisions``.
"""

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from headgate.access.caller import ANYBODY, Caller
from headgate.access.grants import CallerRole
from headgate.console.guard import Guard
from headgate.console.paths import named
from headgate.console.ports import Control
from headgate.errors import BadInput, Forbidden

LONGEST_NAME = 200
"""Characters of a reviewer's name."""
_SHOWN = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
"""What callers sent is shown as what it is and never run: browsers must not guess, nor trust it as a page of ours."""


def review_routes(control: Control, guard: Guard) -> list[Route]:
    """The routes of an endpoint's cases, with and without a project in the path."""

    async def admitted(request: Request, *roles: CallerRole) -> Caller:
        shown = request.headers.get("authorization")
        return await run_in_threadpool(partial(guard.caller, shown, *roles, **named(request)))

    async def queue(request: Request) -> Response:
        await admitted(request, CallerRole.REVIEW, CallerRole.READ)
        body = await run_in_threadpool(partial(control.queue, **named(request)))
        return Response(body, media_type="application/json")

    async def next_case(request: Request) -> Response:
        caller = await admitted(request, CallerRole.REVIEW)
        who = reviewer(caller, request.query_params.get("reviewer"))
        body = await run_in_threadpool(partial(control.next_case, **named(request), reviewer=who, who=caller.name))
        return Response(status_code=204) if body is None else Response(body, media_type="application/json")

    async def skip(request: Request) -> Response:
        caller = await admitted(request, CallerRole.REVIEW)
        who = reviewer(caller, request.query_params.get("reviewer"))
        input_id = request.path_params["input_id"]
        await run_in_threadpool(partial(control.skip_case, **named(request), input_id=input_id, reviewer=who))
        return JSONResponse({"skipped": input_id})

    async def picture(request: Request) -> Response:
        caller = await admitted(request, CallerRole.REVIEW)
        which = {key: request.path_params[key] for key in ("input_id", "field")}
        act = partial(control.picture, **named(request), **which, who=caller.name)
        content, media_type = await run_in_threadpool(act)
        return Response(content, media_type=media_type, headers=_SHOWN)

    routes = []
    for where in ("/v1/endpoints/{endpoint}", "/v1/projects/{project}/endpoints/{endpoint}"):
        routes += [
            Route(f"{where}/reviews", queue),
            Route(f"{where}/reviews/next", next_case),
            Route(f"{where}/reviews/{{input_id}}/skip", skip, methods=["POST"]),
            Route(f"{where}/reviews/{{input_id}}/fields/{{field}}", picture),
        ]
    return routes


def reviewer(caller: Caller, asked: str | None) -> str:
    """Under which name a caller has cases: their own, or where nobody is asked for a key the one they give.

    Raises BadInput where there is none, Forbidden where it is another than their own.
    """
    if caller.name != ANYBODY:
        if asked not in (None, caller.name):
            raise Forbidden(f"cases are held under one's own name; leave reviewer out, or say {caller.name}")
        return caller.name
    if not asked or len(asked) > LONGEST_NAME:
        raise BadInput("reviewer", "missing", f"say who reviews, in 1 to {LONGEST_NAME} characters: ?reviewer=NAME")
    return asked
