"""A protocol as a pair of translations, and the one door that has requests in any of them answered.

The native door is its own, because it is the hot path and has a place for errors of rows. Every other protocol is
a Dialect: it says what a request asks and how an answer or a refusal is told. What happens in between exists once,
here, so that the same rows get the same predictions, ids and journal records whichever way they came.
"""

from functools import partial
from time import perf_counter_ns
from typing import Any, Protocol

import msgspec

from headgate.errors import BadInput, HeadgateError, Violation
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import Ask, make_ask
from headgate.gateway.doors.native import name_of, overall, versions
from headgate.gateway.doors.statuses import error_headers
from headgate.gateway.http.exchange import DEADLINE, Exchange
from headgate.gateway.http.replies import JSON, NOBODY, send
from headgate.gateway.reading import LONGEST_DEADLINE_MS, Reading, read_rest
from headgate.gateway.view import Seat, View
from headgate.journal.records import Answer


class Question(msgspec.Struct, eq=False):
    """What a request asks."""

    reading: Reading
    wanted: Any = None
    """What the dialect must know again when it answers; nobody else looks at it."""


class Written(msgspec.Struct, eq=False):
    """A reply as its protocol has it."""

    body: bytes
    status: int = 200
    content_type: bytes = JSON
    extra: bytes = b""
    """Further header lines, each with its line end."""


class Dialect(Protocol):
    """One protocol; any number of requests may be in it at once."""

    @property
    def name(self) -> str:
        """What metrics call the protocol."""
        ...

    def read(self, exchange: Exchange, seat: Seat) -> Question:
        """What `exchange` asks of the version in `seat`. Raises BadInput for what is no request in this dialect."""
        ...

    def write(self, ask: Ask, wanted: Any) -> Written:
        """All rows are answered: how that is told."""
        ...

    def refuse(self, error: HeadgateError) -> Written:
        """How a refusal is told, its status with it."""
        ...


class DialectDoor:
    """Has requests in one dialect answered. A request with one bad row is refused as a whole, naming the row."""

    def __init__(self, answerer: Answerer, dialect: Dialect) -> None:
        self._answerer = answerer
        self._dialect = dialect

    def open(self, exchange: Exchange, view: View, version: str | None) -> None:
        """Have a request answered under `view`, by `version` if the caller names one."""
        rows, room = 1, self._answerer.room
        try:
            if room.waiting >= room.limit:
                room.knock(exchange.caller)
            pinned = None if version is None else view.seat(version)
            question = self._dialect.read(exchange, pinned or view.live)
            reading = question.reading
            rows = len(reading.rows)
            check_rows(reading)
            if reading.deadline_ms is None:
                reading.deadline_ms = deadline_of(exchange)
            ask = make_ask(view, reading, partial(self._reply, exchange, question.wanted), pinned, exchange.caller)
            have_answered(self._answerer, ask)
        except (HeadgateError, RecursionError) as error:
            problem = error if isinstance(error, HeadgateError) else BadInput("body", "json", "is nested too deep")
            problem, name = self._answerer.note(view, problem, exchange.caller, rows)
            status = self.refuse(exchange, problem, request_id=name, version=view.live.header)
            view.count.replied(self._dialect.name, status, 0.0)

    def refuse(
        self, exchange: Exchange, error: HeadgateError, *, request_id: bytes = b"", version: bytes = NOBODY
    ) -> int:
        """Tell the caller of `exchange` why not; the status."""
        said = self._dialect.refuse(error)
        _tell(exchange, said, request_id, version, error_headers(error))
        return said.status

    def _reply(self, exchange: Exchange, wanted: Any, ask: Ask) -> None:
        request_id, version = name_of(ask), versions(ask)
        try:
            said = self._told(ask, wanted)
        except HeadgateError as problem:
            status = self.refuse(exchange, problem, request_id=request_id, version=version)
            self._count(ask, status)
        else:
            self._count(ask, said.status)  # first: whoever reads the reply may look at the counts at once
            _tell(exchange, said, request_id, version, b"")

    def _count(self, ask: Ask, status: int) -> None:
        ask.view.count.replied(self._dialect.name, status, (perf_counter_ns() - ask.arrived) / 1e9)

    def _told(self, ask: Ask, wanted: Any) -> Written:
        """How the answers are told. Raises what is wrong with the request where they are not all there."""
        problem = first_problem(ask)
        if problem is not None:
            raise problem
        return self._dialect.write(ask, wanted)


def _tell(exchange: Exchange, said: Written, request_id: bytes, version: bytes, extra: bytes) -> None:
    send(
        exchange,
        said.status,
        said.body,
        request_id=request_id,
        version=version,
        extra=said.extra + extra,
        content_type=said.content_type,
    )


def check_rows(reading: Reading) -> None:
    """Raises the violation of the first bad row, for protocols that answer all rows or none.

    What the native door holds names to holds in every protocol; the first key stands for those that repeat it.
    """
    if reading.id is not None or reading.keys is not None:
        read_rest({"id": reading.id, "keys": None if reading.keys is None else sorted(set(reading.keys))})
    if not reading.clean:
        for row in reading.rows:
            if isinstance(row, Violation):
                raise row.as_error()


def have_answered(answerer: Answerer, ask: Ask) -> None:
    """Admit `ask`, whose rows are answered together. Raises the PassingError that says why not."""
    ask.together = True
    if ask.outcomes:
        answerer.admit(ask)
    else:
        ask.close()  # nothing was asked, so nothing is remembered


def first_problem(ask: Ask) -> HeadgateError | None:
    """Why a request whose rows are answered together is not: the first row that is not answered, or the whole."""
    if not ask.outcomes:
        return ask.refusal
    if ask.whole:
        return None
    ask.settle()
    problem = overall(ask)
    if problem is None:
        problem = next((each for each in ask.outcomes if not isinstance(each, Answer)), None)
    return problem.as_error() if isinstance(problem, Violation) else problem


def deadline_of(exchange: Exchange) -> float | None:
    """The caller's patience in milliseconds as ``Headgate-Deadline-Ms`` states it; None when it does not.

    Raises BadInput for anything but a number over 0.
    """
    text = exchange.head.headers.get(DEADLINE)
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0.0 < found <= LONGEST_DEADLINE_MS:
        limit = f"expected milliseconds over 0 and at most {LONGEST_DEADLINE_MS:.0f}"
        raise BadInput("headgate-deadline-ms", "range", limit)
    return found
