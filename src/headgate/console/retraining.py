"""How models learn again, over HTTP: the runs there were, and whoever may operate says that it is time.

CI and whoever makes data sets call it with a key of the role ``operate``; what they say counts as the endpoint's file
wants it.
"""

from functools import partial
from typing import Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.access.grants import CallerRole
from headgate.console.bodies import read_body
from headgate.console.guard import Guard
from headgate.console.paths import named
from headgate.console.ports import Control
from headgate.vocabulary import readable


@readable
class _Said(msgspec.Struct, forbid_unknown_fields=True):
    action: Literal["start", "cancel", "message", "data"]
    why: str = ""
    key: str = ""
    """What it is the same message as, such as a commit or a data set's version."""


def retraining_routes(control: Control, guard: Guard) -> list[Route]:
    """The routes of an endpoint's runs, with and without a project in the path."""

    async def retraining(request: Request) -> Response:
        role = CallerRole.READ if request.method in ("GET", "HEAD") else CallerRole.OPERATE
        shown, where = request.headers.get("authorization"), named(request)
        caller = await run_in_threadpool(partial(guard.caller, shown, role, **where))
        if role is CallerRole.READ:
            act = partial(control.runs, **where)
        else:
            said = await read_body(request, _Said)
            act = partial(control.retrain, **where, action=said.action, why=said.why, key=said.key, who=caller.name)
        return Response(await run_in_threadpool(act), media_type="application/json")

    places = ("/v1/endpoints/{endpoint}", "/v1/projects/{project}/endpoints/{endpoint}")
    return [Route(f"{each}/retraining", retraining, methods=["GET", "POST"]) for each in places]
