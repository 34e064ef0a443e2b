"""Packages and runtime hosts for the tests of this room; whatever is started here is ended here."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate.registry.packages import open_package
from headgate.runtimes.hosted import HostedRuntime
from headgate.runtimes.open import open_runtime, spawn_host
from headgate.runtimes.ports import Feeds, Runtime
from headgate.testing.scripted import linear_package, scripted_package

STARTS_WITHIN = 60.0
"""Seconds a host gets to start on a busy machine."""


@dataclass(frozen=True)
class Host:
    """A runtime host that answers."""

    process: subprocess.Popen[bytes]
    socket: Path


@contextmanager
def hosting(package: Path, socket: Path, **limits: Any) -> Iterator[Host]:
    process = spawn_host(package, socket, **limits)
    try:
        client = HostedRuntime(socket)
        client.ready(STARTS_WITHIN)
        client.close()
        yield Host(process, socket)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


HostStarter = Callable[..., Host]


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[HostStarter]:
    """Starts hosts of scripted packages: ``start_host("slow", seconds=0.1, call_limit=1.0)``."""
    with ExitStack() as stack:
        started = 0

        def start(behaviour: str, *, call_limit: float | None = None, memory_mb: int = 0, **script: Any) -> Host:
            nonlocal started
            started += 1
            package = scripted_package(tmp_path / "packages", behaviour, **script)
            socket = tmp_path / f"{started}.sock"
            return stack.enter_context(hosting(package, socket, call_limit=call_limit, memory_mb=memory_mb))

        yield start


@pytest.fixture(scope="session")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A logistic regression of 20 fields."""
    return linear_package(tmp_path_factory.mktemp("linear"))


@pytest.fixture(scope="session")
def linear_host(linear: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host of `linear` that nobody stops."""
    with hosting(linear, tmp_path_factory.mktemp("linear-host") / "linear.sock") as host:
        yield host


def opened(package: Path) -> Runtime:
    found = open_package(package)
    return open_runtime(found.path, found.manifest, found.contract)


def linear_feeds(rows: int) -> Feeds:
    return {"X": np.random.default_rng(7).normal(size=(rows, 20)).astype(np.float32)}


def echo_feeds(*firsts: float) -> Feeds:
    """Rows of a scripted package by their first field."""
    return {"f0": np.array(firsts).reshape(-1, 1), "f1": np.zeros((len(firsts), 1))}
