"""A gateway process: composed by the application, started on a socket, drained on the way out."""

import asyncio
import gc
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

import uvloop

from headgate.clock import Clock
from headgate.gateway.answer import Answerer
from headgate.gateway.doors.labels import DECISIONS, LABELS, LabelDoor
from headgate.gateway.doors.native import PredictDoor
from headgate.gateway.doors.router import Doors, Router
from headgate.gateway.doors.v2 import V2Door
from headgate.gateway.follow import Follower, Packages, PlacementFor
from headgate.gateway.http.connection import Connection, Wire
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.remember import Memory
from headgate.journal.blobs import BlobStore
from headgate.journal.identifiers import Mint
from headgate.journal.ports import Journal
from headgate.traffic.ports import RevisionReports, TrafficSource
from headgate.vocabulary import VERSION

IDLE_SECONDS: Final = 60.0
"""A connection that brings no whole request for one to two of these is closed."""
BACKLOG: Final = 2048


class Gateway:
    """Answers callers on one socket; used from one event loop.

    Everything it works with is passed in; `journal` and `slab` stay the caller's to close.
    """

    def __init__(
        self,
        *,
        source: TrafficSource,
        packages: Packages,
        placement_for: PlacementFor,
        journal: Journal,
        blobs: BlobStore,
        mint: Mint,
        reports: RevisionReports,
        clock: Clock,
        slab: Slab,
        worker: str,
        replay: bool = False,
        body_limit: int = 16 * 1024 * 1024,
        queue_rows: int = 16384,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        memory = Memory(journal, blobs, slab)
        answerer = Answerer(memory=memory, mint=mint, clock=clock, queue_rows=queue_rows)
        doors = _doors(answerer, memory, mint, clock, entries_limit=queue_rows)
        self._router = Router(doors, self._unready, VERSION)
        self._memory = memory
        self._wire = Wire(self._router.handle, self._router.refuse, body_limit)
        self._follower = Follower(
            source=source,
            packages=packages,
            placement_for=placement_for,
            reports=reports,
            worker=worker,
            slab=slab,
            views=self._router.views,
            rows_limit=queue_rows,
            replay=replay,
        )
        self._idle_seconds = idle_seconds
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._draining = False

    async def start(self, sock: socket.socket) -> None:
        """Load what the traffic names, then answer on `sock`, a bound socket."""
        await self._follower.start()
        # What lives as long as the process need not be looked at by the garbage collector again and again.
        gc.collect()
        gc.freeze()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._wire), sock=sock, backlog=BACKLOG)
        self._sweeper = loop.create_task(self._sweep())

    async def drain(self, seconds: float) -> None:
        """Take no new requests, answer those that came for up to `seconds`, then give everything back."""
        self._draining = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._wire.connections):
            connection.finish()
        end = asyncio.get_running_loop().time() + seconds
        while self._wire.connections and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
        for connection in list(self._wire.connections):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await self._follower.stop()
        self._memory.catch_up()

    def _unready(self) -> str:
        if self._draining:
            return "shutting down"
        if not self._memory.healthy:
            return "the journal cannot be written"
        return "" if self._follower.settled else "loading"

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._idle_seconds)
            for connection in list(self._wire.connections):
                connection.sweep()


def _doors(answerer: Answerer, memory: Memory, mint: Mint, clock: Clock, *, entries_limit: int) -> Doors:
    return Doors(
        PredictDoor(answerer),
        LabelDoor(LABELS, memory=memory, mint=mint, clock=clock, entries_limit=entries_limit),
        LabelDoor(DECISIONS, memory=memory, mint=mint, clock=clock, entries_limit=entries_limit),
        V2Door(answerer),
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket on which several processes may answer: the kernel spreads connections over them (``SO_REUSEPORT``)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    sock.setblocking(False)
    return sock


def run_on_uvloop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `main` to its end on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
