"""Carries what people are to be told to their channels: looked at several times a second, in real time.

A try is kept before it is made. Whoever is killed meanwhile leaves a delivery that the next controller tries again,
under the same id; so a receiver that looks at ids acts once. No channel waits for another: one that does not answer
keeps nobody but those behind it.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from headgate.alerts.delivery import Answer, Delivery, Outcome, answered, begun, due, exhausted
from headgate.alerts.ports import AlertStore, Courier
from headgate.clock import Clock
from headgate.errors import BadConfiguration, Conflict
from headgate.events import Event, EventKind

log = logging.getLogger("headgate.alerts")

MOST: Final = 64
"""Channels that are tried at once; each costs a thread while it is."""


class Delivering:
    """The deliveries of an installation, a turn at a time; call `turn` from one thread, and `close` in the end."""

    def __init__(
        self,
        *,
        alerts: AlertStore,
        courier: Callable[[str], Courier],
        wall: Clock,
        event_clock: Clock,
        counted: Callable[[str, Outcome], object] = lambda channel, outcome: None,
    ) -> None:
        """`courier` gives the carrier of a channel, and raises BadConfiguration where there is no such channel.

        `counted` hears how each try went: delivered, given up, or still waiting.
        """
        self._alerts = alerts
        self._courier = courier
        self._wall = wall
        self._event_clock = event_clock
        self._counted = counted
        self._threads = ThreadPoolExecutor(MOST, thread_name_prefix="channel")
        self._at_work: dict[str, Future[list[Delivery]]] = {}
        """Channels that are being tried."""

    def turn(self) -> list[Delivery]:
        """Set about what is due, each channel on a thread of its own, and wait for none of them.

        Returns what became of what was set about before. Raises what stopped a channel, such as a store that is away.
        """
        # Those that have come to an end first: what they kept must not be read as it was before.
        found = self._ended()
        for channel, deliveries in due(self._alerts.waiting(), self._wall.now()).items():
            if channel not in self._at_work:
                self._at_work[channel] = self._threads.submit(self._carry_all, deliveries)
        return found

    def close(self) -> list[Delivery]:
        """Wait for what is on its way, no longer than the deadlines of its tries; returns what became of it."""
        self._threads.shutdown()
        return self._ended()

    def _ended(self) -> list[Delivery]:
        ended = {channel: each for channel, each in self._at_work.items() if each.done()}
        self._at_work = {channel: each for channel, each in self._at_work.items() if channel not in ended}
        errors = [error for each in ended.values() if (error := each.exception()) is not None]
        for error in errors[1:]:
            log.error("a channel stopped: %s", error)
        if errors:
            raise errors[0]
        return [delivery for each in ended.values() for delivery in each.result()]

    def _carry_all(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """One after the other; where one fails, its channel is left alone until the next turn."""
        found = []
        for each in deliveries:
            after = self._carry(each)
            if after is not None:
                found.append(after)
            if after is None or after.outcome is not Outcome.DELIVERED:
                break
        return found

    def _carry(self, delivery: Delivery) -> Delivery | None:
        """One try, or the word that there will be none; None where another controller has it."""
        now = self._wall.now()
        spent = exhausted(delivery, now)
        try:
            if spent is not None:
                return self._keep(spent)
            mine = begun(delivery, now)
            self._alerts.change_delivery(mine)
            return self._keep(answered(mine, self._tried(mine), self._wall.now()))
        except Conflict as error:
            log.info("%s", error)
            return None

    def _tried(self, delivery: Delivery) -> Answer:
        try:
            return self._courier(delivery.channel).carry(delivery, self._wall.now())
        except BadConfiguration as error:
            return Answer(False, str(error))
        except Exception as error:  # a fault in one courier must not keep the others' deliveries, nor try for ever
            log.exception("channel %s failed", delivery.channel)
            return Answer(False, f"a fault of Headgate's own: {type(error).__name__}; the controller's log has it")

    def _keep(self, delivery: Delivery) -> Delivery:
        given_up = delivery.outcome is Outcome.GIVEN_UP
        self._alerts.change_delivery(delivery, self._event(delivery) if given_up else None)
        self._counted(delivery.channel, delivery.outcome)
        if delivery.outcome is not Outcome.DELIVERED:
            then = "given up" if given_up else f"try {delivery.tries} failed"
            log.warning("alert %s to channel %s: %s: %s", delivery.alert.id, delivery.channel, then, delivery.said)
        return delivery

    def _event(self, delivery: Delivery) -> Event:
        details: dict[str, str | int | float | bool | None] = {
            "alert": delivery.alert.id,
            "channel": delivery.channel,
            "notice": delivery.notice.value,
            "tries": delivery.tries,
        }
        where = delivery.project, delivery.endpoint
        return Event(self._event_clock.now(), EventKind.UNDELIVERED, *where, "controller", delivery.said, details)
