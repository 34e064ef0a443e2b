"""One notice on its way to one channel: when its next try is due, and when there will be none.

All of it is in real time, also during a replay: whoever receives it lives by the wall clock.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from headgate.alerts.alert import Alert, Notice
from headgate.vocabulary import HOUR, SECOND, Micros, readable

TRIES: Final = 9
"""Tries after which a delivery is given up; the last is made some seven hours after the first."""
FIRST_PAUSE: Final = Micros(2 * SECOND)
GROWTH: Final = 4
LONGEST_PAUSE: Final = Micros(4 * HOUR)
NEVER_ANSWERED: Final = "what came of the last try is not known: the controller ended meanwhile"
_ID_BYTES: Final = 16


class Outcome(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """It is tried, now or later."""
    DELIVERED = "delivered"
    """The channel has taken it."""
    GIVEN_UP = "given_up"
    """It is tried no more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try."""

    taken: bool
    said: str
    """In words for an operator, without a secret and without an address's path."""
    final: bool = False
    """Whether every further try would be told the same."""
    pause_s: float = 0.0
    """How many seconds the channel asked to be left alone."""


@readable
class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One notice for one channel, with everything that was tried."""

    id: str
    """The same at every try, so that a receiver can drop what it has already."""
    alert: Alert
    """As it was when people were to be told."""
    notice: Notice
    channel: str
    planned: Micros
    next_try: Micros
    tries: int = 0
    outcome: Outcome = Outcome.WAITING
    said: str = ""
    """What came of the last try."""
    ended: Micros | None = None
    """When it was delivered or given up."""
    revision: int = 1

    @property
    def project(self) -> str:
        """Whose alert it is."""
        return self.alert.finding.project

    @property
    def endpoint(self) -> str:
        """Which endpoint's alert it is."""
        return self.alert.finding.endpoint

    @property
    def decided(self) -> Micros:
        """When it was decided that people are to be told, in event time."""
        alert = self.alert
        last = alert.ended if self.notice is Notice.OVER else alert.warned
        return alert.seen if last is None else last

    @property
    def order(self) -> tuple[int, int, str, str]:
        """By what deliveries are listed: when they were planned, and then as people were to be told."""
        return self.planned, self.alert.notices, self.channel, self.id


def planned(alert: Alert, notice: Notice, channel: str, secret: bytes, now: Micros) -> Delivery:
    """The delivery of a notice, to be tried at once.

    Its id is 32 hexadecimal digits of BLAKE2b, keyed with the home's secret: no other installation makes the same, and
    this one makes it again whenever it plans the same notice.
    """
    name = f"{alert.finding.project}/{alert.id}/{alert.notices}/{channel}".encode()
    id_ = hashlib.blake2b(name, key=secret, digest_size=_ID_BYTES, person=b"headgate-alert").hexdigest()
    return Delivery(id=id_, alert=alert, notice=notice, channel=channel, planned=now, next_try=now)


def pause_after(tries: int, asked_s: float = 0.0) -> Micros:
    """How long to wait after so many tries: 2 s, then four times as long each time, four hours at most.

    A channel that asks for more is left alone for as long, within the same bound.

    >>> [pause_after(tries) // SECOND for tries in range(1, 10)]
    [2, 8, 32, 128, 512, 2048, 8192, 14400, 14400]
    >>> pause_after(1, 60.0) // SECOND
    60
    """
    asked = round(max(0.0, min(asked_s, LONGEST_PAUSE / SECOND)) * SECOND)
    return Micros(min(LONGEST_PAUSE, max(FIRST_PAUSE * GROWTH ** (tries - 1), asked)))


def begun(delivery: Delivery, now: Micros) -> Delivery:
    """The delivery while it is tried, kept before anything is sent.

    Should nobody be left to say what came of it, its next try is due as if it had failed.
    """
    tries = delivery.tries + 1
    return _changed(delivery, tries=tries, next_try=Micros(now + pause_after(tries)), said=NEVER_ANSWERED)


def answered(delivery: Delivery, answer: Answer, now: Micros) -> Delivery:
    """The delivery after a try that `begun` it.

    >>> from headgate.alerts.alert import raised
    >>> from headgate.alerts.finding import Finding
    >>> alert = raised(Finding(endpoint="late", monitor="score_drift", what="the scores moved", at=Micros(7)))
    >>> first = begun(planned(alert, Notice.RAISED, "ops", b"secret", Micros(0)), Micros(0))
    >>> answered(first, Answer(True, "HTTP 200"), Micros(1)).outcome.value
    'delivered'
    >>> answered(first, Answer(False, "HTTP 410", final=True), Micros(1)).outcome.value
    'given_up'
    """
    if answer.taken:
        return _changed(delivery, outcome=Outcome.DELIVERED, said=answer.said, ended=now)
    if answer.final or delivery.tries >= TRIES:
        return _changed(delivery, outcome=Outcome.GIVEN_UP, said=answer.said, ended=now)
    pause = pause_after(delivery.tries, answer.pause_s)
    return _changed(delivery, said=answer.said, next_try=Micros(now + pause))


def exhausted(delivery: Delivery, now: Micros) -> Delivery | None:
    """The delivery given up, where its last try was made and nobody was left to hear the answer; else None."""
    if delivery.tries < TRIES or now < delivery.next_try:
        return None
    return _changed(delivery, outcome=Outcome.GIVEN_UP, ended=now)


def due(waiting: Sequence[Delivery], now: Micros) -> dict[str, list[Delivery]]:
    """What is to be tried now, by channel, in the order it was planned.

    A channel hears of one alert in order: what was planned later waits for what was planned before it.
    """
    first: dict[tuple[str, str, str], Delivery] = {}
    for each in sorted(waiting, key=lambda delivery: delivery.order):
        first.setdefault((each.channel, each.project, each.alert.id), each)
    found: dict[str, list[Delivery]] = {}
    for each in first.values():
        if each.next_try <= now:
            found.setdefault(each.channel, []).append(each)
    return found


def _changed(delivery: Delivery, **changes: object) -> Delivery:
    return msgspec.structs.replace(delivery, **changes, revision=delivery.revision + 1)
