"""A challenger held against another version: by how much it may lose more, and by how much it does. `prove` asks."""

from dataclasses import dataclass

from headgate.evaluation.estimate import Undefined
from headgate.evaluation.gates import Outcome
from headgate.evaluation.metrics import Metric
from headgate.evaluation.rows import Rows
from headgate.evaluation.table import digits
from headgate.retraining.proof.losses import lost
from headgate.retraining.proof.paired import Gap, gap
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Check


@dataclass(frozen=True, slots=True)
class Beside:
    """What two versions lose on the same rows."""

    ours: float
    theirs: float
    plain: Gap
    """Ours less theirs."""
    allowed: Gap
    """Ours less theirs and less the share of it that is allowed."""


def beside(metric: Metric, ours: Rows, theirs: Rows, *, share: float) -> Beside | Undefined:
    """Both measured, or why they cannot be."""
    mine, other = lost(metric, ours), lost(metric, theirs)
    if isinstance(mine, Undefined):
        return mine
    if isinstance(other, Undefined):
        return Undefined(f"the other version: {other.reason}")
    return Beside(mine.value, other.value, gap(mine, other), gap(mine, other, share=share))


def not_worse(metric: Metric, found: Beside | Undefined, terms: Terms, role: str, version: str) -> Check:
    """Whether the challenger is proved not to lose more than `version` by more than the margin."""
    name = f"not worse than {role}"
    if isinstance(found, Undefined):
        return Check(name=name, outcome=Outcome.UNDECIDED, sentence=f"{metric.name} has no value: {found.reason}")
    limit = terms.margin + terms.margin_share * found.theirs
    bounds = found.allowed.bounds(terms.alpha)
    if bounds is None:
        return Check(name=name, outcome=Outcome.UNDECIDED, sentence="an interval needs at least two rows")
    low, high = (each + limit - terms.margin for each in bounds)
    outcome = Outcome.PASSED if high <= limit else Outcome.FAILED if low > limit else Outcome.UNDECIDED
    says = (
        f"{told(metric, found, version)} ({digits(low, '+')} to {digits(high, '+')}); it may lose {digits(limit)} more"
    )
    return Check(name=name, outcome=outcome, sentence=says, value=found.plain.value, low=low, high=high, limit=limit)


def better(metric: Metric, found: Beside | Undefined, terms: Terms, role: str, version: str) -> Check:
    """Whether the challenger is proved to lose less than `version`; nothing else depends on this check."""
    name = f"better than {role}"
    bounds = None if isinstance(found, Undefined) else found.plain.bounds(terms.alpha_better)
    if isinstance(found, Undefined) or bounds is None:
        why = found.reason if isinstance(found, Undefined) else "an interval needs at least two rows"
        return Check(name=name, outcome=Outcome.UNDECIDED, sentence=why, decides=False)
    low, high = bounds
    outcome = Outcome.PASSED if high < 0 else Outcome.FAILED if low >= 0 else Outcome.UNDECIDED
    says = f"{told(metric, found, version)} ({digits(low, '+')} to {digits(high, '+')})"
    value = found.plain.value
    return Check(name=name, outcome=outcome, sentence=says, decides=False, value=value, low=low, high=high, limit=0.0)


def told(metric: Metric, found: Beside, version: str) -> str:
    """Both figures and their difference, in words; the figures in the metric's own sense."""
    ours, theirs = (1 - each if metric.higher_is_better else each for each in (found.ours, found.theirs))
    gap = found.plain.value
    how = f"it loses {digits(abs(gap))} {'less' if gap < 0 else 'more'}" if gap else "it loses as much"
    return f"{metric.name} is {digits(ours)}, that of {version} {digits(theirs)}: {how}"
