"""When a request is sent again and when it is not: decided here, done by the clients.

A call has one deadline over all its attempts. Between two attempts it waits a random time whose bound doubles (full
jitter), and at least what ``Retry-After`` asks for; where that wait would outlast the deadline it gives up at once.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from headgate_client.calls import PASSING, Call, Reply, problem_of
from headgate_client.errors import BadInput, DeadlineExceeded, HeadgateError, NoReply
from headgate_client.values import Predictions

T = TypeVar("T")
_OVER = 0.002
"""Seconds: a timer may ring so much before the deadline it was set to."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how soon a request is sent again."""

    attempts: int = 4
    """Times a request is sent at most; 1 means never again."""
    base: float = 0.05
    """Seconds: the longest first wait; it doubles with every attempt."""
    longest: float = 2.0
    """Seconds: no wait is drawn longer, whatever the number of the attempt."""
    patience: float | None = None
    """Seconds one attempt may take before another is made; None lets it take all that is left of the deadline."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.base < 0 or self.longest < 0 or (self.patience is not None and self.patience <= 0):
            message = "needs one attempt at least, waits that are not negative and a patience over 0"
            raise BadInput(message, field="retries", rule="range")

    def wait(self, attempt: int, share: float) -> float:
        """Seconds to wait after attempt number `attempt`; `share` is the draw, 0 to 1.

        >>> [Retries().wait(attempt, 1.0) for attempt in (1, 2, 3, 10)]
        [0.05, 0.1, 0.2, 2.0]
        """
        return share * min(self.longest, self.base * 2.0 ** (attempt - 1))


@dataclass(frozen=True, slots=True)
class Wait:
    """Sleep so many seconds, then send it again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The call has its result."""

    value: T


class Attempts(Generic[T]):
    """The attempts of one call; the client sends, tells what came of it, and does what it is told."""

    def __init__(
        self,
        call: Call[T],
        retries: Retries,
        deadline: float,
        now: Callable[[], float],
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`deadline` is seconds from now for all attempts together; `now` any clock of seconds that never goes back."""
        if isinstance(deadline, bool) or not isinstance(deadline, int | float) or not 0 < deadline < math.inf:
            raise BadInput("must be a number of seconds over 0", field="deadline", rule="range")
        self._call = call
        self._retries = retries
        self._now = now
        self._draw = draw
        self._ends = now() + deadline
        self._attempt_ends = self._ends
        self.made = 0
        """How often the request was sent."""

    @property
    def left(self) -> float:
        """Seconds until the deadline of the call; 0 after it."""
        return max(0.0, self._ends - self._now())

    @property
    def patience(self) -> float:
        """Seconds until this attempt has had its time; 0 after it."""
        return max(0.0, self._attempt_ends - self._now())

    def begin(self) -> bytes | None:
        """One more attempt: its body. The server is told how long this attempt waits."""
        self.made += 1
        if self._retries.patience is not None:
            self._attempt_ends = min(self._ends, self._now() + self._retries.patience)
        return None if self._call.body is None else self._call.body(self.patience)

    def answered(self, reply: Reply) -> Done[T] | Wait:
        """A whole reply came: the result, or how long to wait. Raises the error that is left in the end."""
        if reply.status in PASSING:
            return self._again(problem_of(reply))
        try:
            value = self._call.read(reply)
        except HeadgateError as error:
            error.attempts = self.made
            raise
        if isinstance(value, Predictions):
            value = replace(value, attempts=self.made)
        return Done(value)

    def failed(self, why: str) -> Wait:
        """No whole reply came. Raises NoReply, or DeadlineExceeded when the time is up, if that is the end of it."""
        return self._again(NoReply(f"no whole reply: {why}"))

    def timed_out(self) -> Wait:
        """This attempt had its time. Raises DeadlineExceeded when the call had, too."""
        return self._again(self._late())

    def _late(self) -> DeadlineExceeded:
        message = "no answer within the deadline; give it longer or ask for less"
        return DeadlineExceeded(message, rule="deadline")

    def _again(self, problem: HeadgateError) -> Wait:
        problem.attempts = self.made
        if self.left <= _OVER and not isinstance(problem, DeadlineExceeded):
            late = self._late()
            late.attempts = self.made
            raise late from problem
        wait = self._retries.wait(self.made, self._draw()) + (problem.retry_after or 0.0)
        if self.made >= self._retries.attempts or wait >= self.left:
            raise problem
        return Wait(wait)
