"""How endpoints stand, over HTTP: their monitors, their report as JSON and as a page, and their alerts.

A report may hold examples of a rollout's inputs, so that who read it is remembered; nothing else here shows a row.
"""

from functools import partial
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.access.caller import Caller
from headgate.access.grants import CallerRole
from headgate.console.bodies import read_body
from headgate.console.guard import Guard
from headgate.console.paths import named
from headgate.console.ports import Control
from headgate.errors import BadInput
from headgate.vocabulary import readable

MOST_DAYS: Final = 1000
"""Days that are told of at once, at most."""
_ALONE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}
"""A page of ours shows what callers sent: should some of it ever be taken for markup, it can do nothing."""


@readable
class _Acknowledgement(msgspec.Struct, forbid_unknown_fields=True):
    why: str = ""


@readable
class _Silence(msgspec.Struct, forbid_unknown_fields=True):
    because: str
    lasting: str = msgspec.field(name="for")


def monitor_routes(control: Control, guard: Guard) -> list[Route]:
    """The routes of an endpoint's monitors, report and alerts, with and without a project in the path."""

    async def admitted(request: Request, role: CallerRole) -> Caller:
        shown = request.headers.get("authorization")
        return await run_in_threadpool(partial(guard.caller, shown, role, **named(request)))

    async def monitor(request: Request) -> Response:
        await admitted(request, CallerRole.READ)
        body = await run_in_threadpool(partial(control.monitored, **named(request), last=_last(request)))
        return _json(body)

    async def report(request: Request) -> Response:
        caller = await admitted(request, CallerRole.READ)
        asked = {**named(request), "who": caller.name}
        return _json(await run_in_threadpool(partial(control.report, **asked, last=_last(request))))

    async def page(request: Request) -> Response:
        caller = await admitted(request, CallerRole.READ)
        asked = {**named(request), "who": caller.name}
        body = await run_in_threadpool(partial(control.page, **asked, last=_last(request)))
        return Response(body, media_type="text/html", headers=_ALONE)

    async def alerts(request: Request) -> Response:
        await admitted(request, CallerRole.READ)
        over = request.query_params.get("all", "false")
        if over not in ("true", "false"):
            raise BadInput("all", "domain", "must be true or false")
        return _json(await run_in_threadpool(partial(control.alerts, **named(request), over=over == "true")))

    async def alert(request: Request) -> Response:
        await admitted(request, CallerRole.READ)
        return _json(await run_in_threadpool(partial(control.alert, **named(request), alert_id=_alert(request))))

    async def acknowledge(request: Request) -> Response:
        caller = await admitted(request, CallerRole.OPERATE)
        order = await read_body(request, _Acknowledgement)
        asked = {**named(request), "alert_id": _alert(request), "why": order.why, "who": caller.name}
        return _json(await run_in_threadpool(partial(control.acknowledge, **asked)))

    async def silence(request: Request) -> Response:
        caller = await admitted(request, CallerRole.OPERATE)
        order = await read_body(request, _Silence)
        asked = {**named(request), "lasting": order.lasting, "because": order.because, "who": caller.name}
        return _json(await run_in_threadpool(partial(control.silence, **asked)))

    routes = []
    for where in ("/v1/endpoints/{endpoint}", "/v1/projects/{project}/endpoints/{endpoint}"):
        routes += [
            Route(f"{where}/monitor", monitor),
            Route(f"{where}/report", report),
            Route(f"{where}/report.html", page),
            Route(f"{where}/alerts", alerts),
            Route(f"{where}/alerts/{{alert}}", alert),
            Route(f"{where}/alerts/{{alert}}/acknowledge", acknowledge, methods=["POST"]),
            Route(f"{where}/silence", silence, methods=["POST"]),
        ]
    return routes


def _last(request: Request) -> int | None:
    """How many days are asked for; None leaves it to whoever answers."""
    asked = request.query_params.get("last")
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 4 and 1 <= int(asked) <= MOST_DAYS):
        raise BadInput("last", "range", f"must be a whole number of days from 1 to {MOST_DAYS}")
    return int(asked)


def _alert(request: Request) -> str:
    found: str = request.path_params["alert"]
    return found


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
