"""Everything one machine runs under one supervisor; called by ``headgate up``."""

import contextlib
import importlib.util
import json
import logging
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server

from headgate.app.certificates import certificates_of
from headgate.app.channels import FileChannels, take_secrets
from headgate.app.hosts import Hosts
from headgate.app.identity import asks_who_calls, open_identity
from headgate.app.succession import await_predecessors
from headgate.client import Client
from headgate.clock import Clock, SystemClock
from headgate.errors import BadConfiguration, MissingExtra, Unavailable
from headgate.gateway.metrics import Slab, SlabCollector
from headgate.gateway.metrics.counting import MachineCount
from headgate.registry.packages import PackageStore
from headgate.runtimes.open import THREAD_VARIABLES
from headgate.settings import KEY_VARIABLE, STORE_VARIABLE, Home, Settings, default_key
from headgate.store import atomic
from headgate.store.deaths import FileDeaths
from headgate.store.home import claim, create_home
from headgate.store.replayclock import ReplayClock
from headgate.store.reports import FileReports
from headgate.store.trafficfiles import FileTraffic
from headgate.supervisor.child import Child
from headgate.supervisor.supervisor import Supervisor, headgate_argv

log = logging.getLogger("headgate.supervisor")

_CONTROLLER_NICE = 5


def up(settings: Settings, *, store: str | None = None, said: Callable[[str], None]) -> None:
    """Run gateways, runtime hosts and the controller until SIGTERM or SIGINT.

    `store` names the database; only the controller is told, and by its environment, for it may hold a password.
    Raises HomeInUse when another `up`, or what a killed one left, runs on this home and BadConfiguration when a port
    is taken.
    """
    _forget_store()
    secrets = take_secrets()
    home = create_home(settings.home.root)
    with claim(home.run / "up.lock"):
        _check_distinct(settings)
        certificates_of(settings)  # a bad file is refused here rather than in a child that is restarted for ever
        open_identity(home)
        FileChannels(home.channels).load()  # the same for the ways to tell people of alerts
        await_predecessors(home, settings.worker_count(), ports_free=lambda: not _taken(settings), said=said)
        for name, why in _taken(settings).items():
            raise BadConfiguration(f"--{name}", why)
        _write_addresses(home, settings)
        shutil.rmtree(home.closed, ignore_errors=True)  # what was unloaded was so until now; none is a good state
        home.replay_clock.unlink(missing_ok=True)  # a new replay begins where its driver says
        clock: Clock = ReplayClock(home.replay_clock) if settings.replay else SystemClock()
        with _counting(home) as count, _metrics_server(home, settings):
            for line in _greeting(home, settings):
                said(line)
            announcing = _Announcement(home, settings, said)
            hosts = Hosts(home, PackageStore(home.packages), FileTraffic(home.traffic))

            def wanted() -> list[Child]:
                announcing.look()
                count.look()
                return [*_fixed_children(settings, store, secrets), *hosts.wanted()]

            Supervisor(wanted, on_death=partial(_remember, home, clock, count)).run()


def _remember(home: Home, clock: Clock, count: MachineCount, name: str, cause: str) -> None:
    """Leave word of a child's death for the controller; a full disk is no reason to stop starting children."""
    count.died(name)
    try:
        FileDeaths(home.deaths).report(name, cause, clock.now())
    except OSError as error:
        log.warning("the death of %s cannot be noted: %s", name, error.strerror)


def _forget_store() -> None:
    """Take databases and keys out of the environment: runtime hosts run other people's code and inherit it."""
    for name in [each for each in os.environ if each.startswith("HEADGATE_") and each.endswith("_STORE")]:
        del os.environ[name]
    os.environ.pop(KEY_VARIABLE, None)


def _ports(settings: Settings) -> Sequence[tuple[str, int]]:
    ports = (("port", settings.port), ("control-port", settings.control_port), ("metrics-port", settings.metrics_port))
    return (*ports, ("grpc-port", settings.grpc_port)) if _speaks_grpc(settings) else ports


def _speaks_grpc(settings: Settings) -> bool:
    """Whether gateways will listen for gRPC; looked up, not imported, because this process needs none of it."""
    return bool(settings.grpc_port) and importlib.util.find_spec("grpc") is not None


class _Announcement:
    """Says once that the installation answers, and what to do next when there is nothing to answer with."""

    def __init__(self, home: Home, settings: Settings, said: Callable[[str], None]) -> None:
        self._reports = FileReports(home.run / "workers")
        self._traffic = FileTraffic(home.traffic)
        self._settings = settings
        self._said = said
        self._began = time.monotonic()
        self._made = False

    def look(self) -> None:
        """Announce it if it has not been and every gateway obeys what is published."""
        if self._made or len(self._reports.obeyed()) < self._settings.worker_count():
            return
        self._made = True
        endpoints = sorted(name for _, name in self._traffic.read())
        self._said(f"ready after {time.monotonic() - self._began:.1f} s: {', '.join(endpoints) or 'no endpoint yet'}")
        if not endpoints:
            self._said(
                "next, in another terminal: headgate register, headgate evaluate, headgate init and headgate apply, "
                f"each with --home {self._settings.home.root}; endpoints are served as soon as they are applied"
            )


