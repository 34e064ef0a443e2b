"""The verdict of all guards together: what the evidence so far says about a candidate.

Any guard may roll back, and with several of them each needs so much more (e-Bonferroni); to promote, all have to say
that the candidate is no worse by more than their margin. Evidence grows with the rows that are new at a look, each row
once; where one of them changes afterwards, as by a label that is corrected, `following.py` goes back to before it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.mixture import Mixture
from headgate.rollouts.answers import Answers, Arms, Pairs
from headgate.rollouts.automation import Automation, enough_confidence, risk_kept
from headgate.rollouts.guards import RULES, Guard, Margin, Measure, Unit
from headgate.rollouts.measures import DividedLosses, PairedLosses, Setting, divided, found, grown, paired
from headgate.rollouts.plan import Plan
from headgate.rollouts.state import State
from headgate.rollouts.tally import Groups
from headgate.vocabulary import SECOND, Verdict

SKEWED: Final = 0.001
"""How often a router that does what it says may be taken for one that does not."""
HEARD: Final = 1000
"""Inputs a shadow should have answered, or whose labels are due, before silence means something."""
LOADED: Final = 60 * SECOND
"""How long a shadow may take to be loaded before its silence means something."""
_ROUTER: Final = AllocationTest.different()


class Source(StrEnum):
    """Where evidence comes from."""

    SHADOW = "shadow"
    """Inputs that both versions were asked."""
    SPLIT = "split"
    """Inputs that were divided between them."""
    ALONE = "alone"
    """Inputs that the candidate decided by itself, beside people."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What one guard says of the candidate, from one source."""

    metric: Measure
    margin: Margin
    source: Source
    verdict: Verdict
    dry_run: bool
    rows: int
    """Inputs, or blocks of them, that spoke."""
    live: float | None
    """The live version's figure: a mean loss from 0 on, for latency the median in microseconds."""
    candidate: float | None
    p_worse: float
    """Anytime-valid p-value of "it is no worse"; it rolls back at alpha divided by what `deciding` counts."""
    p_fine: float
    """Anytime-valid p-value of "it is worse by the margin"; it may take more traffic at alpha."""
    by: str = ""
    """The field whose groups it was asked of."""
    group: str = ""
    """The group that decides."""
    why: str = ""
    """What keeps it from being measured, where its verdict is `broken`."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What the evidence says at one look."""

    verdict: Verdict
    guards: tuple[Judged, ...] = ()
    why: str = ""
    """Which guard decided, or what is broken."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What was observed of a rollout, or what of it is new at a look, by event time.

    Answers of any age for what needs no labels, and those whose labels are due.
    """

    pairs: Pairs
    arms: Arms
    due_pairs: Pairs
    due_arms: Arms
    setting: Setting
    automation: Automation | None = None
    """What decides how much of people's work a candidate may do; None where no people decide."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Queries of guards that give no losses, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """A sample and what its evidence comes to, whatever step the rollout is in."""

    sample: Sample
    """All of it."""
    skewed: bool
    """Whether callers were not divided as the weights say."""
    judged: tuple[Judged, ...]
    confidence: float | None = None
    """The least with which a candidate beside people holds the plan's risk; None while there is none."""


class Evidence(msgspec.Struct, frozen=True):
    """What the rows of a rollout came to so far: all that is needed to go on with more of them.

    It may be kept as MessagePack. Nothing needs it: whoever starts again makes it anew from the journal.
    """

    lines: tuple[Groups, ...] = ()
    """The tallies of each line of the plan, see `lines_of`; empty before the first row."""
    router: Mixture = _ROUTER.start()
    """Of "callers are divided as the weights say"."""
    broken: tuple[str, ...] = ()
    """Of each line why it cannot be measured any more, as it then has no tallies; empty where it can."""

    def after(self, plan: Plan, new: Sample) -> "Evidence":
        """After the rows of `new`, which come after those before in event time, each kind of them in its order."""
        lines = lines_of(plan)
        before: tuple[Groups, ...] = self.lines or ({},) * len(lines)
        broken = self.broken or ("",) * len(lines)
        after = [_grown(groups, why, *line, new) for groups, why, line in zip(before, broken, lines, strict=True)]
        mixed = (new.arms.shares > 0) & (new.arms.shares < 1)
        router = _ROUTER.update(self.router, new.arms.candidate[mixed], new.arms.shares[mixed])
        return Evidence(tuple(groups for groups, _ in after), router, tuple(why for _, why in after))


