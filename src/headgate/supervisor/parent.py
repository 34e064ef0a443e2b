"""Ties a child's life to its parent's, so that nothing outlives a killed supervisor.

Called by every process ``headgate up`` starts, first thing.
"""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to send SIGTERM when process `parent` ends; Linux only, elsewhere a no-op.

    The parent's id is passed in and compared afterwards: it may have died between our start and this call, in
    which case the kernel would never tell us, so we end at once with SystemExit.
    """
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:
        raise SystemExit(0)
