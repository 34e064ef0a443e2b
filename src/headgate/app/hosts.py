"""Which packages need a runtime host, and where its socket is: one answer for the parent and for gateways."""

import logging
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from headgate.errors import HeadgateError
from headgate.registry.package import Engine
from headgate.registry.packages import PackageStore
from headgate.runtimes.host import CALL_LIMIT
from headgate.runtimes.open import THREAD_VARIABLES, host_command
from headgate.settings import Home
from headgate.supervisor.child import Child
from headgate.traffic.ports import TrafficSource
from headgate.traffic.traffic import Member, Resources, Traffic
from headgate.vocabulary import Digest

log = logging.getLogger("headgate.supervisor")

LINGER_SECONDS: Final = 60.0
"""How long a package that became live keeps its host: as long as gateways may take to load it, one after the other."""
_REST_SECONDS: Final = 5.0
"""Pause before a package that could not be opened is looked at again: looking reads all of it."""


def host_socket(home: Home, digest: str) -> Path:
    """Where the host of a package listens; `short_address` makes it short enough for the kernel.

    >>> host_socket(Home(Path("/srv/h")), "sha256:0123456789abcdef0123").name
    '0123456789ab.sock'
    """
    return home.run / "hosts" / f"{digest.removeprefix('sha256:')[:12]}.sock"


class Hosts:
    """The runtime hosts the present traffic asks for."""

    def __init__(
        self,
        home: Home,
        packages: PackageStore,
        traffic: TrafficSource,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._now = now
        self._packages = packages
        self._traffic = traffic
        self._engines: dict[str, Engine] = {}
        self._needed: dict[str, tuple[float, list[Resources]]] = {}
        """When each was needed last, and with which limits."""
        self._unopened: dict[str, float] = {}
        """Packages that could not be opened, and since when they rest."""

    def wanted(self) -> list[Child]:
        """One child per package that may not run inside a gateway, and per one that gateways are just taking in.

        A native model always needs one; an ONNX model until it is live. A package that several endpoints share may
        take as much as the most generous of them grants; one whose limits change is replaced. A package that cannot
        be opened has no host, and gateways say why they cannot serve it.
        """
        needed: dict[str, list[Resources]] = {}
        published = self._traffic.read().values()
        for traffic in published:
            for member in traffic.members:
                if member.version != traffic.live or self._engine(member.digest) not in (Engine.ONNX, None):
                    needed.setdefault(member.digest, []).append(traffic.resources)
        needed |= self._lingering(needed, published)
        heard = {each.digest for traffic in published for each in traffic.members if _is_heard(each, traffic)}
        return [self._child(digest, granted, digest not in heard) for digest, granted in sorted(needed.items())]

    def _lingering(
        self, needed: Mapping[str, list[Resources]], published: Collection[Traffic]
    ) -> dict[str, list[Resources]]:
        """Those that became live a moment ago: gateways ask them until each has loaded the package itself."""
        now = self._now()
        self._needed |= {digest: (now, granted) for digest, granted in needed.items()}
        live = {member.digest for each in published if (member := each.member(each.live))}
        self._needed = {
            digest: (at, granted)
            for digest, (at, granted) in self._needed.items()
            if digest in needed or (digest in live and now - at < LINGER_SECONDS)
        }
        return {digest: granted for digest, (_, granted) in self._needed.items() if digest not in needed}

    def _engine(self, digest: str) -> Engine | None:
        """What runs a package; None while it cannot be opened."""
        if digest in self._engines:
            return self._engines[digest]
        if self._now() - self._unopened.get(digest, -_REST_SECONDS) < _REST_SECONDS:
            return None
        try:
            engine = self._packages.open(Digest(digest)).manifest.engine
        except (HeadgateError, OSError) as error:
            log.warning("package %s cannot be opened: %s", digest[:19], error)
            self._unopened[digest] = self._now()
            return None
        self._engines[digest] = engine
        return engine

    def _unsaid_mb(self, digest: str) -> int:
        """What a package may take where nobody says: an ONNX candidate half of the machine, a library what it needs.

        A native model keeps its process when it becomes live, so that its limits must not depend on that; and libraries
        set aside far more than they use.
        """
        return _machine_mb() // 2 if self._engine(digest) is Engine.ONNX else 0

    def _child(self, digest: str, granted: Sequence[Resources], unheard: bool) -> Child:
        socket = host_socket(self._home, digest)
        socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = host_command(
            self._packages.path(Digest(digest)),
            socket,
            memory_mb=_memory_mb(granted) or self._unsaid_mb(digest),
            call_limit=max(CALL_LIMIT if each.call_seconds is None else each.call_seconds for each in granted),
            parent=os.getpid(),
        )
        environment = tuple((name, "1") for name in THREAD_VARIABLES)
        name = f"host {digest.removeprefix('sha256:')[:12]}"
        return Child(name, command, tier=1, environment=environment, unheard=unheard)


def _is_heard(member: Member, traffic: Traffic) -> bool:
    """Whether callers wait for it who did not name it; those who do are few."""
    return member.weight > 0 or member.version == traffic.live


def _machine_mb() -> int:
    """The memory of this machine, in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20


def _memory_mb(granted: Sequence[Resources]) -> int:
    """The largest memory anybody grants, in MiB; 0 where somebody sets no limit."""
    limits = [each.memory_mb for each in granted if each.memory_mb is not None]
    return max(limits) if len(limits) == len(granted) else 0
