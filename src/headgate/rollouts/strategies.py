"""Strategies: lists of steps that are written for you. What one does is what its steps say, and nothing else."""

from enum import StrEnum
from typing import Final

from headgate.rollouts.plan import Analysis, Approve, Pause, SetWeight, Shadow, Step
from headgate.vocabulary import HOUR, SECOND, Micros


class Strategy(StrEnum):
    """How a candidate comes to take all of the traffic."""

    SHADOW = "shadow"
    """It answers beside the live version, unseen; then a person reads the report and decides."""
    CANARY = "canary"
    """It answers unseen first, then takes callers in growing shares, each once the evidence allows it."""
    BLUE_GREEN = "blue_green"
    """It answers unseen first, then takes all callers at once, with the way back open for an hour."""
    AB_TEST = "ab_test"
    """Half of the callers each, until a guard has decided."""
    ALL_AT_ONCE = "all_at_once"
    """It takes all callers at once, and nothing is measured."""


RAMP: Final = (0.05, 0.25, 0.5)
"""Shares of the callers a canary takes one after the other."""
DWELL: Final = Micros(5 * 60 * SECOND)
"""How long it has each of them at least, whatever was proved with less."""
WAY_BACK: Final = Micros(HOUR)
"""How long both versions of a blue/green rollout stay ready after the switch."""


def steps_of(strategy: Strategy) -> tuple[Step, ...]:
    """The steps of a strategy.

    >>> steps_of(Strategy.ALL_AT_ONCE)
    (SetWeight(weight=1.0),)
    """
    unseen: tuple[Step, ...] = (Shadow(1.0), Analysis())
    match strategy:
        case Strategy.SHADOW:
            return (Shadow(1.0), Analysis(), Approve("read the shadow report: headgate report"))
        case Strategy.CANARY:
            return (*unseen, *(step for share in RAMP for step in (SetWeight(share), Pause(DWELL), Analysis())))
        case Strategy.BLUE_GREEN:
            return (*unseen, SetWeight(1.0), Pause(WAY_BACK))
        case Strategy.AB_TEST:
            return (SetWeight(0.5), Analysis())
        case Strategy.ALL_AT_ONCE:
            return (SetWeight(1.0),)
