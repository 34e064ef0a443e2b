"""A rollout's plan: the steps by which a candidate takes traffic, what it is judged by, and when patience ends.

A strategy is nothing but a list of steps that is written for you; see `strategies.py`.
"""

from enum import StrEnum
from typing import Final

import msgspec

from headgate.rollouts.guards import Alpha, Guard
from headgate.rollouts.schedule import Schedule
from headgate.vocabulary import DEFAULT_PROJECT, Micros

NEVER: Final = Micros(2**62)
"""A length of time that no rollout lives to see the end of."""


class Shadow(msgspec.Struct, frozen=True, tag="shadow"):
    """From here on the candidate answers this share of the live version's requests too; no caller sees it."""

    share: float
    """0 to 1."""


class SetWeight(msgspec.Struct, frozen=True, tag="set_weight"):
    """From here on the candidate has this share of the callers."""

    weight: float
    """0 to 1."""


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Stay for a while, under guard; whatever the evidence does not speak against goes on afterwards."""

    length: Micros


class Analysis(msgspec.Struct, frozen=True, tag="analysis"):
    """Stay until every guard says that the candidate may take more traffic."""


class Approve(msgspec.Struct, frozen=True, tag="approve"):
    """Stay until a person says so."""

    note: str = ""
    """What that person should look at."""


class Assist(msgspec.Struct, frozen=True, tag="assist"):
    """From here on people are shown what the candidate says of what they decide."""


class Partial(msgspec.Struct, frozen=True, tag="partial"):
    """Stay until a confidence is found from which on the candidate may decide by itself; from then on it does."""

    risk: float
    """How often it may be wrong where it decides, between 0 and 1."""


Step = Shadow | SetWeight | Pause | Analysis | Approve | Assist | Partial


class OnHorizon(StrEnum):
    """What happens to a rollout that was not decided in time."""

    HOLD = "hold"
    """It stays as it is, under guard, until a person decides."""
    ROLL_BACK = "roll_back"
    """It is rolled back."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a rollout that was fixed before it began."""

    endpoint: str
    candidate: str
    """``model:number``."""
    steps: tuple[Step, ...]
    guards: tuple[Guard, ...] = ()
    """What is measured; without any that may decide, only people and time do."""
    alpha: Alpha = Alpha()
    project: str = DEFAULT_PROJECT
    horizon: Micros = NEVER
    """How long it may take, in microseconds of event time, before `on_horizon`."""
    on_horizon: OnHorizon = OnHorizon.HOLD
    progress_deadline: Micros = NEVER
    """How long one analysis may take before the rollout is held for a person to look at."""
    why: str = ""
    sticky_key: str | None = None
    """Field or request key by which callers keep their version; None draws per request."""
    schedule: Schedule | None = None
    """The hours in which it may go forward; None lets it at any time."""
    people: bool = False
    """Whether the candidate takes over from people; then it answers all that they decide, unseen."""
    proved: bool = False
    """Whether it was proved before, beside the best version there was: then a year's budget has no part in it."""

    @property
    def guarded(self) -> bool:
        """Whether anything is measured that may decide."""
        return any(not each.dry_run for each in self.guards)

    @property
    def shadows(self) -> bool:
        """Whether the candidate is a shadow at any time, so that it can be compared input by input."""
        return self.people or any(isinstance(each, Shadow) and each.share > 0 for each in self.steps)

    @property
    def risk(self) -> float | None:
        """How often the candidate may be wrong where it decides beside people; None where nobody said."""
        return next((each.risk for each in self.steps if isinstance(each, Partial)), None)

    @property
    def splits(self) -> bool:
        """Whether both versions have callers at any time; people are no version."""
        return not self.people and any(isinstance(each, SetWeight) and 0 < each.weight < 1 for each in self.steps)
