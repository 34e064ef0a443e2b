"""What an endpoint's file says of its alerts: who hears of them, from which severity on, and how often."""

from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.alerts.finding import Severity
from headgate.vocabulary import DAY, HOUR, Micros


class AlertWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words under ``alerts`` in an endpoint's file."""

    channels: list[str] | None = None
    """Names in the installation's ``channels.yaml``; None tells all of them. The log hears of everything."""
    least: Severity = Severity.WARNING
    """The severity from which anybody is told: ``info``, ``warning`` or ``critical``."""
    cooldown: str = "4h"
    """How long people are not told again of what is still found, such as 4h; that it grew worse they hear at once."""
    over_after: str = "1d"
    """How long after it was last found an alert counts as over, where its monitor does not say so itself."""


_COOLDOWN: Final = Micros(4 * HOUR)
_OVER_AFTER: Final = Micros(DAY)


@dataclass(frozen=True, slots=True)
class Rule:
    """The same with its durations in microseconds."""

    channels: tuple[str, ...] | None = None
    least: Severity = Severity.WARNING
    cooldown: Micros = _COOLDOWN
    over_after: Micros = _OVER_AFTER
