"""Waits for what an earlier ``headgate up`` on the same home left to end; called by `up` before it takes any port.

A killed supervisor's children are told by the kernel and end by themselves, but gateways first answer what they have
taken, and a controller finishes its turn.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from headgate.app.workers import controller_lock, worker_lock
from headgate.errors import HomeInUse
from headgate.settings import Home
from headgate.store.home import held_by

LONGEST: Final = 15.0
"""Seconds: a gateway drains for five; the rest is for a busy machine."""
_TURN: Final = 0.05


def await_predecessors(
    home: Home,
    workers: int,
    *,
    ports_free: Callable[[], bool],
    said: Callable[[str], None],
    longest: float = LONGEST,
) -> None:
    """Return once nobody holds what the controller and gateways 0 to `workers` - 1 of this home need, or a port.

    Gateways beyond these are waited for only while a port is taken: somebody may run them on another. Says once whom
    it waits for. Raises HomeInUse naming who is still there after `longest` seconds.
    """
    deadline = time.monotonic() + longest
    needed = [controller_lock(home), *(worker_lock(home, index) for index in range(workers))]
    told = False
    while there := _holders(needed) or ({} if ports_free() else _holders(home.run.glob("gateway-*.lock"))):
        if not told:
            said(f"waiting up to {longest:.0f} s for what an earlier `headgate up` left: {', '.join(sorted(there))}")
            told = True
        if time.monotonic() >= deadline:
            break
        time.sleep(_TURN)
    for name, holder in sorted(_holders(needed).items()):
        raise HomeInUse(f"{name} of this home still runs as {holder}; stop it first")


def _holders(locks: Iterable[Path]) -> dict[str, str]:
    """Who holds which of `locks`, by the name of the process: ``gateway 0``."""
    held = {path.stem.replace("-", " "): held_by(path) for path in locks}
    return {name: holder for name, holder in held.items() if holder is not None}
