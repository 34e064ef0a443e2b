"""An installation of a demo's own: a fresh home, and ``headgate up --replay`` on it for as long as the demo lasts."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from headgate.errors import Conflict, Unavailable
from headgate.settings import STORE_VARIABLE
from headgate.store.home import create_home
from headgate.supervisor.supervisor import headgate_argv

READY_SECONDS: Final = 60

_MARK: Final = "made-by-headgate-demo"


def fresh_home(root: Path) -> Path:
    """An empty directory at `root`; what an earlier demo left there is removed.

    Raises Conflict when something else is there.
    """
    if root.exists():
        if not (root / _MARK).exists():
            raise Conflict(f"{root} is there and was not made by the demo; name another with --home")
        shutil.rmtree(root)
    create_home(root)
    (root / _MARK).touch()
    return root


@dataclass(frozen=True, slots=True)
class Running:
    """An installation that serves; ports are on the loopback address."""

    port: int
    control_port: int


@contextlib.contextmanager
def serving(root: Path, log: Path, *more: str) -> Iterator[Running]:
    """``headgate up --replay`` on free ports for as long as the context lasts; `more` are further words for it.

    Raises Unavailable, naming the log, when it does not become ready in time.
    """
    port, control, metrics = _free_ports(3)
    words = ["up", "--home", str(root), "--replay", "--port", str(port)]
    words += ["--control-port", str(control), "--metrics-port", str(metrics), "--grpc-port", "0", *more]
    with log.open("wb") as sink:
        # The words of the command line are ours; nothing of them comes from a caller.
        process = subprocess.Popen(  # noqa: S603
            headgate_argv(*words),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env={**os.environ, STORE_VARIABLE: ""},  # the demo's home is its own, database included
        )
        before = signal.signal(signal.SIGTERM, _ended)
        try:
            _wait_ready(process, (f"127.0.0.1:{port}/readyz", f"127.0.0.1:{control}/livez"), log)
            yield Running(port, control)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            signal.signal(signal.SIGTERM, before)


def _ended(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave by the door where somebody ends the demo: what it has started has to end too."""
    raise SystemExit(128 + number)


def _wait_ready(process: "subprocess.Popen[bytes]", addresses: Sequence[str], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if all(_answers(address) for address in addresses):
            return
        time.sleep(0.05)
    raise Unavailable(f"`headgate up` did not become ready; its log is {log}")


def _answers(address: str) -> bool:
    host, _, path = address.partition("/")
    connection = HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
