"""How much may wait in one gateway, and whose turn it is to be refused when too much does."""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from headgate.access.caller import ANYBODY
from headgate.access.rates import Bucket
from headgate.errors import Overloaded

FULL: Final = "too many rows wait already; come back in a moment"
"""What callers are told for whom there is no room."""


class Account:
    """What one gateway knows of one caller: its rows that wait, and how fast it may send."""

    __slots__ = ("bucket", "name", "waiting")

    def __init__(self, name: str, bucket: Bucket | None = None) -> None:
        self.name = name
        self.waiting = 0
        self.bucket = bucket

    def charge(self, rows: int, now: Callable[[], float] = perf_counter) -> None:
        """Count `rows` against the caller's rate. Raises RateExceeded."""
        if self.bucket is not None:
            self.bucket.take(rows, now())


class Room:
    """Rows a gateway has admitted and not yet answered, by caller.

    As long as there is room everybody is admitted. When there is none, a caller that has its fair share of the room
    waiting (all of it, divided by the callers that wait) is refused; one that has less is still admitted, up to twice
    the room in all, so that nobody is kept out by another's flood.
    """

    __slots__ = ("_anybody", "_later", "callers", "limit", "turn", "waiting")

    def __init__(self, rows: int) -> None:
        self.limit = rows
        """As long as fewer rows wait there is room for anybody, which hot paths see without a call."""
        self._anybody = Account(ANYBODY)
        self.waiting = 0
        self.callers = 0
        """Callers with at least one row that waits."""
        self.turn = 1
        """Counts the turns of the loop in which somebody entered."""
        self._later: list[tuple[Account, int]] = []
        """Whose room is given back when the turn ends."""

    @property
    def crowded(self) -> bool:
        """Whether it is more than half full."""
        return self.waiting * 2 > self.limit

    def lacks(self, caller: Account | None, rows: int = 1) -> bool:
        """Whether `rows` more of `caller` have no room."""
        total = self.waiting + rows
        if total <= self.limit:
            return False
        account = caller or self._anybody
        callers = self.callers + (account.waiting == 0)
        return (account.waiting + rows) * callers > self.limit or total > 2 * self.limit

    def knock(self, caller: Account | None) -> None:
        """Raise Overloaded when no row of `caller` has room at all; asked before a body is read, which costs more."""
        if self.lacks(caller):
            raise Overloaded(FULL)

    def enter(self, caller: Account | None, rows: int) -> None:
        """They wait from now on; all callers nobody asked who they are count as one.

        Raises Overloaded when `rows` more of `caller` have no room, RateExceeded when they come too fast.
        """
        if self.waiting + rows > self.limit and self.lacks(caller, rows):
            raise Overloaded(FULL)
        account = caller or self._anybody
        if account.bucket is not None:
            account.charge(rows)
        if account.waiting == 0:
            self.callers += 1
        account.waiting += rows
        self.waiting += rows

    def leave(self, caller: Account | None, rows: int, turn: int = 0) -> None:
        """They wait no longer; they entered in that turn.

        Within one turn no more enter than there is room for, however soon some are answered: what the loop has read
        is a part of what waits, and a turn without end would keep all of it waiting.
        """
        account = caller or self._anybody
        if turn == self.turn:
            self._later.append((account, rows))
        else:
            self._give_back(account, rows)

    def next_turn(self) -> None:
        """The turn ends."""
        self.turn += 1
        if self._later:
            later, self._later = self._later, []
            for account, rows in later:
                self._give_back(account, rows)

    def _give_back(self, account: Account, rows: int) -> None:
        account.waiting -= rows
        self.waiting -= rows
        if account.waiting == 0:
            self.callers -= 1