def weigh(plan: Plan, sample: Sample) -> Weighed:
    """What the evidence of a whole sample comes to: the work of a look, however often the rollout moves in it."""
    return read_off(plan, Evidence().after(plan, sample), sample)


def read_off(plan: Plan, evidence: Evidence, sample: Sample) -> Weighed:
    """What `evidence` comes to, which was made of `sample`."""
    confidence = None
    if plan.risk is not None and sample.automation is not None:
        confidence = enough_confidence(sample.automation.unseen, risk=plan.risk, alpha=plan.alpha.promote)
    return Weighed(sample, evidence.router.rejects(SKEWED), tuple(_judged(plan, evidence, sample)), confidence)


def judge(plan: Plan, state: State, weighed: Weighed) -> Judgement:
    """The verdict on a rollout in `state`, from what was observed of it.

    What is broken keeps nobody from rolling back on what is not.
    """
    judged = weighed.judged
    for each in judged:
        trusted = not (weighed.skewed and each.source is Source.SPLIT)
        if each.verdict is Verdict.ROLL_BACK and not each.dry_run and trusted:
            return Judgement(verdict=Verdict.ROLL_BACK, guards=judged, why=_worse(each))
    if broken := _broken(plan, state, weighed):
        return Judgement(verdict=Verdict.BROKEN, guards=judged, why=broken)
    asked = [each for each in judged if not each.dry_run and _asked(each, plan, state)]
    if asked and all(each.verdict is Verdict.PROMOTE for each in asked):
        return Judgement(verdict=Verdict.PROMOTE, guards=judged, why="every guard holds within its margin")
    waits = ", ".join(dict.fromkeys(str(each.metric) for each in asked if each.verdict is Verdict.UNDECIDED))
    return Judgement(verdict=Verdict.UNDECIDED, guards=judged, why=f"not enough evidence yet: {waits}" if waits else "")


def lines_of(plan: Plan) -> tuple[tuple[Guard, Source], ...]:
    """Every guard of a plan in every source it has."""
    return tuple((guard, source) for guard in plan.guards for source in sources(guard, plan))


def sources(guard: Guard, plan: Plan) -> tuple[Source, ...]:
    """Where a guard of a plan gets its evidence.

    Quality is compared on the same inputs where the plan has a shadow: that takes a fifth of the labels. What callers
    meet, errors and time, is also watched where they meet it.
    """
    if guard.of_quality or RULES[guard.metric].paired:
        return (Source.SHADOW,) if plan.shadows else (Source.SPLIT,)
    found = []
    if plan.shadows:
        found.append(Source.SHADOW)
    if plan.splits:
        found.append(Source.SPLIT)
    return tuple(found)


def deciding(plan: Plan) -> int:
    """How many may roll a candidate back: guards that are no dry run, each in every source it has, and a promised risk.

    Each does at `alpha.roll_back` divided by so many.
    """
    return sum(not guard.dry_run for guard, _ in lines_of(plan)) + (plan.risk is not None) or 1


def _broken(plan: Plan, state: State, weighed: Weighed) -> str:
    """What of the measurement is broken; empty where nothing is."""
    sample = weighed.sample
    if weighed.skewed:
        return "callers are not divided as the weights say"
    if _silent(state, sample):
        who = "live version, the shadow now," if state.weight == 1.0 else "shadow"
        return f"the {who} says nothing; it may not be loaded, or all is shed"
    if _unlabelled(plan, sample):
        return f"of {len(sample.due_arms):,} labels that are due none came"
    unmeasured = (each for each in weighed.judged if each.verdict is Verdict.BROKEN and not each.dry_run)
    return next((f"{each.metric} cannot be measured: {each.why}" for each in unmeasured), "")


def _worse(judged: Judged) -> str:
    where = f", where {judged.by} is {judged.group}" if judged.by else ""
    return f"{judged.metric} is worse ({judged.source}{where})"


