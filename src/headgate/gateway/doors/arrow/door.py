"""The native predict route for tables: rows as an Arrow IPC stream or file, answers as JSON or as a stream.

The request is read, and a large reply written, in threads; what happens in between is the native door's.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter_ns
from typing import Any, Final

from headgate.errors import DeadlineExceeded, HeadgateError, Overloaded, PassingError
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import FAULT, Ask, make_ask
from headgate.gateway.doors.arrow.tables import FILE, STREAM, Finder
from headgate.gateway.doors.dialect import deadline_of
from headgate.gateway.doors.errors import refuse
from headgate.gateway.doors.native import PROTOCOL, PredictDoor, name_of, overall, versions
from headgate.gateway.http.exchange import ACCEPT, Exchange, Head
from headgate.gateway.http.replies import JSON, send
from headgate.gateway.reading import Reading
from headgate.gateway.room import FULL
from headgate.gateway.view import View

_LOG: Final = logging.getLogger(__name__)
_THREADS: Final = 2
_MOST_UNDER_WAY: Final = 64
"""Tables taken before their rows are counted; each may have as many bytes as a body."""


class ArrowDoor:
    """Has tables answered, and rows of any kind for callers who accept tables alone."""

    def __init__(self, answerer: Answerer, native: PredictDoor, body_limit: int) -> None:
        self._answerer = answerer
        self._native = native
        self._limit = body_limit
        self._tables = Finder()
        # Threads of its own: a flood of tables must not keep waiting what loads versions or writes large values.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="tables")
        self._under_way = 0
        """Tables that are being read, or wait for a thread."""

    def open(self, exchange: Exchange, view: View) -> None:
        """Have a table answered under `view`."""
        self._begin(exchange, view, partial(self._read_table, exchange, view))

    def open_json(self, exchange: Exchange, view: View) -> None:
        """Have a JSON body answered under `view` by a table."""
        self._begin(exchange, view, partial(self._read_json, exchange, view))

    def _begin(self, exchange: Exchange, view: View, read: Callable[[], Reading]) -> None:
        arrived = perf_counter_ns()
        try:
            self._answerer.room.knock(exchange.caller)
            if self._under_way >= _MOST_UNDER_WAY:
                raise Overloaded(FULL)
        except PassingError as error:
            self._native.refuse(exchange, view, error)
            return
        self._under_way += 1
        # Waiting, so that the packages of the view stay open; nothing of it is admitted before it was read.
        view.waiting += 1
        reading = asyncio.get_running_loop().run_in_executor(self._threads, read)
        reading.add_done_callback(partial(self._read, exchange, view, arrived))

    def _read_table(self, exchange: Exchange, view: View) -> Reading:
        is_file = exchange.head.media_type() == FILE
        reader = view.live.served.reader
        reading = self._tables.find().read(exchange.body, reader, limit=self._limit, is_file=is_file)
        if reading.deadline_ms is None:
            reading.deadline_ms = deadline_of(exchange)
        return reading

    def _read_json(self, exchange: Exchange, view: View) -> Reading:
        self._tables.find()
        return view.live.served.reader.read(exchange.body)

    def _read(self, exchange: Exchange, view: View, arrived: int, done: "asyncio.Future[Reading]") -> None:
        view.waiting -= 1
        self._under_way -= 1
        problem, rows = done.exception(), 1
        try:
            if problem is not None:
                raise problem
            rows = len(done.result().rows)
            finish = partial(self._reply, exchange)
            ask = make_ask(view, done.result(), finish, None, exchange.caller, arrived=arrived)
            if perf_counter_ns() >= ask.deadline:
                raise DeadlineExceeded("the deadline passed while the table was read; send fewer rows at a time")
            self._answerer.admit(ask)
        except HeadgateError as error:
            self._native.refuse(exchange, view, error, rows)
        except Exception:  # a fault of ours must cost this caller's answer only
            _LOG.exception("a table could not be read")
            self._native.refuse(exchange, view, HeadgateError(FAULT))

    def _reply(self, exchange: Exchange, ask: Ask) -> None:
        problem = None if ask.spoken and ask.refusal is None else overall(ask)
        if isinstance(problem, HeadgateError):
            self._native.reply(exchange, ask)
            return
        status = 200 if problem is None else 422
        as_table = wants_table(exchange.head)
        write = self._tables.find().write if as_table else self._native.body
        writing = asyncio.get_running_loop().run_in_executor(self._threads, write, ask)
        writing.add_done_callback(partial(self._tell, exchange, ask, status, STREAM if as_table else JSON))

    def _tell(self, exchange: Exchange, ask: Ask, status: int, kind: bytes, done: "asyncio.Future[Any]") -> None:
        request_id, version = name_of(ask), versions(ask)
        if (problem := done.exception()) is None:
            self._count(ask, status)  # first: whoever reads the reply may look at the counts at once
            send(exchange, status, done.result(), request_id=request_id, version=version, content_type=kind)
        else:
            _LOG.error("a reply could not be written", exc_info=problem)
            self._count(ask, refuse(exchange, HeadgateError(FAULT), request_id=request_id, version=version))

    def _count(self, ask: Ask, status: int) -> None:
        ask.view.count.replied(PROTOCOL, status, (perf_counter_ns() - ask.arrived) / 1e9)


def wants_table(head: Head) -> bool:
    """Whether a caller would rather have an Arrow stream than JSON: which of them its ``Accept`` names first.

    >>> wants_table(Head(b"POST", b"/", headers={ACCEPT: b"application/vnd.apache.arrow.stream, application/json"}))
    True
    """
    for each in head.headers.get(ACCEPT, b"").lower().split(b","):
        name, _, rest = each.partition(b";")
        if name.strip() in (STREAM, JSON) and rest.replace(b" ", b"") not in (b"q=0", b"q=0.0"):
            return name.strip() == STREAM
    return False
