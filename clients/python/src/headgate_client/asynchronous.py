"""The client for programs with an asyncio event loop; calls of any number of tasks share its connections."""

import asyncio
import ssl
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

import httpcore2

from headgate_client import calls
from headgate_client.attempts import Attempts, Done, Retries, Wait
from headgate_client.calls import DEFAULT_PROJECT, Call, reply_of
from headgate_client.errors import Passing
from headgate_client.settings import IDLE_SECONDS, Tls, base_of, connections_of, headers_of, headers_with
from headgate_client.values import Decision, Endpoint, Label, Predictions, Row

T = TypeVar("T")
_ONCE = Retries(attempts=1)


class AsyncClient:
    """`headgate_client.Client` with `await`; its methods, arguments and errors are the same."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        project: str = DEFAULT_PROJECT,
        key: str | None = None,
        deadline: float = 30.0,
        retries: Retries | None = None,
        tls: Tls | None = None,
        connections: int = 64,
    ) -> None:
        """See `headgate_client.Client`."""
        self._base = base_of(url)
        self._project = project
        self._deadline = deadline
        self._retries = retries or Retries()
        self._headers = headers_of(key)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls.context() if tls else None,
            max_connections=connections_of(connections),
            keepalive_expiry=IDLE_SECONDS,
        )

    async def predict(
        self,
        endpoint: str,
        rows: Sequence[Row],
        *,
        keys: Sequence[str] | None = None,
        at: Sequence[datetime] | None = None,
        request_id: str | None = None,
        deadline: float | None = None,
    ) -> Predictions:
        """One entry per row, in order: the answer, or why that row was refused."""
        call = calls.predict(self._project, endpoint, rows, keys=keys, at=at, request_id=request_id)
        return await self._run(call, deadline)

    async def predict_table(
        self,
        endpoint: str,
        table: Any,
        *,
        keys: Sequence[str] | None = None,
        request_id: str | None = None,
        deadline: float | None = None,
    ) -> Any:
        """An Arrow table of answers, one row per row, for thousands of rows at once.

        `table` is Arrow's or a frame that becomes one; its columns are the endpoint's fields. The answers have ``id``,
        ``version``, ``prediction``, ``scores``, ``flags`` and, of refused rows, ``error_field``, ``error_rule`` and
        ``error_message``. Needs the extra ``arrow``.
        """
        call = calls.predict_table(self._project, endpoint, table, keys=keys, request_id=request_id)
        return await self._run(call, deadline)

    async def label(self, endpoint: str, labels: Iterable[Label], *, deadline: float | None = None) -> int:
        """How many labels were accepted: all of them, or the call raises and none is kept."""
        return await self._run(calls.label(self._project, endpoint, labels), deadline)

    async def decide(self, endpoint: str, decisions: Iterable[Decision], *, deadline: float | None = None) -> int:
        """How many decisions were accepted: all of them, or the call raises and none is kept."""
        return await self._run(calls.decide(self._project, endpoint, decisions), deadline)

    async def endpoint(self, endpoint: str, *, deadline: float | None = None) -> Endpoint:
        """What an endpoint says of itself: its versions, its task, its rows as JSON Schema."""
        return await self._run(calls.endpoint_of(self._project, endpoint), deadline)

    async def ready(self, *, deadline: float = 5.0) -> bool:
        """Whether the gateway wants requests; False when nobody answers. Asked once."""
        return await self._is_well("/readyz", deadline)

    async def live(self, *, deadline: float = 5.0) -> bool:
        """Whether the gateway's process answers. Asked once."""
        return await self._is_well("/livez", deadline)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _is_well(self, path: str, deadline: float) -> bool:
        try:
            return await self._run(calls.health(path), deadline, _ONCE)
        except Passing:
            return False

    async def _run(self, call: Call[T], deadline: float | None, retries: Retries | None = None) -> T:
        seconds = self._deadline if deadline is None else deadline
        attempts = Attempts(call, retries or self._retries, seconds, time.monotonic)
        while True:
            body = attempts.begin()
            next_: Done[T] | Wait
            try:
                async with asyncio.timeout(attempts.patience):
                    reply = await self._pool.request(
                        call.method,
                        self._base + call.path,
                        headers=headers_with(self._headers, call.headers),
                        content=body,
                    )
            except TimeoutError:
                next_ = attempts.timed_out()
            except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError) as error:
                next_ = attempts.failed(str(error) or type(error).__name__)
            else:
                next_ = attempts.answered(reply_of(reply.status, reply.headers, reply.content))
            if isinstance(next_, Done):
                return next_.value
            await asyncio.sleep(next_.seconds)
