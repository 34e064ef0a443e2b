"""Callers that believe nothing but a 200: they ask, tell the truth later, and write down what was acknowledged.

For tests that kill something meanwhile and then compare the journal with what these callers were promised.
"""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Said:
    """One acknowledged prediction."""

    number: int
    """Which row it was: `Callers.row` makes it again."""
    version: str
    score: float | None
    """The last score, where the model gives scores."""


@dataclass(slots=True)
class Acknowledged:
    """What callers were promised."""

    predictions: dict[str, Said] = field(default_factory=dict)
    """By input id."""
    labels: dict[str, int] = field(default_factory=dict)
    """Label by input id."""
    asked: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    """Replies to predictions by status; 0 stands for none."""
    problems: list[str] = field(default_factory=list)
    """What callers did not understand; a test wants it empty."""


class Callers:
    """So many connections, each asking one row after the other and labelling what was answered.

    They stop after `requests` in all, after `seconds`, or at the end of the context. Rows are all different: row
    `number` has ``f0 = number / 1000 - 2`` and ``f1 = 0``, its label is ``number % 2``.
    """

    def __init__(
        self, port: int, endpoint: str, *, connections: int = 8, requests: int = 2000, seconds: float = 30.0
    ) -> None:
        self.acknowledged = Acknowledged()
        self._port = port
        self._path = f"/v1/endpoints/{endpoint}"
        self._numbers = itertools.count()
        self._requests = requests
        self._seconds = seconds
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]
        self._deadline = 0.0

    @staticmethod
    def row(number: int) -> dict[str, float]:
        """The row that bears this number."""
        return {"f0": number / 1000 - 2, "f1": 0.0}

    def __enter__(self) -> "Callers":
        self._deadline = time.monotonic() + self._seconds
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> Acknowledged:
        """Ask no more, wait for what was asked, and return what callers were promised."""
        self._over.set()
        return self.finish()

    def finish(self) -> Acknowledged:
        """Wait until every caller is done, and return what they were promised."""
        for thread in self._threads:
            thread.join()
        return self.acknowledged

    def answered(self) -> int:
        """How many predictions are acknowledged so far."""
        return len(self.acknowledged.predictions)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        while not self._over.is_set() and time.monotonic() < self._deadline:
            number = next(self._numbers)
            if number >= self._requests:
                break
            try:
                if self._call(connection, number) != 200:
                    self._over.wait(0.01)  # refused or cut off: come back in a moment, as a caller would
            except Exception as problem:  # a caller that dies silently would make the test weaker
                with self._lock:
                    self.acknowledged.problems.append(repr(problem))
        connection.close()

    def _call(self, connection: http.client.HTTPConnection, number: int) -> int:
        status, body = self._post(connection, "predict", {"rows": [self.row(number)]})
        with self._lock:
            self.acknowledged.asked += 1
            self.acknowledged.statuses[status] += 1
        if status != 200:
            return status
        found = json.loads(body)["predictions"][0]
        scores = found.get("scores")
        with self._lock:
            said = Said(number, found["version"], scores[-1] if scores else None)
            self.acknowledged.predictions[found["id"]] = said
        told, _ = self._post(connection, "labels", {"labels": [{"id": found["id"], "label": number % 2}]})
        if told == 200:
            with self._lock:
                self.acknowledged.labels[found["id"]] = number % 2
        return status

    def _post(self, connection: http.client.HTTPConnection, door: str, body: object) -> tuple[int, bytes]:
        try:
            connection.request("POST", f"{self._path}/{door}", json.dumps(body))
            reply = connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request connects again
            return 0, b""
