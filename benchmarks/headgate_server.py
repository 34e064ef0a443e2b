"""One Headgate gateway as `headgate up` runs it, for one package. Started by `serving.py`."""

import argparse
import asyncio
import signal
from pathlib import Path

from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.access.keys import Key, digest_of, id_in
from headgate.clock import SystemClock
from headgate.gateway.metrics import Slab
from headgate.gateway.permits import Permits
from headgate.gateway.rpc.door import RpcDoor
from headgate.gateway.rpc.grpcio import ThreadedServer
from headgate.gateway.server import Gateway, listening_socket, run_on_uvloop
from headgate.journal.blobs import LocalBlobs
from headgate.journal.committer import Committer
from headgate.journal.disk import LocalDisk
from headgate.journal.identifiers import Mint
from headgate.journal.ports import Stream
from headgate.registry.packages import PackageStore
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.open import open_runtime
from headgate.runtimes.placements import InProcess
from headgate.runtimes.ports import Placement
from headgate.testing.memory import MemoryKeys, MemoryReports, MemoryTraffic
from headgate.traffic.traffic import Member, Policy, Traffic
from headgate.vocabulary import Ack, Digest, Micros

_SECRET = bytes(32)


async def serve(home: Path, digest: str, port: int, ack: str, *, grpc_port: int, key: str) -> None:
    clock, packages, traffic = SystemClock(), PackageStore(home / "packages"), MemoryTraffic()
    members = [Member("m:1", digest, 1.0, proved=True)]
    traffic.swap(Traffic("default", "e", 1, "m:1", members, "salt", policy=Policy(ack=Ack(ack))), 0)
    journal = Committer(LocalDisk(home / "journal"), Stream("bench-0"), clock=clock)
    slab = Slab(home / "metrics" / f"{ack}.slab")

    def placement_for(digest: str, live: bool) -> Placement:
        package = packages.open(Digest(digest))
        feeds = compile_feeds(package.contract, package.manifest.signature)
        rows = [tuple(0.1 for _ in package.contract.fields)]
        return InProcess(open_runtime(package.path, package.manifest, package.contract), feeds.from_values(rows))

    gateway = Gateway(
        source=traffic,
        packages=packages,
        placement_for=placement_for,
        journal=journal,
        blobs=LocalBlobs(LocalDisk(home)),
        mint=Mint(bytes(32), clock, 0),
        reports=MemoryReports(),
        clock=clock,
        slab=slab,
        worker="bench",
        rpc=(ThreadedServer("127.0.0.1", grpc_port, body_limit=1 << 24), RpcDoor) if grpc_port else None,
        permits=Permits(Identity(_keys(key), _SECRET, clock), clock, slab),
    )
    await gateway.start(listening_socket("127.0.0.1", port))
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await stop.wait()
    await gateway.drain(2.0)
    journal.close()


def _keys(text: str) -> MemoryKeys:
    """The one key callers must show; none, and the gateway is open."""
    keys = MemoryKeys()
    if text:
        roles = (CallerRole.PREDICT,)
        keys.publish([Key(id_in(text), "default", "bench", digest_of(text, _SECRET), roles, ("default/e",), Micros(0))])
    return keys


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("home", type=Path)
    arguments.add_argument("digest")
    arguments.add_argument("port", type=int)
    arguments.add_argument("ack", choices=["durable", "buffered"])
    arguments.add_argument("--grpc-port", type=int, default=0)
    arguments.add_argument("--key", default="", help="callers must show it")
    chosen = arguments.parse_args()
    run_on_uvloop(
        lambda: serve(chosen.home, chosen.digest, chosen.port, chosen.ack, grpc_port=chosen.grpc_port, key=chosen.key)
    )
