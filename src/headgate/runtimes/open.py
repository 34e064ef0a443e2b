"""Makes a package callable here, or in a process of its own.

Called by gateways for what they run themselves, by the runtime host, by scoring and parity, and by supervisors.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from headgate.contracts.contract import Contract
from headgate.registry.package import Engine, Manifest
from headgate.runtimes.engines import keras, lightgbm, python, sklearn, text, torch, xgboost
from headgate.runtimes.engines.native import Load, open_native
from headgate.runtimes.onnx import OnnxRuntime
from headgate.runtimes.ports import Runtime

THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""What numerical libraries read, once, when they are loaded."""

_ENGINES: Final[Mapping[Engine, Load]] = {
    Engine.SKLEARN: sklearn.load,
    Engine.PICKLE: sklearn.load_pickle,
    Engine.XGBOOST: xgboost.load,
    Engine.LIGHTGBM: lightgbm.load,
    Engine.TORCH: torch.load,
    Engine.KERAS: keras.load,
    Engine.TEXT: text.load,
    Engine.PYTHON: python.load,
}


def open_runtime(package: Path, manifest: Manifest, contract: Contract, *, threads: int = 1) -> Runtime:
    """The package in directory `package` made callable in this process, whatever its engine.

    Raises RuntimeFailed when the model cannot be loaded here, TrustRequired when opening it would run code nobody
    vouched for, MissingExtra when its library is not installed.
    """
    if manifest.engine is Engine.ONNX:
        return OnnxRuntime(package, manifest, contract, threads=threads)
    return open_native(_ENGINES[manifest.engine], package, manifest, contract, threads)


def host_command(
    package: Path,
    socket: Path,
    *,
    memory_mb: int = 0,
    threads: int = 1,
    nice: int = 0,
    call_limit: float | None = None,
    parent: int | None = None,
) -> tuple[str, ...]:
    """The command line that starts a runtime host for the package in directory `package`.

    `memory_mb` bounds its private memory (0: not at all), `nice` steps back for others, `call_limit` are the
    seconds after which a call that does not return ends the process.
    """
    command = [sys.executable, "-m", "headgate.runtimes.host", "--package", str(package), "--socket", str(socket)]
    command += ["--memory-mb", str(memory_mb), "--threads", str(threads), "--nice", str(nice)]
    if call_limit is not None:
        command += ["--call-limit", str(call_limit)]
    if parent is not None:
        command += ["--parent", str(parent)]
    return tuple(command)


def spawn_host(
    package: Path,
    socket: Path,
    *,
    memory_mb: int = 0,
    threads: int = 1,
    nice: int = 0,
    call_limit: float | None = None,
) -> subprocess.Popen[bytes]:
    """A runtime host for the package, started as a child that ends when this process does.

    Start it from a thread that lives as long as the host should: the kernel ends the child with that thread. It is
    ready once `socket` can be connected to; `HostedPlacement.ready` waits for that. Ending it (``terminate``,
    then ``wait``) is the caller's duty.
    """
    command = host_command(
        package, socket, memory_mb=memory_mb, threads=threads, nice=nice, call_limit=call_limit, parent=os.getpid()
    )
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)  # noqa: S603 - our own interpreter
