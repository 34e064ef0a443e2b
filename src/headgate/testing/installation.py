"""A real installation for tests: ``headgate up`` on free ports over a home of its own, ended whatever happens.

For tests that kill processes, fill disks or ask over the wire, ours and anybody's who extends Headgate.
"""

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

from headgate.app.facade import Headgate
from headgate.registry.packages import open_package
from headgate.registry.ports import Version
from headgate.settings import STORE_VARIABLE
from headgate.store.home import create_home
from headgate.store.reports import FileReports
from headgate.supervisor.parent import die_with_parent
from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.scripted import linear_package, scripted_package
from headgate.vocabulary import DEFAULT_PROJECT, Micros

PATIENCE: Final = 60.0
"""Seconds a step may take on a busy machine before the test fails."""

GREETING: Final = "predictions and labels "
"""How ``headgate up`` begins once its ports are its own."""


class Installation:
    """One home and the processes of ``headgate up`` on it. Use it as a context: at its end no process is left."""

    def __init__(
        self,
        root: Path,
        *,
        workers: int = 1,
        seal_interval: float = 10.0,
        replay: bool = False,
        ack: str = "durable",
        on_failure: str = "refuse",
        store: str | None = None,
        queue_rows: int | None = None,
    ) -> None:
        """`root` becomes the home; nothing runs before `start`. `ack` and `on_failure` go for every endpoint.

        `queue_rows` are the rows one gateway takes at once; None means as many as ever.

        `store` is the URL of its database; None means the home's own SQLite file.
        """
        self.home = create_home(root)
        self.workers = workers
        self.seal_interval = seal_interval
        self.replay = replay
        self.store = store
        self.queue_rows = queue_rows
        self._words = f"{{ack: {ack}, on_failure: {on_failure}}}"
        self.port, self.control_port, self.metrics_port, self.grpc_port = free_ports(4)
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its gateways answer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What its processes said."""
        path = self.home.root / "up.log"
        return path.read_text() if path.exists() else ""

    def open(self) -> Headgate:
        """The installation as Python sees it; close it."""
        return Headgate(self.home, store=self.store)

    # What it serves

    def keep(self, model: str, package: Path) -> str:
        """Make a package below the home's packages the next version of `model`; returns ``model:number``."""
        found = open_package(package)
        with self.open() as hg:
            version = Version(
                DEFAULT_PROJECT,
                model,
                0,
                found.digest,
                Micros(0),
                found.manifest.engine,
                found.contract.output.task,
            )
            return hg.registry.records.add_version(version).ref

    def linear(self, model: str = "linear", *, bias: float = 0.0, n_fields: int = 2) -> str:
        """Register a `linear_package`; returns ``model:number``."""
        return self.keep(model, linear_package(self.home.packages, n_fields, bias=bias))

    def scripted(self, behaviour: str, model: str = "scripted", *, value: float = 0.0, seconds: float = 0.2) -> str:
        """Register a `scripted_package`; returns ``model:number``."""
        return self.keep(model, scripted_package(self.home.packages, behaviour, value=value, seconds=seconds))

    def serve(self, endpoint: str, shares: dict[str, float], *, live: str | None = None, more: str = "") -> int:
        """Apply an endpoint whose versions share its callers, unproved ones by force; returns the new revision.

        `live` is the first version unless it is named; `more` are further lines of YAML.
        """
        lines = [f"endpoint: {endpoint}", f"model: {live or next(iter(shares))}", f"journal: {self._words}"]
        split = "".join(f"\n  - {{version: {version}, weight: {weight}}}" for version, weight in shares.items())
        text = "\n".join(lines) + (f"\ntraffic:\n  split:{split}" if len(shares) > 1 else "") + f"\n{more}"
        with self.open() as hg:
            return hg.apply(text, force=True, why="a test").revision

    # Its processes

    def start(self) -> "Installation":
        """Run ``headgate up`` and wait until gateways and controller answer."""
        words = ["--home", str(self.home.root), "--workers", str(self.workers)]
        words += ["--port", str(self.port), "--control-port", str(self.control_port)]
        words += ["--metrics-port", str(self.metrics_port), "--grpc-port", str(self.grpc_port)]
        words += ["--seal-interval", str(self.seal_interval)]
        words += ["--replay"] if self.replay else []
        words += [] if self.queue_rows is None else ["--queue-rows", str(self.queue_rows)]
        before = len(self.log)
        with (self.home.root / "up.log").open("ab") as log:
            self._up = subprocess.Popen(  # noqa: S603 - our own interpreter and words
                headgate_argv("up", *words),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, STORE_VARIABLE: self.store or ""},
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one call of the kernel, no locks
            )
        # Until `up` greets, it may wait for children of an earlier one, and those answer on the same ports.
        self.until(lambda: self._has_greeted(before), "`headgate up` has its ports")
        self.settled()
        return self

    def settled(self) -> None:
        """Wait until every worker obeys what is published and all doors answer."""
        self.until(self._is_settled, "gateways and controller answer")

    def until(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait for `true`; AssertionError with the log when it does not come within `seconds`."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"not in {seconds:.0f} s: {what}\n{self.log[-4000:]}")
            time.sleep(0.02)

    def processes(self) -> dict[str, int]:
        """Ids of everything that runs on this home: ``up``, ``controller``, ``gateway 0``, ``host 0123456789ab``."""
        return dict(_named(str(self.home.root)))

    def kill(self, name: str) -> int:
        """SIGKILL the process of that name and return its id; wait until another has taken its place."""
        pid = self.processes()[name]
        os.kill(pid, signal.SIGKILL)
        self.until(lambda: self.processes().get(name) not in (None, pid), f"{name} is started again")
        return pid

    def orphan(self) -> None:
        """SIGKILL ``headgate up`` itself and return while its children are still ending."""
        assert self._up is not None, "it was not started"  # noqa: S101 - a test's mistake
        self._up.kill()
        self._up.wait()

    def crash(self) -> None:
        """SIGKILL ``headgate up`` itself and wait until nothing of it is left."""
        pids = self.processes()
        self.orphan()
        self._until_gone(pids, "the children of a killed supervisor end by themselves")

    def crash_whole(self) -> None:
        """SIGKILL every process of it at one moment, so that none can put anything in order."""
        pids = self.processes()
        for each in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids.values():
                os.kill(pid, each)
        if self._up is not None:
            self._up.wait()
        self._until_gone(pids, "every process is gone")

    def stop(self) -> int:
        """End it as a service manager would and return the exit status; kills what is left after a while."""
        up, self._up = self._up, None
        status = 0 if up is None else _ended(up)
        for pid in self.processes().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return status

    def _until_gone(self, pids: dict[str, int], what: str) -> None:
        # A dying process loses its command line before its locks, so that none is named does not yet mean all is free.
        self.until(lambda: not self.processes() and all(_gone(pid) for pid in pids.values()), what)

    def __enter__(self) -> "Installation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            sys.stderr.write(self.log[-4000:])

    # Asking it

    def get(self, path: str, *, port: int | None = None) -> tuple[int, bytes]:
        """(status, body) of a GET on the gateways' port or another; (0, b"") when nobody answers."""
        return exchange(port or self.port, "GET", path)

    def post(self, path: str, body: bytes, *, port: int | None = None) -> tuple[int, bytes]:
        """(status, body) of a POST on the gateways' port or another; (0, b"") when nobody answers."""
        return exchange(port or self.port, "POST", path, body)

    def metric(self, family: str) -> dict[str, float]:
        """The samples of a family on ``/metrics``, by their labels as they are written."""
        _, page = self.get("/metrics", port=self.metrics_port)
        samples = (line.rpartition(" ") for line in page.decode().splitlines() if line.startswith(f"{family}{{"))
        return {labels.removeprefix(family): float(value) for labels, _, value in samples}

    def _check_runs(self) -> None:
        if self._up is not None and self._up.poll() is not None:
            raise AssertionError(f"`headgate up` ended with {self._up.returncode}\n{self.log[-4000:]}")

    def _has_greeted(self, before: int) -> bool:
        self._check_runs()
        return GREETING in self.log[before:]

    def _is_settled(self) -> bool:
        self._check_runs()
        with self.open() as hg:
            wanted = {f"{p}/{e}": traffic.revision for (p, e), traffic in hg.traffic.read().items()}
        obeyed = FileReports(self.home.run / "workers").obeyed()
        settled = len(obeyed) == self.workers and all(each == wanted for each in obeyed.values())
        doors = ((self.port, "/readyz"), (self.control_port, "/livez"))
        return settled and all(exchange(port, "GET", path)[0] == 200 for port, path in doors)


def _ended(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def exchange(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """(status, body) of one request on a connection of its own; (0, b"") when there is no whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, below those the kernel hands out to clients: such a one could be taken meanwhile."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found += [port] if port not in found else []
    return found


def _named(home: str) -> Iterator[tuple[str, int]]:
    """Name and id of every living process whose command line speaks of `home`."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            if any(word == home or word.startswith(f"{home}/") for word in words):
                yield _name(words), int(entry.name)


def _gone(pid: int) -> bool:
    """Whether a process has let go of everything: nothing is left of it, or one thread that waits to be reaped."""
    try:
        threads = [each.name for each in Path(f"/proc/{pid}/task").iterdir()]
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return threads == [str(pid)] and state in "ZX"


def _name(words: list[str]) -> str:
    if "headgate.runtimes.host" in words:
        return f"host {Path(words[words.index('--package') + 1]).name[:12]}"
    if words[0] != sys.executable or "headgate.cli.main" not in words:
        return words[0]
    verb = words[words.index("headgate.cli.main") + 1]
    return f"{verb} {words[words.index('--index') + 1]}" if verb == "gateway" else verb
