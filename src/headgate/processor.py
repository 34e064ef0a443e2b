"""Who goes first where there is less processor than work, and what two processors share where there is more.

Whom callers wait for goes before who works unheard. These are wishes: a sandbox may let nobody have any, and then
everybody is treated alike.
"""

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AT_ONCE: Final = 2
"""Items that are worked on side by side: what is won by more is little, and others want processors too."""

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


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What `work` makes of every item, in their order; two at a time where there are two processors.

    For arithmetic in libraries that let go of the interpreter meanwhile; what `work` reads must bear two readers. Each
    is worked on in a copy of the caller's context. Raises what the first of them raises; by then none is at work.

    >>> side_by_side(str.upper, "abc")
    ['A', 'B', 'C']
    """
    waiting = list(items)
    at_once = min(AT_ONCE, len(waiting), _processors())
    if at_once < 2:
        return [work(each) for each in waiting]
    with ThreadPoolExecutor(at_once, thread_name_prefix="beside") as threads:
        begun = [threads.submit(copy_context().run, work, each) for each in waiting]
        return [each.result() for each in begun]


def _processors() -> int:
    """Of this machine, those that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
