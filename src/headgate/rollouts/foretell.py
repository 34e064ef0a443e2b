"""What a plan would do, before anything moves: how many answers and labels each analysis waits for, and how long.

The figures are those of a candidate that is as good as the live version, and rules of thumb; see `evidence.planning`.
By which error rates and margins the rollout would judge is told too: a year's budget may leave less than the plan asks.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from headgate.evidence.betting import BOLDEST
from headgate.evidence.planning import MIXING, updates_needed
from headgate.evidence.risk import SHARES
from headgate.rollouts.automation import SETTLING
from headgate.rollouts.guards import Alpha, Guard, Margin, Measure, Unit
from headgate.rollouts.judge import Source, deciding, sources
from headgate.rollouts.losses import largest
from headgate.rollouts.plan import Analysis, Approve, Assist, Partial, Pause, Plan, SetWeight, Shadow, Step
from headgate.rollouts.slowness import NO_SLOWER
from headgate.vocabulary import SECOND

UNKNOWN_DISCORDANCE: Final = 0.1
"""Share of inputs on which two versions are taken to differ, where nobody knows."""
UNKNOWN_LOSS: Final = 0.1
"""What the live version is taken to lose, as a share of the largest loss, where a margin is in per cent of it."""
_SLOW: Final = 0.05
"""Share of inputs slower than the last quantile that has to be proved."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint did lately, as far as a plan depends on it."""

    inputs_per_second: float
    error_rate: float = 0.0
    """Share of inputs its live version did not answer."""
    due: int = 0
    """Inputs whose labels were due lately."""
    label_share: float = 1.0
    """Share of them whose label came; 1 where nobody knows."""
    maturity_s: float = 0.0


class StepForetold(msgspec.Struct, frozen=True, kw_only=True):
    """What one step would do."""

    says: str
    """The step in words."""
    weight: float
    """The candidate's share of the callers while it lasts."""
    waits_for: str = ""
    """The guard that takes longest."""
    inputs: float | None = None
    """Rows, of both versions, until it is over; None where it is over at once or a person ends it."""
    seconds: float | None = None
    """None where nobody can say."""


class GuardForetold(msgspec.Struct, frozen=True, kw_only=True):
    """What one guard would judge by."""

    metric: Measure
    by: str | None
    """The field whose groups it is asked of."""
    sources: tuple[Source, ...]
    """Where its evidence comes from; in each it may roll back."""
    margin: Margin
    asked: Margin
    """What the plan asks for: a wider one where the year's budget has not so much left."""
    dry_run: bool


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan would do to an endpoint."""

    steps: tuple[StepForetold, ...]
    guards: tuple[GuardForetold, ...]
    alpha: Alpha
    """How often the rollout may be wrong."""
    asked: Alpha
    """What the plan asks for: more where the year's budget has not so much left."""
    roll_back_each: float
    """The part of ``alpha.roll_back`` that each guard has in each of its sources."""
    inputs: float
    """Rows until all steps that can be foretold are over."""
    seconds: float | None
    candidate_inputs: float
    """How many of them the candidate answers for callers."""


def foretell(plan: Plan, pace: Pace, asked: Plan | None = None) -> Foretold:
    """What `plan` would do at this pace, if the candidate is as good as the live version.

    `asked` is the same plan as its file has it, before the year's budget; None where that took nothing.

    >>> plan = Plan(endpoint="late", candidate="m:2", steps=(SetWeight(0.5), Pause(60 * SECOND)))
    >>> foretell(plan, Pace(inputs_per_second=10.0)).candidate_inputs
    300.0
    """
    course = _Course(plan, pace)
    steps = tuple(map(course.takes, plan.steps))
    inputs = sum(each.inputs or 0.0 for each in steps)
    seconds = [each.seconds for each in steps if each.inputs is not None]
    asked = asked or plan
    return Foretold(
        steps=steps,
        guards=tuple(_guard(plan, *each) for each in zip(plan.guards, asked.guards, strict=True)),
        alpha=plan.alpha,
        asked=asked.alpha,
        roll_back_each=plan.alpha.roll_back / deciding(plan),
        inputs=inputs,
        seconds=None if None in seconds else sum(each or 0.0 for each in seconds),
        candidate_inputs=sum(each.inputs * each.weight for each in steps if each.inputs and each.weight),
    )


def _guard(plan: Plan, guard: Guard, asked: Guard) -> GuardForetold:
    return GuardForetold(
        metric=guard.metric,
        by=guard.by,
        sources=sources(guard, plan),
        margin=guard.margin,
        asked=asked.margin,
        dry_run=guard.dry_run,
    )


