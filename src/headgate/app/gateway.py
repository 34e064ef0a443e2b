"""Composes and runs one gateway process; called by ``headgate gateway``.

Needs the base install alone: no database, no Arrow.
"""

import asyncio
import contextlib
import logging
import resource
import signal
import socket
import threading
import time
from pathlib import Path

from headgate.app.certificates import Certificates, certificates_of
from headgate.app.hosts import host_socket
from headgate.app.identity import open_identity
from headgate.app.workers import loading_lock, worker_lock, worker_stream
from headgate.clock import SystemClock
from headgate.errors import MissingExtra, Unavailable
from headgate.gateway.allocator import keep_freed_memory
from headgate.gateway.doors.paths import chosen_routes
from headgate.gateway.follow import Manners
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.permits import Permits
from headgate.gateway.residents import runs_here
from headgate.gateway.rpc.call import DoorOf, Server
from headgate.gateway.server import Gateway, listening_socket, run_on_uvloop
from headgate.journal.blobs import LocalBlobs
from headgate.journal.committer import Committer
from headgate.journal.disk import LocalDisk
from headgate.journal.identifiers import Mint
from headgate.registry.packages import PackageStore
from headgate.runtimes.channel import short_address
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.hosted import HostedPlacement
from headgate.runtimes.open import open_runtime
from headgate.runtimes.placements import InProcess
from headgate.runtimes.ports import Placement
from headgate.runtimes.warmup import likely_row
from headgate.settings import Home, Settings
from headgate.store import atomic
from headgate.store.closures import FileClosures
from headgate.store.detectors import FileDetectors
from headgate.store.home import claim, open_home, read_secret, require_writable
from headgate.store.notes import FileNotes
from headgate.store.replayclock import ReplayClock
from headgate.store.reports import FileReports
from headgate.store.stillness import FileStillness
from headgate.store.trafficfiles import FileTraffic
from headgate.vocabulary import Digest

try:
    from headgate.gateway.rpc.door import RpcDoor
    from headgate.gateway.rpc.grpcio import ThreadedServer
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "grpc":
        raise
    speaks_grpc = False
else:
    speaks_grpc = True

_LOG = logging.getLogger("headgate.gateway")
_WARM_ROWS = 64
_DRAIN_SECONDS = 5.0
_RENEW_SECONDS = 1.0
"""How old the certificate's files may be."""
_MOST_FILES = 65536
_OWN_FILES = 1024
"""Files a gateway may need besides its callers' connections: segments, blobs, traffic, hosts."""
_RPC_PART = 4
"""Of so many connections gRPC may have one, where it is spoken; one carries many calls."""
HOST_SECONDS = 10.0
"""Longest one attempt waits for a runtime host; the follower tries again, and loads others in between."""


def run_gateway(settings: Settings, index: int) -> None:
    """Answer on the settings' port until SIGTERM, then drain.

    Raises HomeInUse when another process is this home's gateway `index`: two writers of one stream would mix
    their records.
    """
    home = open_home(settings.home.root)
    require_writable(home)
    keep_freed_memory()
    with claim(worker_lock(home, index)):
        run_on_uvloop(lambda: _serve(home, settings, index))


