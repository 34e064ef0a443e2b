"""One gateway process without a supervisor, so that a test can wrap its command: trace it, limit it, stop it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence

from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.installation import Installation


@contextlib.contextmanager
def lone_gateway(installation: Installation, wrapped_in: Sequence[str] = ()) -> Iterator["subprocess.Popen[bytes]"]:
    """Gateway 0 of `installation` behind the words of `wrapped_in`, ended and waited for afterwards."""
    words = ["--home", str(installation.home.root), "--port", str(installation.port), "--index", "0"]
    words += ["--seal-interval", str(installation.seal_interval)]
    log = installation.home.root / "up.log"
    with log.open("ab") as said:
        process = subprocess.Popen(
            [*wrapped_in, *headgate_argv("gateway", *words)], stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        installation.until(lambda: process.poll() is not None or installation.get("/readyz")[0] == 200, "it is ready")
        assert process.poll() is None, installation.log
        yield process
    finally:
        with contextlib.suppress(KeyError, ProcessLookupError):
            os.kill(installation.processes()["gateway 0"], signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            installation.stop()
