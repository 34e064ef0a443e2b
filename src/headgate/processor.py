"""Who goes first where there is less processor than work: whom callers wait for, before who works unheard.

These are wishes. A sandbox may let nobody have any, and then everybody is treated alike.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_PATIENCE: Final = 3
_OFTEN_S: Final = 0.12
"""The kernel takes one such wish in a tenth of a second, from whoever it is."""


def step_back(pid: int, nice: int) -> None:
    """Have a process take less of a busy processor, 0 to 19; one that takes less already is left alone.

    Some kernels share processors among sessions before they share them among the processes of each: there the nice
    value of the only process of a session has no effect, and the session's own is set too. That of a session which
    `pid` does not lead is left alone, for others belong to it. See "The autogroup feature" in sched(7).
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, max(nice, os.getpriority(os.PRIO_PROCESS, pid)))
        _weigh_session(pid, os.getpriority(os.PRIO_PROCESS, pid))


def let_others_first(pid: int, wanted: bool) -> None:
    """Have a process that wakes up wait for those at work, or not any more.

    Every thread it has; those it begins later do as the one that began them. Its share of a busy processor stays what
    it was. Unlike with `step_back` the way back is open to every user. See SCHED_BATCH in sched(7).
    """
    if not hasattr(os, "SCHED_BATCH"):
        return
    policy = os.SCHED_BATCH if wanted else os.SCHED_OTHER
    for thread in _threads(pid):
        with suppress(OSError):
            os.sched_setscheduler(thread, policy, os.sched_param(0))


def _weigh_session(pid: int, nice: int) -> None:
    """Have the session that `pid` leads take less too; raises OSError where the kernel knows no sessions' shares."""
    group = Path(f"/proc/{pid or 'self'}/autogroup")
    if os.getsid(pid) != (pid or os.getpid()):
        return
    # Empty for a session that has no share of its own, as the first one of a container.
    share = group.read_text().rpartition(" ")[2]
    if not share or int(share) >= nice:
        return
    for _ in range(_PATIENCE):
        try:
            group.write_text(str(nice))
        except BlockingIOError:
            time.sleep(_OFTEN_S)
        else:
            return


def _threads(pid: int) -> list[int]:
    try:
        return [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