def _judged(plan: Plan, evidence: Evidence, sample: Sample) -> Iterator[Judged]:
    each_line = zip(lines_of(plan), evidence.lines, evidence.broken, strict=True)
    lines = [(guard, source, found(guard, groups), broken) for (guard, source), groups, broken in each_line]
    if plan.risk is not None and sample.automation is not None:
        lines.append((_promised(plan.risk), Source.ALONE, risk_kept(sample.automation.alone, risk=plan.risk), ""))
    roll_back = plan.alpha.roll_back / deciding(plan)
    for guard, source, seen, broken in lines:
        verdict = Verdict.UNDECIDED
        if broken:
            verdict = Verdict.BROKEN
        elif seen.p_worse <= roll_back:
            verdict = Verdict.ROLL_BACK
        elif seen.p_fine <= plan.alpha.promote:
            verdict = Verdict.PROMOTE
        yield Judged(
            metric=guard.metric,
            margin=guard.margin,
            source=source,
            verdict=verdict,
            dry_run=guard.dry_run,
            rows=seen.rows,
            live=seen.live,
            candidate=seen.candidate,
            p_worse=seen.p_worse,
            p_fine=seen.p_fine,
            by=guard.by or "",
            group=seen.group,
            why=broken,
        )


def _promised(risk: float) -> Guard:
    """The guard that a partial step stands for."""
    return Guard(metric=Measure.RISK, margin=Margin(risk * 100, Unit.POINTS))


def differences(guard: Guard, source: Source, sample: Sample) -> Floats:
    """By how much more the candidate lost, input by input or block by block: what the margin of a loss is judged by.

    Raises BadInput where the guard cannot be measured.
    """
    _check(guard, sample)
    if source is Source.SHADOW:
        return PairedLosses(guard, sample.setting.classes).differences(_pairs(guard, sample))
    return DividedLosses(guard, sample.setting.classes).differences(_arms(guard, sample))


def _grown(groups: Groups, broken: str, guard: Guard, source: Source, new: Sample) -> tuple[Groups, str]:
    """The tallies of a line after more rows, or none any more and why it cannot be measured."""
    if broken:
        return {}, broken
    try:
        _check(guard, new)
        if source is Source.SHADOW:
            return grown(paired(guard, new.setting), groups, _pairs(guard, new), guard.by), ""
        return grown(divided(guard, new.setting), groups, _arms(guard, new), guard.by), ""
    except BadInput as error:  # this guard's trouble alone: the others go on
        return {}, str(error)


def _check(guard: Guard, sample: Sample) -> None:
    """Raises BadInput where the guard's query gave no losses."""
    if why := sample.broken.get(guard.query or ""):
        raise BadInput("query", "broken", why)


def _pairs(guard: Guard, sample: Sample) -> Pairs:
    if guard.needs_labels:
        return sample.due_pairs
    since = _since(guard, sample)
    return sample.pairs.take(sample.pairs.live.at >= since) if since else sample.pairs


def _arms(guard: Guard, sample: Sample) -> Arms:
    if guard.needs_labels:
        return sample.due_arms
    since = _since(guard, sample)
    return sample.arms.take(sample.arms.answers.at >= since) if since else sample.arms


def _since(guard: Guard, sample: Sample) -> int:
    """From which moment on a guard looks at answers: one of latency once there is something to compare with."""
    return sample.setting.since if guard.metric is Measure.LATENCY else 0


def _asked(judged: Judged, plan: Plan, state: State) -> bool:
    """Whether a guard has to hold in this step: what was not split yet cannot have been measured on a split."""
    if judged.source is Source.ALONE:
        return state.confidence > 0
    return judged.source is Source.SHADOW or 0 < state.weight < 1 or not plan.shadows


def _silent(state: State, sample: Sample) -> bool:
    """Whether a version that should have answered many inputs of this step unheard answered none at all.

    The candidate answers what the live version says to callers; where it has them all, the live one answers beside it.
    """
    since = state.entered + LOADED
    heard = 1.0 if state.weight == 1.0 else 1.0 - state.weight
    asked = _count_since(sample.arms.answers, since) * state.shadow * heard
    return asked >= HEARD and not _count_since(sample.pairs.live, since)


def _count_since(answers: Answers, moment: int) -> int:
    return len(answers) - int(np.searchsorted(answers.at, moment))


def _unlabelled(plan: Plan, sample: Sample) -> bool:
    """Whether guards wait for labels that do not come."""
    wanted = any(guard.needs_labels and not guard.dry_run for guard in plan.guards)
    return wanted and len(sample.due_arms) >= HEARD and not sample.due_arms.answers.labelled.any()
