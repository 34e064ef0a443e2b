"""A gateway on a real socket, with everything around it in memory or in a temporary directory."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from headgate.access.identity import Identity
from headgate.access.pems import NewestPems
from headgate.access.ports import TokenSource
from headgate.clock import Clock, SystemClock
from headgate.errors import JournalUnavailable
from headgate.gateway.metrics import Slab
from headgate.gateway.permits import Permits
from headgate.gateway.rpc.door import RpcDoor
from headgate.gateway.rpc.grpcio import ThreadedServer
from headgate.gateway.server import Gateway, listening_socket, run_on_uvloop
from headgate.journal.blobs import BlobStore, LocalBlobs
from headgate.journal.disk import LocalDisk
from headgate.journal.identifiers import Mint
from headgate.journal.packed import PackedBlock, unpacked
from headgate.journal.ports import Done
from headgate.journal.records import Answer, Block, Input, Label, Schema
from headgate.registry.packages import PackageStore
from headgate.runtimes.open import open_runtime
from headgate.runtimes.placements import InProcess
from headgate.runtimes.ports import Placement
from headgate.testing.memory import MemoryKeys, MemoryReports, MemoryTraffic
from headgate.testing.scripted import linear_package
from headgate.traffic.traffic import Member, Policy, Traffic
from headgate.vocabulary import Digest

SECRET = b"s" * 32
"""What keys of these tests are kept under."""


@dataclass
class ListJournal:
    """A journal that keeps its blocks in a list; `problem` makes it fail, `held` makes it silent."""

    healthy: bool = True
    full: bool = False
    pressed: bool = False
    idle: bool = True
    problem: JournalUnavailable | None = None
    held: bool = False
    blocks: list[tuple[Schema, Block]] = field(default_factory=list)
    waiting: list[Done] = field(default_factory=list)

    def write(self, schema: Schema, block: Block | PackedBlock, done: Done | None) -> bool:
        if isinstance(block, PackedBlock):
            block = unpacked(b"".join(block.parts()))
        if done is None and self.problem is not None:
            return False
        self.blocks.append((schema, block))
        if done is None:
            return True
        if self.held:
            self.waiting.append(done)
        else:
            done(self.problem)
        return True

    def release(self) -> None:
        while self.waiting:
            self.waiting.pop()(self.problem)

    def close(self) -> None:
        pass

    @property
    def inputs(self) -> list[Input]:
        return [each for _, block in self.blocks for each in block.inputs]

    @property
    def answers(self) -> list[Answer]:
        return [each for _, block in self.blocks for each in block.answers]

    @property
    def labels(self) -> list[Label]:
        return [each for _, block in self.blocks for each in block.labels]


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """One kept-alive connection that says exactly the bytes it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, method: str, path: str, body: bytes = b"", *headers: str) -> Reply:
        self.send(method, path, body, *headers)
        return await self.reply(head_only=method == "HEAD")

    async def post(self, path: str, document: object) -> Reply:
        return await self.ask("POST", path, json.dumps(document).encode())

    def send(self, method: str, path: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: test", *headers]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def reply(self, *, head_only: bool = False) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = 0 if head_only else int(headers.get("content-length", "0"))
        return Reply(int(first.split()[1]), headers, await self.reader.readexactly(size))

    async def ended(self) -> bytes:
        """What comes until the other side closes."""
        return await self.reader.read()


@dataclass
class Town:
    """A gateway and what it works with."""

    home: Path
    packages: PackageStore
    traffic: MemoryTraffic
    reports: MemoryReports
    journal: ListJournal
    blobs: BlobStore
    mint: Mint
    slab: Slab
    gateway: Gateway | None = None
    port: int = 0
    callers: list[Caller] = field(default_factory=list)
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    tokens: TokenSource | None = None
    placements: dict[str, Placement] = field(default_factory=dict)
    """By digest: what runs a package instead of ONNX Runtime in this process."""

    def linear(self, bias: float = 0.0, n_fields: int = 3) -> str:
        return f"sha256:{linear_package(self.packages.root, n_fields, bias=bias).name}"

    def publish(self, members: list[Member], *, live: str = "m:1", **more: Any) -> None:
        previous = self.traffic.read().get(("default", "e"))
        revision = previous.revision if previous else 0
        more.setdefault("policy", Policy())
        self.traffic.swap(Traffic("default", "e", revision + 1, live, members, "salt", **more), revision)

    def serve_one(self, **policy: Any) -> None:
        self.publish([Member("m:1", self.linear(), 1.0, proved=True)], policy=Policy(**policy))

    def placement_for(self, digest: str, live: bool) -> Placement:
        if digest in self.placements:
            return self.placements[digest]
        package = self.packages.open(Digest(digest))
        runtime = open_runtime(package.path, package.manifest, package.contract)
        from headgate.runtimes.feeds import compile_feeds

        feeds = compile_feeds(package.contract, package.manifest.signature)
        rows = [tuple(0.5 for _ in package.contract.fields)] * 4
        return InProcess(runtime, feeds.from_values(rows))

    async def call(self) -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port))
        self.callers.append(caller)
        return caller

    async def obeyed(self, revision: int) -> None:
        async with asyncio.timeout(5):
            while self.reports.obeyed().get("w0", {}).get("default/e") != revision:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def open_town(
    home: Path,
    prepare: Callable[[Town], None],
    *,
    clock: Clock | None = None,
    workers: int = 1,
    tls: ssl.SSLContext | None = None,
    **settings: Any,
) -> AsyncIterator[Town]:
    clock = clock or SystemClock()
    town = Town(
        home,
        PackageStore(home / "packages"),
        MemoryTraffic(),
        MemoryReports(),
        ListJournal(),
        LocalBlobs(LocalDisk(home)),
        Mint(bytes(32), clock, worker=0),
        Slab(home / "metrics" / "w0.slab"),
    )
    prepare(town)
    town.gateway = Gateway(
        source=town.traffic,
        packages=town.packages,
        placement_for=town.placement_for,
        journal=town.journal,
        blobs=town.blobs,
        mint=town.mint,
        reports=town.reports,
        clock=clock,
        slab=town.slab,
        worker="w0",
        permits=Permits(Identity(town.keys, SECRET, clock, town.tokens), clock, town.slab, workers=workers),
        **settings,
    )
    sock = listening_socket("127.0.0.1", 0)
    town.port = sock.getsockname()[1]
    await town.gateway.start(sock, tls)
    try:
        yield town
    finally:
        for caller in town.callers:
            caller.writer.close()
        await town.gateway.drain(1.0)
        town.slab.close()


Scene = Callable[[Town], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Runs a scene in a town: ``play(prepare, scene, **gateway settings)``."""

    def run(prepare: Callable[[Town], None], scene: Scene, **settings: Any) -> None:
        async def main() -> None:
            async with asyncio.timeout(30), open_town(tmp_path, prepare, **settings) as town:
                await scene(town)

        run_on_uvloop(main)

    return run


@pytest.fixture
def play_rpc(play: Play) -> Play:
    """The same in a town that speaks gRPC as well, on ``town.gateway.grpc_port``."""

    def run(
        prepare: Callable[[Town], None],
        scene: Scene,
        *,
        body_limit: int = 1 << 24,
        pems: NewestPems | None = None,
        **settings: Any,
    ) -> None:
        rpc = ThreadedServer("127.0.0.1", 0, body_limit=body_limit, pems=pems), RpcDoor
        play(prepare, scene, rpc=rpc, body_limit=body_limit, **settings)

    return run