class _Course:
    """A plan on its way: what the candidate has by now, and what each guard has seen of it."""

    def __init__(self, plan: Plan, pace: Pace) -> None:
        self._plan = plan
        self._pace = pace
        self._weight, self._shadow = 0.0, float(plan.people)
        self._seen: dict[tuple[int, Source], float] = {}
        """Pairs or blocks, by the place of the guard."""

    def takes(self, step: Step) -> StepForetold:
        """What the next step does."""
        match step:
            case Shadow(share=share):
                self._shadow = share
                return self._said(f"shadow {share * 100:g} % of the live version's inputs")
            case SetWeight(weight=weight):
                self._weight = weight
                return self._said(f"give the candidate {weight * 100:g} % of the callers")
            case Pause(length=length):
                return self._stays("stay, under guard", self._pace.inputs_per_second * length / SECOND)
            case Assist():
                return self._said("show people what the candidate says")
            case Partial(risk=risk):
                return self._decides(risk)
            case Approve(note=note):
                return self._said(f"wait for a person{': ' if note else ''}{note}")
            case Analysis():
                inputs, labels, name = max(self._waits(), default=(0.0, False, ""))
                late = self._pace.maturity_s if labels else 0.0
                return self._stays("stay until every guard holds", inputs, name, late)

    def _decides(self, risk: float) -> StepForetold:
        """Until the candidate may decide by itself; the least of it, for a candidate that is hardly ever wrong."""
        labels = (math.log(1 / self._plan.alpha.promote) + MIXING) / math.log1p(BOLDEST * risk)
        says = f"let the candidate decide where it is wrong in less than {risk * 100:g} %"
        done = self._stays(says, SETTLING + labels / min(SHARES), "risk (alone)", self._pace.maturity_s)
        self._weight = 1.0
        return done

    def _said(self, says: str) -> StepForetold:
        return StepForetold(says=says, weight=self._weight)

    def _stays(self, says: str, inputs: float, name: str = "", late: float = 0.0) -> StepForetold:
        for place, guard in enumerate(self._plan.guards):
            for source in sources(guard, self._plan):
                seen = self._seen.get((place, source), 0.0)
                self._seen[place, source] = seen + inputs * self._per_input(guard, source)
        pace = self._pace.inputs_per_second
        seconds = inputs / pace + late if pace > 0 and inputs < math.inf else None
        return StepForetold(says=says, weight=self._weight, waits_for=name, inputs=inputs, seconds=seconds)

    def _waits(self) -> Iterator[tuple[float, bool, str]]:
        """Rows until each guard that is asked here holds, whether it waits for labels, and its name."""
        for place, guard in enumerate(self._plan.guards):
            for source in sources(guard, self._plan):
                each = self._per_input(guard, source)
                if guard.dry_run or not each:
                    continue
                left = _updates(guard, source, self._plan.alpha.promote, self._pace) - self._seen.get(
                    (place, source), 0
                )
                yield max(0.0, left) / each, guard.needs_labels, f"{guard.metric} ({source})"

    def _per_input(self, guard: Guard, source: Source) -> float:
        """Pairs or blocks that one row of the endpoint gives."""
        labelled = (self._pace.label_share or 1.0) if guard.needs_labels else 1.0
        if source is Source.SHADOW:
            return self._shadow * (1.0 - self._weight) * labelled
        # A block is as long as the smaller arm makes necessary, and three in five have both arms.
        return 0.6 * min(self._weight, 1.0 - self._weight) * labelled


def _updates(guard: Guard, source: Source, alpha: float, pace: Pace) -> float:
    """Pairs or blocks until the guard says that the candidate is no worse by its margin."""
    variance, margin = _variance(guard, source, pace), _margin(guard)
    if margin <= 0:
        return math.inf
    # Even where nothing ever differs, a bet gains no more than this at each.
    least = (math.log(1 / alpha) + MIXING) / math.log1p(BOLDEST * min(margin, 1.0))
    return max(least, updates_needed(variance=variance, difference=margin, alpha=alpha)) if variance else least


def _margin(guard: Guard) -> float:
    """The margin as a share of the largest loss."""
    if guard.metric is Measure.LATENCY:
        return (NO_SLOWER - 1.0) * _SLOW
    if guard.margin.unit is Unit.PERCENT:
        return (guard.margin.factor - 1.0) * UNKNOWN_LOSS
    return guard.margin.absolute / largest(guard)


def _variance(guard: Guard, source: Source, pace: Pace) -> float:
    """Of the difference of one pair, or of one block's means, as a share of the largest loss squared."""
    if guard.metric is Measure.ERRORS:
        return 2 * pace.error_rate * (1 - pace.error_rate)
    if guard.metric is Measure.LATENCY:
        return 2 * _SLOW * (1 - _SLOW)
    if source is Source.SHADOW:
        return UNKNOWN_DISCORDANCE
    return 2 * UNKNOWN_LOSS * (1 - UNKNOWN_LOSS)
