"""A gateway process: composed by the application, started on a socket, drained on the way out."""

import asyncio
import gc
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import uvloop

from headgate.clock import Clock
from headgate.events import Event, EventKind
from headgate.gateway.answer import Answerer
from headgate.gateway.doors.arrow.door import ArrowDoor
from headgate.gateway.doors.arrow.tables import FILE, STREAM
from headgate.gateway.doors.dialect import Dialect, DialectDoor
from headgate.gateway.doors.invocations.score import InvocationsDialect
from headgate.gateway.doors.labels import DECISIONS, LABELS, LabelDoor
from headgate.gateway.doors.native import PredictDoor
from headgate.gateway.doors.paths import Chosen
from headgate.gateway.doors.pictures.door import FORM, OCTETS, PICTURES, PictureDoor
from headgate.gateway.doors.router import PredictBody, Router
from headgate.gateway.doors.tensorflow.predict import TensorFlowDialect
from headgate.gateway.doors.v2.infer import V2Dialect
from headgate.gateway.doors.v2.repository import MayOperate, OwnClosures, Repository
from headgate.gateway.doors.vertex import VertexDialect
from headgate.gateway.follow import USUAL, Follower, Manners, Packages, PlacementFor
from headgate.gateway.http.connection import Connection
from headgate.gateway.http.wire import Wire
from headgate.gateway.metrics.counting import GatewayCount
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.permits import Permits
from headgate.gateway.remember import Memory
from headgate.gateway.rpc.call import DoorOf, Server
from headgate.gateway.stillness import answer_when_still
from headgate.gateway.view import Views
from headgate.journal.blobs import BlobStore
from headgate.journal.identifiers import Mint
from headgate.journal.ports import Journal
from headgate.traffic.ports import Closures, RevisionReports, Stillness, TrafficSource
from headgate.vocabulary import VERSION, Micros

_LOG: Final = logging.getLogger(__name__)
IDLE_SECONDS: Final = 60.0
"""A connection that brings no whole request for one to two of these is closed."""
BACKLOG: Final = 2048
HANDSHAKE_SECONDS: Final = 5.0
"""Longest an encrypted connection may take to begin, and to end: until it has begun no limit knows of it."""
NOTICE_SECONDS: Final = 0.2
"""How late a gateway may notice that another one took an endpoint out of service."""
OBSERVE_SECONDS: Final = 0.1
"""How old a gauge of the whole gateway may be."""


