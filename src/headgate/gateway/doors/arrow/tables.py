"""What the door asks of Arrow, and how Arrow is found: with the first request that needs it, in a thread."""

import importlib
from threading import Lock
from typing import Final, Protocol

from headgate.errors import MissingExtra
from headgate.gateway.ask import Ask
from headgate.gateway.reading import Reader, Reading

STREAM: Final = b"application/vnd.apache.arrow.stream"
FILE: Final = b"application/vnd.apache.arrow.file"


class Tables(Protocol):
    """Arrow bodies read and written; called in threads."""

    def read(self, body: bytes, reader: Reader, *, limit: int, is_file: bool) -> Reading:
        """What `body` asks, its buffers at most `limit` bytes once unfolded.

        Raises BodyRefused for what is no table, BadInput for a table that is no request.
        """
        ...

    def write(self, ask: Ask) -> bytes | bytearray:
        """The answers of a settled request as an Arrow stream, a row each."""
        ...


class Finder:
    """Finds the adapter once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: Tables | None = None

    def find(self) -> Tables:
        """The adapter; slow the first time, so call it beside the loop. Raises MissingExtra where pyarrow is not."""
        with self._lock:
            if self._found is None:
                try:
                    module = importlib.import_module("headgate.gateway.doors.arrow.ipc")
                except ModuleNotFoundError as error:
                    if (error.name or "").partition(".")[0] != "pyarrow":
                        raise
                    raise MissingExtra("an Arrow body", "platform") from error
                self._found = module.ArrowTables()
            return self._found
