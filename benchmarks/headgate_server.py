"""One Headgate gateway as `headgate up` runs it, for one package. Started by `serving.py` and others."""

import argparse
import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.access.keys import Key, digest_of, id_in
from headgate.clock import SystemClock
from headgate.gateway.allocator import keep_freed_memory
from headgate.gateway.metrics import Slab
from headgate.gateway.permits import Permits
from headgate.gateway.rpc.call import Server
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

BODY_LIMIT: Final = 1 << 24
RpcOf = Callable[[int], Server]
"""Makes the server of gRPC that listens on a port."""
_SECRET = bytes(32)


async def serve(chosen: argparse.Namespace, rpc_of: RpcOf) -> None:
    """Answer until told to stop."""
    home, digest, ack, index, grpc_port = chosen.home, chosen.digest, chosen.ack, chosen.index, chosen.grpc_port
    clock, packages, traffic = SystemClock(), PackageStore(home / "packages"), MemoryTraffic()
    members = [Member("m:1", digest, 1.0, proved=True)]
    traffic.swap(Traffic("default", "e", 1, "m:1", members, "salt", policy=Policy(ack=Ack(ack))), 0)
    journal = Committer(LocalDisk(home / "journal"), Stream(f"bench-{index}"), clock=clock)
    slab = Slab(home / "metrics" / f"{ack}-{index}.slab")

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
        mint=Mint(bytes(32), clock, index),
        reports=MemoryReports(),
        clock=clock,
        slab=slab,
        worker=f"bench-{index}",
        queue_rows=chosen.queue_rows,
        rpc=(rpc_of(grpc_port), RpcDoor) if grpc_port else None,
        permits=Permits(Identity(_keys(chosen.key), _SECRET, clock), clock, slab),
    )
    await gateway.start(listening_socket("127.0.0.1", chosen.port))
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await stop.wait()
    await gateway.drain(2.0)
    journal.close()


def _keys(text: str) -> MemoryKeys:
    """The one key callers must show, with a rate that is counted and never reached; none, and the gateway is open."""
    keys = MemoryKeys()
    if text:
        roles, digest = (CallerRole.PREDICT,), digest_of(text, _SECRET)
        keys.publish([Key(id_in(text), "default", "bench", digest, roles, ("default/e",), Micros(0), rate=1e9)])
    return keys


def main(rpc_of: RpcOf) -> None:
    """The gateway that the words ask for, its gRPC on such a server."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("home", type=Path)
    arguments.add_argument("digest")
    arguments.add_argument("port", type=int)
    arguments.add_argument("ack", choices=["durable", "buffered"])
    arguments.add_argument("--grpc-port", type=int, default=0)
    arguments.add_argument("--key", default="", help="callers must show it, and its rate is counted")
    arguments.add_argument("--index", type=int, default=0, help="which of several on one port and one home it is")
    arguments.add_argument("--queue-rows", type=int, default=16384, help="rows that may wait")
    chosen = arguments.parse_args()
    keep_freed_memory()
    run_on_uvloop(lambda: serve(chosen, rpc_of))


if __name__ == "__main__":
    main(lambda port: ThreadedServer("127.0.0.1", port, body_limit=BODY_LIMIT))
