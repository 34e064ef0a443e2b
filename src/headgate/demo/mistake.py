"""Somebody's mistake in June: a version whose training data was exported in kilometres is deployed like any other.

No check before serving can see it; callers send miles. The plan is a canary as it is shipped, which stands behind a
shadow first, with the two guards that runs of the loop have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from headgate.app.facade import Headgate
from headgate.demo.flights import LABEL, Flights
from headgate.demo.timetable import KILOMETRES_PER_HOUR, fit_timetable, in_kilometres
from headgate.demo.train import split, training_flights, with_label
from headgate.errors import Conflict
from headgate.rollouts.rollout import Rollout
from headgate.vocabulary import SECOND, Micros

FITTED_UNTIL: Final = 5
"""The last month it was trained on."""
OFFERED_FROM: Final = Micros(round(datetime(2013, 6, 4, tzinfo=UTC).timestamp()) * SECOND)
"""From when on it is to be deployed."""
PLAN: Final = """
endpoint: {endpoint}
candidate: {candidate}
why: it has seen more, and reads the timetable
strategy: canary
guards: [{{metric: errors}}, {{metric: calibration}}]
on_horizon: roll_back
"""


@dataclass(slots=True)
class Mistake:
    """The version with the bug, and its rollout once there is one."""

    hg: Headgate
    endpoint: str
    ref: str
    """The version, ``model:number``."""
    said: Callable[[str], None]
    number: int | None = None
    """Of its rollout; None before."""

    def offer(self, at: Micros) -> None:
        """Deploy it, once it is June and no other rollout of the endpoint goes on."""
        if self.number is not None or at < OFFERED_FROM:
            return
        try:
            self.number = self.hg.deploy(PLAN.format(endpoint=self.endpoint, candidate=self.ref)).number
        except Conflict:
            return
        self.said(f"somebody deploys {self.ref}, whose training data was exported in kilometres")

    def rollout(self) -> Rollout | None:
        """Its rollout; None where it was never deployed."""
        return next((each for each in self.hg.rollouts.history(self.endpoint) if each.number == self.number), None)


def registered(hg: Headgate, model: str, flights: Flights, gate: str) -> str:
    """Train and register it, and let it pass its evaluation, on rows of the same export; returns the version."""
    fit_on, aside = (in_kilometres(each) for each in split(training_flights(flights, FITTED_UNTIL)))
    first, reference = hg.registry.resolve(f"{model}:1"), with_label(fit_on)
    version = hg.register(
        model,
        fit_timetable(reference, KILOMETRES_PER_HOUR),
        reference=reference,
        label=LABEL,
        contract=hg.registry.package(first).contract,
        parent=first.ref,
        code="headgate.demo.mistake",
        why="flights of January to May 2013, from a new export",
    ).version
    hg.evaluate(version.ref, with_label(aside), gates=[gate])
    return version.ref
