"""One request to a tracking server and its reply, over HTTP with the standard library.

Errors say who must act: a server that is away is nobody's fault yet, one that refuses says why in its own words.
"""

import contextlib
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from headgate.alerts.couriers.deadline import Deadline
from headgate.errors import BadConfiguration, BadInput, Conflict, HeadgateError, NotFound, Unavailable, printable
from headgate.vocabulary import VERSION

SECONDS: Final = 10.0
"""How long a question may take, from the name's address to the end of the reply."""
TRANSFER_SECONDS: Final = 600.0
"""The same for a model's file."""
API: Final = "/api/2.0/mlflow/"
ARTIFACTS: Final = "/api/2.0/mlflow-artifacts/artifacts"
_MOST: Final = 64 * 1024 * 1024
"""Bytes of an answer in JSON at most; a server that says more says nothing we asked for."""
_CHUNK: Final = 1 << 20
_WORDS: Final = 300
"""Characters of a refusal that are repeated."""


def nobody() -> str | None:
    """The header of whoever shows nothing."""
    return None


@dataclass(frozen=True, slots=True)
class Exchange:
    """Asks one server; safe to share between threads, each request has a connection of its own."""

    url: str
    authorization: Callable[[], str | None] = nobody
    """The header that says who asks, read anew each time, so that a secret can be replaced while all runs."""
    seconds: float = SECONDS

    @property
    def host(self) -> str:
        """Whom it asks, for messages."""
        return urlsplit(self.url).hostname or ""

    def get(self, call: str, **asked: str) -> dict[str, Any]:
        """What the server says to a question, such as ``registered-models/get``.

        Raises Unavailable while it is away, NotFound, Conflict, BadInput with its own words, BadConfiguration where it
        does not take who asks.
        """
        return _read(self._asked("GET", f"{API}{call}", asked, None))

    def post(self, call: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The same for what changes something."""
        return _read(self._asked("POST", f"{API}{call}", {}, json.dumps(body, allow_nan=False).encode()))

    def listed(self, folder: str) -> list[str]:
        """Names of the files in a folder of the server's artefacts, without those of folders in it."""
        found = _read(self._asked("GET", ARTIFACTS, {"path": folder}, None))
        return [str(each["path"]) for each in found.get("files", ()) if not each.get("is_dir")]

    def fetch(self, path: str, asked: Mapping[str, str], target: Path) -> None:
        """Write the file behind a path of the server to `target`, whole or not at all. Raises what `get` does."""
        beside = target.with_name(target.name + ".part")
        try:
            with beside.open("wb") as file:
                self._asked("GET", path, asked, None, into=file.write)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)

    def put(self, path: str, data: bytes) -> None:
        """Put a file among the server's artefacts, replacing what is there. Raises what `get` does."""
        self._asked("PUT", f"{ARTIFACTS}/{quote(path)}", {}, data, kind="application/octet-stream")

    def _asked(
        self,
        method: str,
        path: str,
        asked: Mapping[str, str],
        body: bytes | None,
        *,
        kind: str = "application/json",
        into: Callable[[bytes], object] | None = None,
    ) -> bytes:
        heads = {"Content-Type": kind, "User-Agent": f"headgate/{VERSION}"}
        if (shown := self.authorization()) is not None:
            heads["Authorization"] = shown
        lasts = TRANSFER_SECONDS if into is not None or method == "PUT" else self.seconds
        with Deadline(lasts) as deadline:
            try:
                return self._spoken(deadline, (method, path, asked), body, heads, into)
            except (OSError, http.client.HTTPException) as error:
                raise Unavailable(f"the tracking server: {deadline.failure(self.host, error)}", 10.0) from error

    def _spoken(
        self,
        deadline: Deadline,
        line: tuple[str, str, Mapping[str, str]],
        body: bytes | None,
        heads: Mapping[str, str],
        into: Callable[[bytes], object] | None,
    ) -> bytes:
        parts, (method, path, asked) = urlsplit(self.url), line
        encrypted = parts.scheme == "https"
        made = http.client.HTTPSConnection if encrypted else http.client.HTTPConnection
        port = parts.port or made.default_port
        connection = made(self.host, port)
        with contextlib.closing(connection):
            connection.sock = deadline.connected(self.host, port, ssl.create_default_context() if encrypted else None)
            target = parts.path.rstrip("/") + path + (f"?{urlencode(asked)}" if asked else "")
            connection.request(method, target, body, dict(heads))
            reply = connection.getresponse()
            if reply.status != http.client.OK:
                raise self._refused(reply.status, reply.read(_MOST), path)
            if into is None:
                return reply.read(_MOST)
            while chunk := reply.read(_CHUNK):
                into(chunk)
            return b""

    def _refused(self, status: int, content: bytes, path: str) -> HeadgateError:
        said, code = _words(content)
        told = f"the tracking server at {self.host} says HTTP {status}{': ' + said if said else ''}"
        if status in (401, 403):
            return BadConfiguration("tracking.yaml", f"{told}; see user, password and token")
        if status == 429 or status >= 500:
            return Unavailable(told, 10.0)
        if code == "RESOURCE_ALREADY_EXISTS":
            return Conflict(told)
        if code == "RESOURCE_DOES_NOT_EXIST" or status == 404:
            return NotFound("on the tracking server", path.rpartition("/")[2], said)
        return BadInput("tracking server", "refused", told)


def _read(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except ValueError as error:
        raise Unavailable(
            "the tracking server answers something else than JSON; is there a proxy before it?"
        ) from error
    if not isinstance(found, dict):
        raise Unavailable("the tracking server answers something else than it is asked")
    return found


def _words(content: bytes) -> tuple[str, str]:
    """What a refusal says, and its code."""
    try:
        found = json.loads(content)
        said, code = found["message"], found["error_code"]
    except (ValueError, KeyError, TypeError):
        return "", ""
    return printable(str(said))[:_WORDS], str(code)
