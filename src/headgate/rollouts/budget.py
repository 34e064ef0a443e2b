"""What an endpoint may risk in a year: how often it promotes something worse, and how much worse all that adds up to.

Many small steps down, each within its margin, would be a large one. So a year's rollouts share two budgets:

* *Error rate.* The n-th rollout of a year may promote wrongly with a probability of at most 6 / (pi n)^2 of the year's
  alpha. These sum to 1, so by the union bound any wrong promotion in the year has at most the year's alpha.
* *Loss.* A promotion spends the upper confidence bound of how much worse its candidate is, and nothing where that
  is not above 0. The next margins are no larger than what is left; one in per cent of the live version's figure stays
  as it is, since nobody knows beforehand what that comes to. Once nothing is left all of them are 0: only a candidate
  that is proved to be better is promoted.

Runs of the loop have a bound of their own, the margin beside a frozen anchor (see ``retraining.proof.anchor``), and
their rollouts look for harm alone: they neither have of these budgets nor spend them.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from headgate.errors import BadInput
from headgate.evidence.confidence import mean_interval
from headgate.rollouts.guards import Guard, Margin, Unit
from headgate.rollouts.judge import Sample, Source, differences, sources
from headgate.rollouts.losses import largest
from headgate.rollouts.plan import Plan
from headgate.rollouts.rollout import Rollout
from headgate.traffic.endpoint import RolloutBudget
from headgate.vocabulary import DAY, Micros

YEAR: Final = 365 * DAY
_NOTHING: Final = 1e-9
"""So little left is nothing: sums of what was spent are not exact."""


def within_budget(plan: Plan, earlier: Sequence[Rollout], budget: RolloutBudget, now: Micros) -> Plan:
    """`plan` with no more alpha and no wider margins than a year's budget leaves it.

    `earlier` are the rollouts its endpoint had.

    >>> plan = Plan(endpoint="late", candidate="m:2", steps=())
    >>> within_budget(plan, [], RolloutBudget(alpha_per_year=0.05), Micros(0)).alpha.promote
    0.030396355092701333
    """
    if plan.proved:
        return plan
    year = [each for each in earlier if now - each.started < YEAR and not each.plan.proved]
    share = 6 / (math.pi * (len(year) + 1)) ** 2
    alpha = msgspec.structs.replace(plan.alpha, promote=min(plan.alpha.promote, budget.alpha_per_year * share))
    guards = tuple(_narrowed(each, budget.worse_per_year / 100 - spent(each, year)) for each in plan.guards)
    return msgspec.structs.replace(plan, alpha=alpha, guards=guards)


def spent(guard: Guard, rollouts: Sequence[Rollout]) -> float:
    """How much worse, as a share of the largest loss, what these rollouts promoted may be by a guard's measure."""
    return sum(move.spent.get(name_of(guard), 0.0) for each in rollouts for move in each.moves)


def spending(plan: Plan, sample: Sample) -> dict[str, float]:
    """What a promotion now would spend, by guard: a share of its largest loss, 0 where it is proved to be no worse.

    A guard that cannot be measured spends what its margin allows, as in `at_most`.
    """
    return {
        name_of(guard): max(0.0, _upper(guard, source, plan.alpha.promote, sample))
        for guard in _counted(plan)
        for source in sources(guard, plan)
    }


def at_most(plan: Plan) -> dict[str, float]:
    """What a promotion spends by guard where nothing can be measured: as much as the margin of each allows."""
    return {name_of(guard): _allowed(guard) for guard in _counted(plan)}


def _counted(plan: Plan) -> list[Guard]:
    """The guards by which a promotion spends: those of quality that are asked of all rows together."""
    return [] if plan.proved else [each for each in plan.guards if each.of_quality and each.by is None]


def name_of(guard: Guard) -> str:
    """Under which name a guard's spending is kept: guards of the same measure share it."""
    return f"sql: {guard.query}" if guard.query else str(guard.metric)


def _narrowed(guard: Guard, left: float) -> Guard:
    """A guard whose margin does not exceed what is `left`, a share of its largest loss."""
    if not guard.of_quality:
        return guard
    most = left * largest(guard) if left > _NOTHING else 0.0
    if guard.margin.absolute <= most and (most > 0 or guard.margin.unit is not Unit.PERCENT):
        return guard
    value = most * 100 if guard.margin.unit is Unit.POINTS else most
    return msgspec.structs.replace(guard, margin=Margin(value, guard.margin.unit))


def _allowed(guard: Guard) -> float:
    """A margin as a share of the largest loss; one in per cent is of what the live version loses, which is no more."""
    return min(1.0, guard.margin.absolute / largest(guard) + (guard.margin.factor - 1.0))


def _upper(guard: Guard, source: Source, alpha: float, sample: Sample) -> float:
    try:
        values = differences(guard, source, sample)
    except BadInput:
        return _allowed(guard)
    top = largest(guard)
    if not len(values):
        return 1.0
    low = -guard.margin.factor * top
    return mean_interval(values, low=low, high=top, alpha=min(2 * alpha, 0.5)).high / top
