"""Finds the programs the full tests need, installs what is missing where it may, and fails naming the rest."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """A program, the Debian package that brings it, and how to see that it is there."""

    package: str
    present: Callable[[], bool]
    why: str


def on_path(name: str) -> Callable[[], bool]:
    """Whether a program of that name is on the path."""
    return lambda: shutil.which(name) is not None


PARTS = (
    Part("postgresql", lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb")), "the store on PostgreSQL"),
    Part("nats-server", on_path("nats-server"), "a stream that pipelines read"),
    Part("chromium", on_path("chromium"), "pages as a browser draws them"),
    Part("wrk", on_path("wrk"), "load that is not Python's"),
    Part("gcc", on_path("cc"), "load at even moments, faster than Python's"),
    Part("libc6-dev", Path("/usr/include/stdio.h").exists, "what a C compiler includes"),
    Part("strace", on_path("strace"), "the order of replies and disk writes"),
    Part("openssl", on_path("openssl"), "certificates for a test of TLS"),
    Part("prometheus", on_path("promtool"), "alert rules, and a scrape, as Prometheus has them"),
)


def main() -> int:
    """0 when everything is there, 1 otherwise."""
    missing = [part for part in PARTS if not part.present()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [part.package for part in missing]
        print(f"Installing {', '.join(packages)} with apt-get, once ...", flush=True)
        # At run level 1 no package starts its server by being installed.
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        missing = [part for part in PARTS if not part.present()]
    for part in missing:
        print(f"missing: {part.package} ({part.why}); install it: apt-get install {part.package}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