async def _serve(home: Home, settings: Settings, index: int) -> None:
    clock, certificates, ending = SystemClock(), certificates_of(settings), threading.Event()
    worker = f"w{index}"
    slab = Slab(home.metrics / f"{worker}.slab")
    journal = Committer(
        LocalDisk(home.root),
        worker_stream(index),
        clock=clock,
        commit_interval=settings.commit_interval,
        segment_bytes=settings.segment_bytes,
        rotate_after=settings.seal_interval,
    )
    packages = PackageStore(home.packages)
    permits = Permits(open_identity(home), clock, slab, workers=settings.worker_count())
    over_http, over_rpc = connections_limits(_files_limit(), with_rpc=speaks_grpc and settings.grpc_port != 0)
    gateway = Gateway(
        source=FileTraffic(home.traffic),
        packages=packages,
        placement_for=lambda digest, live: _place(home, packages, digest, live, ending),
        journal=journal,
        blobs=LocalBlobs(LocalDisk(home.root)),
        mint=Mint(read_secret(home), clock, index),
        reports=FileReports(home.run / "workers"),
        clock=ReplayClock(home.replay_clock) if settings.replay else clock,
        slab=slab,
        worker=worker,
        permits=permits,
        replay=settings.replay,
        body_limit=settings.body_limit,
        queue_rows=settings.queue_rows,
        connections_limit=over_http,
        closures=FileClosures(home.closed),
        stillness=FileStillness(home.stillness) if settings.replay else None,
        # Nobody is asked who they are, so only where nobody but this machine can call.
        may_operate=lambda: not settings.is_exposed,
        note=FileNotes(home.notes).leave,
        chosen=chosen_routes(health=settings.health_route, predict=settings.predict_route),
        rpc=_rpc(settings, certificates, over_rpc),
        manners=Manners(turn=lambda: atomic.locked(loading_lock(home)), detectors=FileDetectors(home.detectors)),
    )
    watch = asyncio.get_running_loop().create_task(_renew(certificates))
    try:
        tls = None if certificates is None else certificates.context
        await gateway.start(listening_socket(settings.host, settings.port), tls)
        await _told_to_stop()
        ending.set()
        await gateway.drain(_DRAIN_SECONDS)
    finally:
        watch.cancel()
        journal.close()
        slab.close()


def connections_limits(files: int, *, with_rpc: bool) -> tuple[int, int]:
    """Connections over HTTP and over gRPC that a process with so many files may have at once.

    A part is left for its own: with every file taken by callers who say nothing, no segment could be opened any more.

    >>> connections_limits(65536, with_rpc=True), connections_limits(1024, with_rpc=False)
    ((48384, 16128), (512, 0))
    """
    callers = max(files // 2, files - _OWN_FILES)
    over_rpc = callers // _RPC_PART if with_rpc else 0
    return callers - over_rpc, over_rpc


def _files_limit() -> int:
    """Files this process may have open, from now on as many as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def _rpc(settings: Settings, certificates: Certificates | None, limit: int) -> tuple[Server, DoorOf] | None:
    """Where gRPC calls arrive; None, said in the log, where the extra is missing, or where nobody wants them."""
    if not settings.grpc_port:
        return None
    if not speaks_grpc:
        _LOG.info("gRPC is off: %s", MissingExtra("it", "grpc"))
        return None
    pems = None if certificates is None else certificates.pems
    server = ThreadedServer(
        settings.host, settings.grpc_port, body_limit=settings.body_limit, connections_limit=limit, pems=pems
    )
    return server, RpcDoor


async def _renew(certificates: Certificates | None) -> None:
    """Follow the certificate's files until cancelled."""
    while certificates is not None:
        await asyncio.sleep(_RENEW_SECONDS)
        certificates.look()


def _place(home: Home, packages: PackageStore, digest: str, live: bool, ending: threading.Event) -> Placement:
    """In this process when the version is live and needs nobody's Python; in its runtime host otherwise."""
    package = packages.open(Digest(digest))
    if not runs_here(package.manifest, live):
        await_host(host_socket(home, digest), ending)
        return HostedPlacement(host_socket(home, digest))
    plan = compile_feeds(package.contract, package.manifest.signature, package.manifest.options)
    runtime = open_runtime(package.path, package.manifest, package.contract)
    return InProcess(runtime, plan.from_values([likely_row(package.contract)] * _WARM_ROWS))


def await_host(path: Path, ending: threading.Event) -> None:
    """Wait until the runtime host listens: the supervisor starts it at the same moment as it starts us.

    Raises Unavailable when it does not come, and the follower tries again later; at once when this process is `ending`,
    for its host ends with it.
    """
    deadline = time.monotonic() + HOST_SECONDS
    while time.monotonic() < deadline:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe, contextlib.suppress(OSError):
            with short_address(path) as address:
                probe.connect(address)
            return
        if ending.wait(0.05):
            raise Unavailable("this gateway ends; no version is loaded any more")
    raise Unavailable(f"no runtime host listens at {path}; `headgate up` starts one")


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await stop.wait()
