"""An address that answers CSV, Parquet or JSON; it is asked whether anything changed before anything is read."""

import hashlib
import json
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pyarrow as pa

from headgate.errors import BadInput, NotFound, Unavailable
from headgate.pipelines.sources.files import read_file
from headgate.pipelines.sources.ports import Mark, Pull, Take
from headgate.pipelines.sources.records import records_of, rows_of
from headgate.pipelines.sources.watermark import Watermark

TIMEOUT_S: Final = 60.0
"""Seconds without a byte after which an address does not answer."""
_KINDS: Final = {"text/csv": "csv", "application/json": "json", "application/vnd.apache.parquet": "parquet"}
_LINES: Final = {"ndjson", "jsonl"}


@dataclass(frozen=True, slots=True)
class HttpSource:
    """One address."""

    name: str
    url: str
    headers: Mapping[str, str]
    watermark: Watermark | None = None

    @property
    def textual(self) -> bool:
        """Only Parquet has types of its own."""
        return not urlsplit(self.url).path.endswith(".parquet")

    def pull(self, mark: Mark, take: Take) -> Pull:
        """The rows of the answer, or those beyond the watermark; none where the address says that nothing changed."""
        since = None if mark.get("etag") else mark.get("modified")
        conditions = {"If-None-Match": mark.get("etag"), "If-Modified-Since": since}
        asked = {**self.headers, **{key: str(value) for key, value in conditions.items() if value}}
        request = urllib.request.Request(self.url, headers=asked)  # noqa: S310 - `open` has seen to the scheme
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310 - as above
                return self._read(reply, mark, take)
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_MODIFIED:
                return Pull(mark)
            raise self._refused(error.code) from error
        except (OSError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", error)
            raise Unavailable(f"sources.{self.name}: {self.shown} does not answer: {reason}") from error

    @property
    def shown(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"

    def _refused(self, code: int) -> NotFound | Unavailable | BadInput:
        if code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return NotFound("address", self.shown, f"sources.{self.name} reads it; it answers {code}")
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR or code == HTTPStatus.TOO_MANY_REQUESTS:
            return Unavailable(f"sources.{self.name}: {self.shown} answers {code}; try again later")
        return BadInput(f"sources.{self.name}", "source", f"{self.shown} answers {code}; are its headers: right?")

    def _read(self, reply: Any, mark: Mark, take: Take) -> Pull:
        """The answer goes to a file first: half an answer is none."""
        with tempfile.TemporaryDirectory(prefix="headgate-") as folder:
            path = Path(folder) / "answer"
            with path.open("wb") as file:
                shutil.copyfileobj(reply, file)
            with path.open("rb") as file:
                seen = hashlib.file_digest(file, "sha256").hexdigest()
            promised = reply.headers.get("Content-Length")
            if promised is not None and path.stat().st_size != int(promised):
                raise Unavailable(f"sources.{self.name}: {self.shown} broke off in the middle; try again later")
            raised, rows = mark, 0
            for table in self._tables(path, self._format(reply)):
                newer = table if self.watermark is None else self.watermark.newer(table, mark)
                take(newer)
                rows += newer.num_rows
                raised = raised if self.watermark is None else self.watermark.raised(raised, newer)
        said = {"etag": reply.headers.get("ETag"), "modified": reply.headers.get("Last-Modified")}
        return Pull({**raised, **said, "seen": seen}, whole=self.watermark is None)

    def _format(self, reply: Any) -> str:
        ending = urlsplit(self.url).path.rpartition(".")[2].lower()
        if ending in {"csv", "parquet", "json", *_LINES}:
            return ending
        kind = _KINDS.get(reply.headers.get_content_type(), "")
        if not kind or kind == "parquet":
            raise BadInput(
                f"sources.{self.name}", "format", "is neither CSV nor JSON; an address of Parquet ends in .parquet"
            )
        return kind

    def _tables(self, path: Path, kind: str) -> Iterator[pa.Table]:
        if kind in ("csv", "parquet"):
            yield from read_file(self.name, path, csv=kind == "csv")
        elif kind in _LINES:
            with path.open("rb") as file:
                yield from rows_of(line for line in file if line.strip())
        else:
            yield from rows_of(self._records(path))

    def _records(self, path: Path) -> list[bytes]:
        try:
            found = records_of(json.loads(path.read_bytes()))
        except ValueError as error:
            raise BadInput(f"sources.{self.name}", "unreadable", f"{self.shown} does not answer JSON") from error
        if found is None:
            raise BadInput(f"sources.{self.name}", "unreadable", f"{self.shown} answers JSON without one list of rows")
        return found
