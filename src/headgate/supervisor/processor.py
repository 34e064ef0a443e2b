"""Who goes first where there is less processor than work: whom callers wait for, before who works unheard."""

import os
from contextlib import suppress
from pathlib import Path


def let_others_first(pid: int, wanted: bool) -> None:
    """Have a process that wakes up wait for those at work, or not any more; nothing where the kernel cannot say so.

    Every thread it has; those it begins later do as the one that began them. Its share of a busy processor stays what
    it was. Unlike with `nice` the way back is open to every user. See SCHED_BATCH in sched(7).
    """
    if not hasattr(os, "SCHED_BATCH"):
        return
    policy = os.SCHED_BATCH if wanted else os.SCHED_OTHER
    for thread in _threads(pid):
        with suppress(ProcessLookupError, PermissionError):  # it ended meanwhile, or a sandbox lets nobody choose
            os.sched_setscheduler(thread, policy, os.sched_param(0))


def _threads(pid: int) -> list[int]:
    try:
        return [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    except FileNotFoundError:
        return []