class Gateway:
    """Answers callers on one socket; used from one event loop.

    Everything it works with is passed in; `journal` and `slab` stay the caller's to close.
    """

    grpc_port = 0
    """Where gRPC calls are answered once started; 0 for nowhere."""
    _server: asyncio.Server | None = None
    """Once it was started."""
    _chores: Sequence[asyncio.Task[None]] = ()
    """What is done beside answering, once it was started."""
    _draining = False
    """Whether it takes no new requests any more."""

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
        permits: Permits,
        replay: bool = False,
        body_limit: int = 16 * 1024 * 1024,
        queue_rows: int = 16384,
        idle_seconds: float = IDLE_SECONDS,
        connections_limit: int = 1 << 20,
        closures: Closures | None = None,
        stillness: Stillness | None = None,
        may_operate: MayOperate = lambda: False,
        note: Callable[[Event], None] = lambda _: None,
        chosen: Chosen | None = None,
        rpc: tuple[Server, DoorOf] | None = None,
        manners: Manners = USUAL,
    ) -> None:
        """`may_operate`: may callers load and unload where no keys say who; `note` has that enter the history."""
        memory = Memory(journal, blobs, slab)
        views: Views = {}
        answerer = Answerer(memory=memory, mint=mint, clock=clock, queue_rows=queue_rows, views=views)
        self._repository = Repository(
            views,
            closures or OwnClosures(),
            may_operate=lambda: permits.required or may_operate(),
            metrics=slab.folder,
            note=lambda key, who, into: note(_changed(clock.now(), key, who, into)),
            unready=self._unready,
        )
        predict, dialects = _spoken(answerer)
        self._router = Router(
            predict=predict,
            bodies=_bodies(arrow := ArrowDoor(answerer, predict, body_limit), PictureDoor(answerer, predict)),
            tables=arrow.open_json,
            **_told_later(memory, mint, clock, entries_limit=queue_rows),
            dialects=dialects,
            repository=self._repository,
            chosen=chosen or {},
            permits=permits,
            room=answerer.room,
            unready=self._unready,
            release=VERSION,
            body_limit=body_limit,
        )
        self._memory, self._answerer, self._permits, self._stillness = memory, answerer, permits, stillness
        self._wire = _wire(self._router, answerer, body_limit, connections_limit)
        self._follower = Follower(
            source=source,
            packages=packages,
            placement_for=placement_for,
            reports=reports,
            worker=worker,
            slab=slab,
            views=views,
            rows_limit=queue_rows,
            replay=replay,
            manners=manners,
        )
        self._count, self._idle_seconds, self._worker = GatewayCount(slab, queue_rows), idle_seconds, worker
        self._rpc = None if rpc is None else (rpc[0], rpc[1](answerer, self._repository, permits, self._unready))

    async def start(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Load what the traffic names, then answer on `sock`, a bound socket, encrypted where `tls` says how."""
        await self._follower.start()
        # What lives as long as the process need not be looked at by the garbage collector again and again.
        gc.collect()
        gc.freeze()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._wire),
            sock=sock,
            backlog=BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=None if tls is None else HANDSHAKE_SECONDS,
        )
        if self._rpc is not None:
            self.grpc_port = self._rpc[0].start(self._rpc[1])
        chores = [self._sweep(), self._notice(), self._observe(), self._permits.watch()]
        if self._stillness is not None:
            chores.append(answer_when_still(self._stillness, self._worker, self._is_still))
        self._chores = [loop.create_task(each) for each in chores]

    async def drain(self, seconds: float) -> None:
        """Take no new requests, answer those that came for up to `seconds`, then give everything back."""
        self._draining = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._wire.connections):
            connection.finish()
        end = asyncio.get_running_loop().time() + seconds
        calls = asyncio.ensure_future(self._drain_calls(seconds))
        while self._wire.connections and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
        for connection in list(self._wire.connections):
            connection.abort()
        await calls
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._answerer.stop()
        await self._follower.stop()
        self._memory.catch_up()
        gc.unfreeze()  # else what the process has could not be taken apart at its end, and libraries call that a leak

    async def _drain_calls(self, seconds: float) -> None:
        if self._rpc is not None:
            server, door = self._rpc
            door.close()
            await server.stop(seconds)

    def _unready(self) -> str:
        if self._draining:
            return "shutting down"
        if not self._memory.healthy:
            return "the journal cannot be written"
        return "" if self._follower.settled else "loading"

    def _is_still(self) -> bool:
        return self._answerer.is_idle and self._memory.is_idle

    async def _notice(self) -> None:
        while True:
            await asyncio.sleep(NOTICE_SECONDS)
            try:
                self._repository.refresh()
            except OSError as error:  # what was known goes on holding, and the next look may succeed
                _LOG.warning("cannot see which endpoints are out of service: %s", error)

    async def _observe(self) -> None:
        """Count what is as it is, rather than with every request, so that it costs requests nothing."""
        while True:
            self._count.writes(self._memory.healthy)
            self._count.waits(self._answerer.waiting())
            for count, rows in self._follower.waiting().items():
                count.in_flight(rows)
            await asyncio.sleep(OBSERVE_SECONDS)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._idle_seconds)
            for connection in list(self._wire.connections):
                connection.sweep()


def _wire(router: Router, answerer: Answerer, body_limit: int, connections_limit: int) -> Wire:
    """What the connections of a gateway share."""
    return Wire(
        router.handle,
        router.refuse,
        body_limit,
        room=router.room,
        relieve=answerer.relieve,
        no_room=router.no_room,
        way=router.way,
        turn_away=router.turn_away,
        connections_limit=connections_limit,
        around=answerer.take_turn,
    )


def _spoken(answerer: Answerer) -> tuple[PredictDoor, dict[str, DialectDoor]]:
    """The native door, and by its name the door of every other protocol."""
    dialects: tuple[Dialect, ...] = (V2Dialect(), TensorFlowDialect(), InvocationsDialect(), VertexDialect())
    return PredictDoor(answerer), {each.name: DialectDoor(answerer, each) for each in dialects}


def _told_later(memory: Memory, mint: Mint, clock: Clock, *, entries_limit: int) -> dict[str, LabelDoor]:
    """The doors for what turns out to be true, and for what people decide."""
    kinds = {"labels": LABELS, "decisions": DECISIONS}
    return {
        name: LabelDoor(kind, memory=memory, mint=mint, clock=clock, entries_limit=entries_limit)
        for name, kind in kinds.items()
    }


def _changed(at: Micros, key: tuple[str, str], who: str, into_service: bool) -> Event:
    kind, before, after = EventKind.LOADED, "out of service", "in service"
    if not into_service:
        kind, before, after = EventKind.UNLOADED, after, before
    return Event(at, kind, *key, who, "", {}, before, after)


def _bodies(arrow: ArrowDoor, pictures: PictureDoor) -> dict[bytes, PredictBody]:
    """The doors of the native predict route for bodies that are not JSON, by their type."""
    return {
        **dict.fromkeys((STREAM, FILE), arrow.open),
        **dict.fromkeys((*PICTURES, OCTETS, FORM), pictures.open),
    }


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
