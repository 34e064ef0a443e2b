"""A home of its own with one real gateway for one package, to be asked over loopback and thrown away.

Called by `sizing`. The gateway is the one that ``headgate up`` runs, with its journal on the same disk; where the
package needs a runtime host it has one.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from headgate.app.hosts import host_socket
from headgate.app.screens import Screens
from headgate.client import Client
from headgate.clock import SystemClock
from headgate.controller.declared import Declared
from headgate.errors import RuntimeFailed, Unavailable
from headgate.registry.package import Engine
from headgate.registry.packages import Package, PackageStore
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.runtimes.hosted import HostedRuntime
from headgate.runtimes.open import spawn_host
from headgate.settings import Home
from headgate.sizing.callers import Answered, ask
from headgate.sizing.figures import Memory
from headgate.sizing.process import last_words
from headgate.sizing.procfs import cpu_seconds, peak_mb, resident_mb
from headgate.store.home import create_home, read_secret
from headgate.store.reports import FileReports
from headgate.store.sql import SqlStore
from headgate.store.trafficfiles import FileTraffic
from headgate.supervisor.supervisor import headgate_argv
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DEFAULT_PROJECT, Micros

START_SECONDS: Final = 60.0
"""Longest a gateway or a runtime host may take to answer at all."""
_PAUSE: Final = 0.02
_END_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor time so far, in seconds."""

    gateway: float
    host: float


class Trial:
    """One gateway, running. `serve` says how the endpoint is to be answered, `ask` asks it."""

    def __init__(
        self,
        home: Home,
        declared: Declared,
        *,
        gateway: "subprocess.Popen[bytes]",
        host: "subprocess.Popen[bytes] | None",
        port: int,
        log: Path,
    ) -> None:
        self._home = home
        self._declared = declared
        self._traffic = FileTraffic(home.traffic)
        self._revision = 0
        self._gateway = gateway
        self._host = host
        self._port = port
        self._log = log
        self._base_mb = resident_mb(gateway.pid)
        self._loaded_mb = self._base_mb

    def serve(self, spec: EndpointSpec) -> None:
        """Publish what `spec` declares, and wait until the gateway obeys it.

        Raises BadConfiguration where it does not fit the package, RuntimeFailed where the gateway does not load it.
        """
        self._declared.check(spec)
        traffic = self._declared.resolve(self._declared.forced(spec))
        Screens.of(self._home).check(traffic)
        self._traffic.swap(msgspec.structs.replace(traffic, revision=self._revision + 1), self._revision)
        self._revision += 1
        reports, name = FileReports(self._home.run / "workers"), f"{spec.project}/{spec.endpoint}"
        self._wait(lambda: reports.obeyed().get("w0", {}).get(name) == self._revision)
        self._loaded_mb = max(self._loaded_mb, resident_mb(self._gateway.pid))

    def ask(self, requests: list[bytes], *, callers: int, seconds: float, patience: float) -> Answered:
        """What so many callers are answered within so many seconds. Raises RuntimeFailed when the gateway gives up."""
        try:
            return ask(self._port, requests, callers=callers, seconds=seconds, patience=patience)
        except (Unavailable, OSError) as error:
            raise RuntimeFailed(f"the gateway gave up: {error}{self._words()}") from error

    def spent(self) -> Spent:
        """Processor time of its processes."""
        return Spent(cpu_seconds(self._gateway.pid), cpu_seconds(self._host.pid) if self._host else 0.0)

    def gateway_memory(self) -> Memory:
        """Of the gateway: without an endpoint, what the first one added, and at most."""
        return Memory(self._base_mb, max(0.0, self._loaded_mb - self._base_mb), peak_mb(self._gateway.pid))

    def host_peak_mb(self) -> float:
        """Of the runtime host, at most; 0 where there is none."""
        return peak_mb(self._host.pid) if self._host else 0.0

    def _wait(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + START_SECONDS
        while not true():
            if self._gateway.poll() is not None or time.monotonic() > end:
                raise RuntimeFailed(f"the gateway does not serve it{self._words()}")
            time.sleep(_PAUSE)

    def _words(self) -> str:
        return last_words(self._log)


@contextlib.contextmanager
def trial(package: Package, spec: EndpointSpec, *, beside: Path | None) -> Iterator[Trial]:
    """A gateway that serves nothing yet, in a home of its own below `beside` (None: where temporary files go).

    `package` is there as version 1 of the model `spec` names. At the end of the block no process of it is left.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="size-", dir=beside)))
        home = create_home(folder / "home")
        home.packages.mkdir(exist_ok=True)
        (home.packages / package.digest.removeprefix("sha256:")).symlink_to(package.path.resolve())
        store = SqlStore(home.database)
        stack.callback(store.close)
        engine, task = package.manifest.engine, package.contract.output.task
        store.add_version(
            Version(DEFAULT_PROJECT, spec.model.partition(":")[0], 0, package.digest, Micros(0), engine, task)
        )
        registry = Registry(store, PackageStore(home.packages), SystemClock())
        declared = Declared(store, registry, partial(read_secret, home), store)
        log, port = folder / "log", _free_port()
        host = None if engine is Engine.ONNX else stack.enter_context(_host(package, home, spec))
        gateway = stack.enter_context(_gateway(home, port, log))
        yield Trial(home, declared, gateway=gateway, host=host, port=port, log=log)


@contextlib.contextmanager
def _host(package: Package, home: Home, spec: EndpointSpec) -> Iterator["subprocess.Popen[bytes]"]:
    door = host_socket(home, package.digest)
    door.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    granted = spec.resources
    process = spawn_host(package.path, door, memory_mb=granted.memory_mb or 0, call_limit=granted.call_seconds)
    try:
        client = HostedRuntime(door)
        try:
            client.ready(START_SECONDS)
        finally:
            client.close()
        yield process
    finally:
        _end(process)


@contextlib.contextmanager
def _gateway(home: Home, port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    words = ["--home", str(home.root), "--port", str(port), "--grpc-port", "0", "--parent", str(os.getpid())]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADGATE_")}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
            headgate_argv("gateway", *words), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
        )
    try:
        _await_listening(process, port, log)
        yield process
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    with Client(f"http://127.0.0.1:{port}", timeout=1.0) as client:
        while process.poll() is None and time.monotonic() < end:
            if client.ready():
                return
            time.sleep(_PAUSE)
    raise RuntimeFailed(f"the gateway does not start{last_words(log)}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
