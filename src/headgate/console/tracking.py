"""What a tracking server tells the control API. It shows no key: its signature says who it is."""

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from headgate.console.bodies import read_bytes
from headgate.console.ports import Control


def tracking_routes(control: Control) -> list[Route]:
    """The one address its webhooks go to."""

    async def hear(request: Request) -> Response:
        body = await read_bytes(request)
        headers = dict(request.headers)
        return JSONResponse({"heard": await run_in_threadpool(partial(control.hear, headers, body))})

    return [Route("/v1/mlflow/webhook", hear, methods=["POST"])]
