"""Where a rollout stands and what the evidence says of its candidate, as one value for terminals and programs."""

import msgspec

from headgate.rollouts.judge import Judgement
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import State
from headgate.vocabulary import Micros


class RolloutStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout at one moment."""

    rollout: Rollout
    state: State
    judgement: Judgement | None
    """What its guards say; None once it has ended."""
    now: Micros
