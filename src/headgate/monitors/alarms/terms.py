"""What a person decides about the monitors of an endpoint: how often they may be wrong together, and what is alike.

The budget is the endpoint's. Whoever may raise alarms is in it by name, once for each segment, and no monitor can be
made that is not: so however many there are, and however many fields each of them watches, together they are wrong no
more often than the sentence says.
"""

import msgspec

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.seasons import Season
from headgate.monitors.calendars import check_zone

RISK, INPUT, SCORE = "risk", "input", "score"
"""The usual names of monitors of losses, of inputs and of outputs."""


class Budget(msgspec.Struct, frozen=True):
    """How often alarms may be false, and the monitors that share it, each as much, whatever it consists of.

    So a monitor of a hundred fields does not slow down that of losses: each of its fields has a hundredth of its part.

    >>> budget = Budget.of("at most one per 90 days", segments=("north", "south"))
    >>> budget.monitors[:2], budget.limit("risk of north"), budget.limit("input of south", members=21)
    (('risk of north', 'risk of south'), 540.0, 11340.0)
    """

    policy: FalseAlarms
    monitors: tuple[str, ...]
    """By name."""

    @classmethod
    def of(
        cls, words: str, monitors: tuple[str, ...] = (RISK, INPUT, SCORE), segments: tuple[str, ...] = ()
    ) -> "Budget":
        """What the sentence `words` allows, for each of the monitors, and for each of them in each of the segments.

        Without segments the monitors watch all rows. Raises BadInput where the sentence says nothing that can be kept,
        there is no monitor, or two have the same name.
        """
        names = tuple(f"{each} of {segment}" for each in monitors for segment in segments) if segments else monitors
        if not names:
            raise BadInput("monitors", "empty", "a budget needs monitors to share it")
        if len(set(names)) < len(names):
            raise BadInput("monitors", "unique", "must have different names, and segments too")
        return cls(FalseAlarms.read(words), names)

    def limit(self, name: str, members: int = 1) -> float:
        """Where each of the members of the monitor of that name raises an alarm; BadInput where it has no part."""
        if name not in self.monitors:
            raise BadInput("name", "unknown", "has no part in the budget; it is shared by " + ", ".join(self.monitors))
        return self.policy.limit(len(self.monitors) * members)


class Terms(msgspec.Struct, frozen=True):
    """What a person decides about the monitors of an endpoint; the same terms make all of them."""

    budget: Budget
    season: Season = Season.NONE
    """What a row is compared within."""
    zone: str = "UTC"
    """On whose clocks seasons are, by its IANA name."""
    seed: int = 0
    """Of what is drawn: which rows of a reference are fitted on, and how ties are broken."""

    def check(self, name: str, at: Ints | None) -> None:
        """Raises BadInput where no monitor of that name can be made of a reference at the moments `at`, if known.

        The name has no part in the budget, the zone is none, or seasons need moments that are not known.
        """
        self.budget.limit(name)
        check_zone(self.zone)
        if at is None and self.season is not Season.NONE:
            raise BadInput("at", "missing", "a season needs the moment of each row of the reference")

    def seasons_of(self, at: Ints) -> Ints:
        """The season of each moment, from 0 on."""
        return self.season.of(at, self.zone)
