"""The client for programs without an event loop; safe to share between threads."""

import ssl
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

import httpcore2

from headgate_client import calls
from headgate_client.attempts import Attempts, Done, Retries
from headgate_client.bounded import BoundedBackend, Bounds
from headgate_client.calls import DEFAULT_PROJECT, Call, Reply, reply_of
from headgate_client.errors import Passing
from headgate_client.settings import IDLE_SECONDS, Tls, base_of, connections_of, headers_of, headers_with
from headgate_client.values import Decision, Endpoint, Label, Predictions, Row

T = TypeVar("T")
_ONCE = Retries(attempts=1)


class Client:
    """Asks one address, over connections that are kept and used again.

    Every call raises a `headgate_client.errors.HeadgateError` when it does not work. Use it as a context, or close it.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        project: str = DEFAULT_PROJECT,
        key: str | None = None,
        deadline: float = 30.0,
        retries: Retries | None = None,
        tls: Tls | None = None,
        connections: int = 16,
    ) -> None:
        """`key` is sent as a bearer token; `deadline` is seconds for a call with all its attempts.

        `connections` bounds how many are open at once, used or idle; further calls wait for one to be free.
        """
        self._base = base_of(url)
        self._project = project
        self._deadline = deadline
        self._retries = retries or Retries()
        self._headers = headers_of(key)
        self._bounds = Bounds()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls.context() if tls else None,
            max_connections=connections_of(connections),
            keepalive_expiry=IDLE_SECONDS,
            network_backend=BoundedBackend(self._bounds),
        )

    def predict(
        self,
        endpoint: str,
        rows: Sequence[Row],
        *,
        keys: Sequence[str] | None = None,
        at: Sequence[datetime] | None = None,
        request_id: str | None = None,
        deadline: float | None = None,
    ) -> Predictions:
        """One entry per row, in order: the answer, or why that row was refused.

        `keys` has one text per row by which callers keep their version; `at` one event time per row, where replay is
        on. `request_id` names the request and is drawn when left out. `deadline` is seconds for all attempts.
        """
        call = calls.predict(self._project, endpoint, rows, keys=keys, at=at, request_id=request_id)
        return self._run(call, deadline)

    def predict_table(
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
        return self._run(call, deadline)

    def label(self, endpoint: str, labels: Iterable[Label], *, deadline: float | None = None) -> int:
        """How many labels were accepted: all of them, or the call raises and none is kept."""
        return self._run(calls.label(self._project, endpoint, labels), deadline)

    def decide(self, endpoint: str, decisions: Iterable[Decision], *, deadline: float | None = None) -> int:
        """How many decisions were accepted: all of them, or the call raises and none is kept."""
        return self._run(calls.decide(self._project, endpoint, decisions), deadline)

    def endpoint(self, endpoint: str, *, deadline: float | None = None) -> Endpoint:
        """What an endpoint says of itself: its versions, its task, its rows as JSON Schema."""
        return self._run(calls.endpoint_of(self._project, endpoint), deadline)

    def ready(self, *, deadline: float = 5.0) -> bool:
        """Whether the gateway wants requests; False when nobody answers. Asked once."""
        return self._is_well("/readyz", deadline)

    def live(self, *, deadline: float = 5.0) -> bool:
        """Whether the gateway's process answers. Asked once."""
        return self._is_well("/livez", deadline)

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _is_well(self, path: str, deadline: float) -> bool:
        try:
            return self._run(calls.health(path), deadline, _ONCE)
        except Passing:
            return False

    def _run(self, call: Call[T], deadline: float | None, retries: Retries | None = None) -> T:
        seconds = self._deadline if deadline is None else deadline
        attempts = Attempts(call, retries or self._retries, seconds, time.monotonic)
        while True:
            try:
                next_ = attempts.answered(self._send(call, attempts))
            except httpcore2.TimeoutException:
                next_ = attempts.timed_out()
            except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError) as error:
                next_ = attempts.failed(str(error) or type(error).__name__)
            if isinstance(next_, Done):
                return next_.value
            time.sleep(next_.seconds)

    def _send(self, call: Call[T], attempts: Attempts[T]) -> Reply:
        body = attempts.begin()
        self._bounds.attempts = attempts
        try:
            reply = self._pool.request(
                call.method,
                self._base + call.path,
                headers=headers_with(self._headers, call.headers),
                content=body,
                extensions={"timeout": {"pool": attempts.patience}},
            )
        finally:
            self._bounds.attempts = None
        return reply_of(reply.status, reply.headers, reply.content)
