"""Compressed bodies, opened in threads before any door sees them: a small one may unfold to the largest there is."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from headgate.errors import Overloaded
from headgate.gateway.http.coding import decoded
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.room import FULL

_THREADS: Final = 2
_MOST_UNDER_WAY: Final = 64
"""Bodies taken before anything of them is counted; each may have as many bytes as a body."""

Opened = Callable[[BaseException | None], object]
"""Is told what is wrong with a body, None where its exchange has it as it was before its coding."""


class Unfolder:
    """Opens the compressed bodies of one gateway."""

    def __init__(self, body_limit: int) -> None:
        self._limit = body_limit
        # Threads of its own: a flood of bodies must not keep waiting what loads versions or writes large values.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bodies")
        self._under_way = 0

    def open(self, exchange: Exchange, opened: Opened) -> None:
        """Have the body of `exchange` opened, then `opened` called. Raises Overloaded where too many are under way."""
        if self._under_way >= _MOST_UNDER_WAY:
            raise Overloaded(FULL)
        self._under_way += 1
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(self._threads, decoded, exchange.head, exchange.body, self._limit)
        opening.add_done_callback(partial(self._opened, exchange, opened))

    def _opened(self, exchange: Exchange, opened: Opened, done: "asyncio.Future[bytes]") -> None:
        self._under_way -= 1
        problem = done.exception()
        if problem is None:
            exchange.body = done.result()
        opened(problem)
