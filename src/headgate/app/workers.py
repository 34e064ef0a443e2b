"""Whose records a stream holds, and the locks by which gateways and the controller are known to live.

Called by those who take them, by the controller, which finishes what a dead gateway left, and by the supervisor. Needs
the base install alone.
"""

import os
import socket
from pathlib import Path

from headgate.journal.disk import LocalDisk
from headgate.journal.ports import Stream
from headgate.journal.segment import recover
from headgate.settings import Home
from headgate.store import atomic


def worker_stream(index: int) -> Stream:
    """The stream that gateway `index` of this machine writes.

    >>> str(worker_stream(3)).endswith("-w3")
    True
    """
    return Stream(f"{_host_id()}-w{index}")


def worker_lock(home: Home, index: int) -> Path:
    """The file that gateway `index` holds for as long as it lives."""
    return home.run / f"gateway-{index}.lock"


def loading_lock(home: Home) -> Path:
    """The file that a gateway holds while it loads a version beside live traffic: one at a time has that to bear."""
    return home.run / "loading.lock"


def controller_lock(home: Home) -> Path:
    """The file that the controller holds for as long as it lives."""
    return home.run / "controller.lock"


def finish_stream(home: Home, stream: Stream) -> bool:
    """Close the segments a dead gateway left open; False while it lives or when it is another machine's."""
    host, _, index = stream.rpartition("-w")
    if host != _host_id() or not index.isdigit():
        return False
    # Held meanwhile: a gateway that starts now must not open a segment under our hands, and tries again.
    with atomic.attempted(worker_lock(home, int(index))) as free:
        if free:
            recover(LocalDisk(home.root), stream)
        return free


def _host_id() -> str:
    """What tells this machine's streams from another's: the kernel's machine id, else the host name."""
    try:
        return Path("/etc/machine-id").read_text().strip()[:12] or _host_name()
    except OSError:
        return _host_name()


def _host_name() -> str:
    return "".join(each if each.isalnum() else "x" for each in socket.gethostname().lower())[:12] or str(os.getuid())
