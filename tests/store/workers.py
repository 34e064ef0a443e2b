"""What the processes of `together` do; a program, not a test."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from headgate.store.home import create_home, read_secret
from headgate.store.reports import FileReports
from headgate.store.sql import SqlStore
from headgate.store.trafficfiles import FileTraffic
from headgate.testing import conformance_traffic
from headgate.testing.conformance_store import a_version


def make(root: str) -> str:
    """The secret of the home at `root`, which may have to be made."""
    return read_secret(create_home(Path(root))).hex()


def register(where: str, worker: str) -> str:
    """Fifteen versions of this worker's own and fifteen that every worker registers."""
    store = SqlStore(where)
    for i in range(15):
        store.add_version(a_version(digest=f"sha256:{worker}-{i}"))
        store.add_version(a_version(digest=f"sha256:shared-{i}"))
    store.close()
    return worker


def climb(folder: str, last: str) -> str:
    """How many of the revisions up to `last` this process published."""
    won = conformance_traffic.climb(FileTraffic(Path(folder)), int(last))
    FileReports(Path(folder) / "reports").report(f"w{os.getpid()}", {"default/delays": won})
    return str(won)


WORK: dict[str, Callable[..., str]] = {"make": make, "register": register, "climb": climb}

if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(WORK[sys.argv[1]](*sys.argv[2:]) + "\n")
