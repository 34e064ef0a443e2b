"""The runtime host: one process, one package, many callers; ``python -m headgate.runtimes.host``.

Whatever a model does in here (err, hang, leak, die) stays in here. Started by a supervisor, or by `spawn_host` in
open.py; gateways reach it through hosted.py. The socket appears under its name only once the package is open, so
that whoever can connect is answered.

Exit codes: 0 after SIGTERM or the parent's end, 2 for wrong arguments, 65 when the package cannot be opened, 71 when
the model has used up its memory; a call over its limit ends the process by SIGALRM.
"""

import argparse
import ctypes
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from headgate.errors import HeadgateError
from headgate.processor import step_back
from headgate.registry.packages import open_package
from headgate.runtimes.channel import short_address
from headgate.runtimes.failure import failed
from headgate.runtimes.open import THREAD_VARIABLES, open_runtime
from headgate.runtimes.ports import Runtime
from headgate.runtimes.serving import Serving

CALL_LIMIT: Final = 60.0
"""Seconds a call may take; more than any caller waits by default, less than a person does."""
BATCHABLE: Final = "batchable"
"""Key of ``Manifest.options``: ``no`` when the answer to a row depends on the rows beside it."""
CANNOT_OPEN: Final = 65
NO_MEMORY: Final = 71
_FIRST_TO_GO: Final = 500
"""Where the kernel looks first when the whole machine is out of memory, from -1000 to 1000."""
_PR_SET_PDEATHSIG: Final = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Open the package, listen, serve until told to stop."""
    arguments = _parser().parse_args(argv)
    if arguments.parent is not None and not end_with(arguments.parent):
        return 0
    apply_limits(arguments.memory_mb, arguments.nice, arguments.threads)
    try:
        package = open_package(arguments.package)
        runtime = open_runtime(package.path, package.manifest, package.contract, threads=arguments.threads)
    except HeadgateError as error:
        return _refuse(str(error))
    except Exception as error:
        return _refuse(str(failed(error)))
    with _listening(arguments.socket) as listener:
        code = _serve(runtime, listener, arguments, package.manifest.options.get(BATCHABLE) != "no")
    runtime.close()
    return code


def _serve(runtime: Runtime, listener: socket.socket, arguments: argparse.Namespace, batchable: bool) -> int:
    parent = arguments.parent
    serving = Serving(
        runtime,
        listener,
        call_limit=arguments.call_limit,
        batchable=batchable,
        parent_lives=lambda: parent is None or os.getppid() == parent,
    )
    signal.signal(signal.SIGTERM, lambda _signal, _frame: serving.stop())
    signal.signal(signal.SIGINT, lambda _signal, _frame: serving.stop())
    serving.serve()
    return NO_MEMORY if serving.exhausted else 0


def end_with(parent: int) -> bool:
    """Ask the kernel to end this process with its parent, even in a call that never returns; whether it still lives.

    The kernel watches the thread that started us, so a parent starts hosts from a thread that lives as long as it
    does. Where it cannot be asked, looking at the parent's id now and then is enough for a healthy host.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("headgate.runtimes.host", description="Serve one package on a Unix socket.")
    parser.add_argument("--package", type=Path, required=True, help="directory of the package")
    parser.add_argument("--socket", type=Path, required=True, help="where to listen; replaced if it is there")
    parser.add_argument("--memory-mb", type=int, default=0, help="private memory it may hold, in MiB; 0: no limit")
    parser.add_argument("--threads", type=int, default=1, help="threads the model may compute on")
    parser.add_argument("--nice", type=int, default=0, help="how far to step back for others, 0 to 19")
    parser.add_argument("--call-limit", type=float, default=CALL_LIMIT, help="seconds a call may take")
    parser.add_argument("--parent", type=int, help="process whose end ends this one")
    return parser


def apply_limits(memory_mb: int, nice: int, threads: int) -> None:
    """Bound what a model can take from others. Private memory, because libraries map far more than they use."""
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, str(threads))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_mb:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))
    with suppress(OSError):  # a sandbox may not show the file; then the kernel chooses by size alone
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_GO))
    if nice:
        step_back(0, nice)
    sys.dont_write_bytecode = True  # a package must stay as it was registered


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """A socket that appears at `path` ready to be connected to, and is gone afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_address(draft) as address:
            listener.bind(address)
        draft.chmod(0o600)
        listener.listen(128)
        listener.setblocking(False)
        draft.replace(path)
        mine = path.stat().st_ino
        yield listener
        with suppress(OSError):
            if path.stat().st_ino == mine:  # else a successor listens there already
                path.unlink()
    finally:
        listener.close()


def _refuse(reason: str) -> int:
    sys.stderr.write(f"headgate runtime host: {reason}\n")
    return CANNOT_OPEN


if __name__ == "__main__":
    sys.exit(main())
