"""Says that nothing a gateway was asked is under way any more: in a replay, time goes on only then.

Callers have their answers before the driver moves the clock. What shadows are still to say of them, and what was
answered before it was on disk, nobody waits for but this.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from headgate.traffic.ports import Stillness

_LOG: Final = logging.getLogger(__name__)
LOOK_SECONDS: Final = 0.005
"""How late a gateway may notice that it is asked, and that it has come to rest."""


async def answer_when_still(stillness: Stillness, worker: str, is_still: Callable[[], bool]) -> None:
    """Answer every question once `is_still`, as `worker`; until cancelled."""
    told = 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        asked = stillness.asked()  # before the look at what is under way: what begins afterwards, another asks for
        if asked == told or not is_still():
            continue
        try:
            stillness.tell(worker, asked)
        except OSError as error:  # nobody may wait for ever because a disk was full for a moment
            _LOG.error("it cannot be said that all is still: %s; trying again", error.strerror)
        else:
            told = asked
