"""Notices in the controller's log: the channel that is always there."""

import logging

from headgate.alerts.alert import Notice
from headgate.alerts.delivery import Answer, Delivery
from headgate.alerts.finding import Severity
from headgate.alerts.told import title
from headgate.vocabulary import Micros

log = logging.getLogger("headgate.alerts")


class LogCourier:
    """Writes one line a notice."""

    def carry(self, delivery: Delivery, now: Micros) -> Answer:
        """Write it down; what is critical as an error, so that whoever filters logs sees it."""
        stands = delivery.notice is not Notice.OVER
        grave = stands and delivery.alert.severity is Severity.CRITICAL
        level = logging.ERROR if grave else logging.WARNING if stands else logging.INFO
        log.log(level, "%s (alert %s)", title(delivery), delivery.alert.id)
        return Answer(True, "written")
