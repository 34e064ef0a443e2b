"""A running Headgate, from another process: the native protocol over one kept-alive connection.

Called by ``headgate.connect`` and by the command line. Standard library alone, so that an application which
only asks for predictions installs nothing heavy.
"""

import json
import re
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote, urlsplit

from headgate.errors import (
    BadConfiguration,
    BadInput,
    Forbidden,
    HeadgateError,
    NotFound,
    RateExceeded,
    Unauthenticated,
    Unavailable,
)
from headgate.vocabulary import DEFAULT_PROJECT, NAME, NAME_RULE

Row = Mapping[str, Any]
_TRY_AGAIN: Final = 500
"""Statuses from here on are no fault of the caller's."""
_PRINTABLE: Final = re.compile(r"[^\x00-\x20\x7f]+").fullmatch
"""What a line of HTTP can hold between two blanks."""


class Client:
    """Asks one gateway; not safe to share between threads."""

    def __init__(
        self, url: str, *, project: str = DEFAULT_PROJECT, timeout: float = 30.0, key: str | None = None
    ) -> None:
        """`key` is an API key or a bearer token, for gateways that ask who calls."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
            (host or "").encode("idna")
        except ValueError:  # a port beyond 65535, a bracket that does not close, a label no name server knows
            host, port = None, None
        if host is None or parts.scheme not in ("http", "https") or not _PRINTABLE(host + parts.path):
            raise BadConfiguration("url", f"'{url}' is not an address such as http://127.0.0.1:8080")
        if not NAME.fullmatch(project):
            raise BadInput("project", "name", f"must match {NAME_RULE}")
        if key is not None and not (key.isascii() and _PRINTABLE(key)):
            raise BadConfiguration("key", "must be printable ASCII without spaces; a line break at its end, perhaps?")
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = make(host, port, timeout=timeout)
        self._base = parts.path.rstrip("/")
        self._project = project
        self._url = url
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"

    def predict(
        self,
        endpoint: str,
        rows: Sequence[Row],
        *,
        request_id: str | None = None,
        keys: Sequence[str] | None = None,
        deadline_ms: int | None = None,
    ) -> list[dict[str, Any]]:
        """One entry per row, in order: ``{"id", "version", "prediction", ...}`` or ``{"error": ...}``.

        Raises BadInput when the request as a whole was refused, NotFound for an unknown endpoint and
        Unavailable when no gateway answers.
        """
        if isinstance(rows, Mapping | str) or hasattr(rows, "columns"):
            raise BadInput(
                "rows", "type", "must be a list of rows, each a mapping; of a frame: frame.to_dict('records')"
            )
        body: dict[str, Any] = {"rows": list(rows)}
        if request_id is not None:
            body["id"] = request_id
        if keys is not None:
            body["keys"] = list(keys)
        if deadline_ms is not None:
            body["deadline_ms"] = deadline_ms
        status, reply = self._post(f"{self._path(endpoint)}/predict", body)
        if "predictions" not in reply:
            raise _refusal(status, reply, endpoint)
        predictions: list[dict[str, Any]] = reply["predictions"]
        return predictions

    def label(self, endpoint: str, labels: Sequence[Mapping[str, Any]]) -> int:
        """How many labels were accepted; each names its input by ``id``, ``request_id`` + ``row`` or ``key`` + ``at``.

        Raises BadInput naming the first label that was refused; none of the batch is kept then.
        """
        return self._tell(endpoint, "labels", labels)

    def decide(self, endpoint: str, decisions: Sequence[Mapping[str, Any]]) -> int:
        """How many decisions of people were accepted; each names its input as a label does, and may name its `actor`.

        Who shows a key decides under the key's name: another `actor` is refused. Raises BadInput naming the first that
        was refused; none of the batch is kept then.
        """
        return self._tell(endpoint, "decisions", decisions)

    def ready(self) -> bool:
        """Whether the gateway says it can answer."""
        try:
            self._connection.request("GET", f"{self._base}/readyz")
            reply = self._connection.getresponse()
            reply.read()
        except (OSError, HTTPException):
            self._connection.close()
            return False
        return reply.status == 200

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, endpoint: str, what: str, entries: Sequence[Mapping[str, Any]]) -> int:
        """How many entries were accepted: all of them."""
        status, reply = self._post(f"{self._path(endpoint)}/{what}", {what: list(entries)})
        accepted = reply.get("accepted")
        if status != 200 or not isinstance(accepted, int):
            raise _refusal(status, reply, endpoint)
        return accepted

    def _path(self, endpoint: str) -> str:
        where = "" if self._project == DEFAULT_PROJECT else f"/projects/{quote(self._project, safe='')}"
        return f"{self._base}/v1{where}/endpoints/{quote(endpoint, safe='')}"

    def _post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        payload = _payload(body)
        try:
            reply = self._exchange(path, payload)
            content = reply.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise Unavailable(f"no answer from {self._url}: {error}. Is `headgate up` running?") from error
        try:
            document = json.loads(content)
        except ValueError as error:
            raise Unavailable(f"{self._url} answered {reply.status} with something that is not JSON") from error
        if not isinstance(document, dict):
            raise Unavailable(f"{self._url} answered {reply.status} with something no Headgate says")
        return reply.status, document

    def _exchange(self, path: str, payload: bytes) -> HTTPResponse:
        self._connection.request("POST", path, payload, self._headers)
        return self._connection.getresponse()


def connect(url: str = "http://127.0.0.1:8080", *, project: str = DEFAULT_PROJECT, key: str | None = None) -> Client:
    """A client of the gateway at `url`; nothing is sent before the first question.

    `key` is an API key or a bearer token, for gateways that ask who calls.

    Raises BadConfiguration when `url` is not an http address.
    """
    return Client(url, project=project, key=key)


def _payload(body: object) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, default=_plain).encode()
    except ValueError as error:  # NaN and Infinity; a list that holds itself
        raise BadInput("body", "finite", "a value is NaN or infinite; send null for a missing value") from error
    except (TypeError, RecursionError) as error:  # names that are no text, lists in lists without end
        raise BadInput("body", "type", f"JSON cannot hold it: {error}") from error


def _plain(value: Any) -> object:
    """What pandas, NumPy and datetime values are in JSON; those libraries need not be installed.

    >>> from datetime import UTC, datetime
    >>> json.dumps(datetime(2024, 1, 31, tzinfo=UTC), default=_plain)
    '"2024-01-31T00:00:00+00:00"'
    """
    if hasattr(value, "isoformat"):
        said = value.isoformat()
        return None if said == "NaT" else said  # what pandas has for a time that is missing
    if hasattr(value, "tolist"):
        # NumPy makes bare integers of times in nanoseconds.
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        return (value.astype(f"{kind}8[us]") if kind in ("M", "m") else value).tolist()
    kind = type(value).__name__
    raise BadInput("body", "type", f"a value is a {kind}, which JSON does not have; send a number, text, true or null")


def _refusal(status: int, reply: dict[str, Any], endpoint: str) -> HeadgateError:
    error = reply.get("error")
    if status == 404:
        return NotFound("endpoint", endpoint, "`headgate status` lists those there are")
    said = str(error.get("message", "")) if isinstance(error, dict) else ""
    if status == 401:
        return Unauthenticated(said)
    if status == 403:
        return Forbidden(said)
    if status == 429:
        return RateExceeded(said)
    if not isinstance(error, dict) or "field" not in error:
        return Unavailable(f"answered {status}: {error}")
    if status >= _TRY_AGAIN:  # nothing of the request was wrong
        return Unavailable(f"answered {status}: {said}")
    return BadInput(str(error["field"]), str(error.get("rule", "refused")), said)