def _check_distinct(settings: Settings) -> None:
    """Two doors on one port would both start and take turns at dying."""
    taken: dict[int, str] = {}
    for name, port in _ports(settings):
        if port in taken:
            raise BadConfiguration(f"--{name}", f"{port} is the --{taken[port]} already; give each a port of its own")
        taken[port] = name


def _taken(settings: Settings) -> dict[str, str]:
    """The ports that cannot be had and why: said here, not by a child that would be started again for ever."""
    found = {}
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for name, port in _ports(settings):
        with contextlib.closing(socket.socket(family)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
            except OSError as error:
                reason = (error.strerror or "unknown reason").lower()
                found[name] = f"{settings.host}:{port} cannot be used: {reason}"
    return found


def _address(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _greeting(home: Home, settings: Settings) -> list[str]:
    scheme = settings.scheme
    lines = [
        f"predictions and labels  {_address(scheme, settings.host, settings.port)}",
        f"control                 {_address(scheme, settings.host, settings.control_port)}",
        f"metrics                 {_address('http', settings.host, settings.metrics_port)}/metrics",
        f"home                    {settings.home.root.resolve()}",
        f"callers                 {_callers(home, settings)}",
    ]
    if _speaks_grpc(settings):
        how = "" if settings.tls_cert is None else " (TLS)"
        lines.insert(1, f"predictions over gRPC   {settings.host}:{settings.grpc_port}{how}")
    elif settings.grpc_port:
        lines.append(f"gRPC is off: {MissingExtra('it', 'grpc')}")
    if settings.replay:
        lines.append("replay is on: callers may state event times and move the clock")
    return lines


def _callers(home: Home, settings: Settings) -> str:
    if asks_who_calls(home):
        return "must show a key or a token"
    whoever = "whoever reaches these ports" if settings.is_exposed else "everybody on this machine"
    return f"{whoever} may predict, label and read; `headgate key create` ends that"


def _write_addresses(home: Home, settings: Settings) -> None:
    """Leave word where this installation answers, so that local verbs need no --url."""
    content = {
        "predict": _address(settings.scheme, settings.host, settings.port),
        "control": _address(settings.scheme, settings.host, settings.control_port),
        "pid": os.getpid(),
    }
    atomic.write_file(home.run / "up.json", json.dumps(content).encode() + b"\n")


def gateway_address(home: Home) -> str | None:
    """Where this home's gateways answer, if `up` was started on it."""
    try:
        address: str = json.loads((home.run / "up.json").read_bytes())["predict"]
    except (FileNotFoundError, ValueError, KeyError):  # not there, or not what `up` writes: nobody knows an address
        return None
    return address


def running_client(home: Path, url: str | None, project: str) -> Client:
    """A client of the gateway at `url`, or of the home's own gateways.

    Raises Unavailable when there is no `url` and `headgate up` was never started on this home.
    """
    url = url or gateway_address(Home(home))
    if url is None:
        raise Unavailable(f"nothing serves {home}: start `headgate up --home {home}`, or name a gateway with --url")
    return Client(url, project=project, key=default_key())


@contextlib.contextmanager
def _counting(home: Home) -> Iterator[MachineCount]:
    slab = Slab(home.metrics / "supervisor.slab")
    try:
        yield MachineCount(slab, home.root)
    finally:
        slab.close()


@contextlib.contextmanager
def _metrics_server(home: Home, settings: Settings) -> Iterator[None]:
    registry = CollectorRegistry()
    registry.register(SlabCollector(home.metrics))
    server, thread = start_http_server(settings.metrics_port, settings.host, registry)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _fixed_children(settings: Settings, store: str | None, secrets: Sequence[tuple[str, str]] = ()) -> list[Child]:
    common = _flags(settings)
    words = ("controller", *common, "--control-port", str(settings.control_port))
    # Callers come first: sealing and reconciling wait a little when the processors are busy answering.
    # Its sums are small: beside callers, threads that wait for each other at every step cost it twenty times the time.
    alone = tuple((name, "1") for name in THREAD_VARIABLES)
    told = (*alone, *(((STORE_VARIABLE, store),) if store else ()), *secrets)
    controller = Child("controller", headgate_argv(*words), nice=_CONTROLLER_NICE, environment=told)
    numbers = ("port", "grpc_port", "commit_interval", "segment_bytes", "body_limit", "queue_rows")
    routes = [each for each in ("health_route", "predict_route") if getattr(settings, each) is not None]
    flags = [
        word for each in (*numbers, *routes) for word in (f"--{each.replace('_', '-')}", str(getattr(settings, each)))
    ]
    workers = ("--workers", str(settings.worker_count()))
    gateways = [
        Child(
            f"gateway {index}",
            headgate_argv("gateway", *common, *flags, *workers, "--index", str(index)),
            tier=2,
        )
        for index in range(settings.worker_count())
    ]
    return [controller, *gateways]


def _flags(settings: Settings) -> list[str]:
    flags = ["--home", str(settings.home.root), "--host", settings.host, "--parent", str(os.getpid())]
    flags += ["--seal-interval", str(settings.seal_interval)]
    flags += ["--insecure"] if settings.insecure else []
    for flag in ("tls_cert", "tls_key", "tls_client_ca"):
        if (path := getattr(settings, flag)) is not None:
            flags += [f"--{flag.replace('_', '-')}", str(path)]
    return [*flags, "--replay"] if settings.replay else flags
