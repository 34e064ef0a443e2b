"""What a challenger must not do, however good it is on the whole: rails that a harm has to be proved at.

A rail fails where an interval speaks against the challenger, and all of them together do so without cause at
`Terms.alpha_harm` at most; what is stated as a limit by a person, groups of people, has to be shown to be kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headgate.contracts.compare import Comparison, Compatibility
from headgate.evaluation.estimate import Undefined
from headgate.evaluation.gates import Outcome
from headgate.evaluation.metrics import Metric, metric, readings
from headgate.evaluation.rows import Column, Rows
from headgate.evaluation.slices import SMALLEST, groups
from headgate.evaluation.table import digits, shown
from headgate.monitors.answered import Answered
from headgate.monitors.fairness.measure import fairness
from headgate.monitors.standing import Shortfall
from headgate.retraining.proof.compared import Side
from headgate.retraining.proof.paired import gap
from headgate.retraining.proof.rivals import Beside, beside, told
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Check


@dataclass(frozen=True, slots=True)
class Contest:
    """Two versions on the recent rows, in the order of time."""

    ours: Rows
    theirs: Rows
    """The champion's."""
    version: str
    """The champion."""
    metric: Metric
    terms: Terms
    alpha: float
    """What one rail may spend."""


def contract(changes: Comparison) -> Check:
    """Whether callers of the champion may go on as they do."""
    breaking = [each for each in changes.differences if each.compatibility is Compatibility.BREAKING]
    if breaking:
        says = "; ".join(f"{each.subject} {each.reason}" for each in breaking[:5])
        return Check(name="contract", outcome=Outcome.FAILED, sentence=f"callers would have to change: {says}")
    kind = "is the same for callers" if not changes.differences else f"is {changes.compatibility}"
    return Check(name="contract", outcome=Outcome.PASSED, sentence=f"the contract {kind}")


def slices(contest: Contest, columns: Mapping[str, Column]) -> Iterator[Check]:
    """Field by field, whether the challenger is shown to lose more than it may where the field has one value."""
    for field, column in columns.items():
        cut = groups(column)
        counts = np.bincount(cut.codes, minlength=len(cut.names))
        large = np.flatnonzero(counts >= SMALLEST)
        found = [
            (cut.names[code], _within(contest, cut.codes == code, contest.alpha / max(len(large), 1))) for code in large
        ]
        yield _sliced(contest, field, found, small=int((counts > 0).sum()) - len(large))


Within = tuple[Beside, float, float]
"""Both versions, and from where to where the loss beyond what is allowed lies."""


def _within(contest: Contest, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]], alpha: float) -> Within | str:
    part = beside(
        contest.metric, contest.ours.take(chosen), contest.theirs.take(chosen), share=contest.terms.slice_share
    )
    if isinstance(part, Undefined):
        return part.reason
    bounds = part.allowed.bounds(alpha)
    return "too few rows" if bounds is None else (part, *bounds)


def _sliced(contest: Contest, field: str, found: Sequence[tuple[str, Within | str]], small: int) -> Check:
    name, margin = f"slice {field}", contest.terms.margin
    known = [(value, each) for value, each in found if not isinstance(each, str)]
    aside = f"; {small} with fewer than {SMALLEST} rows not judged" if small else ""
    if not known:
        why = f"no value of {field} has the {SMALLEST} rows it takes to be judged"
        return Check(name=name, outcome=Outcome.UNDECIDED, sentence=why, decides=False)
    harmed = [(value, each) for value, each in known if each[1] > margin]
    value, (worst, low, high) = max(harmed or known, key=lambda item: item[1][1])
    allowed = contest.terms.slice_share * worst.theirs
    says = f"{field} = {value}: {told(contest.metric, worst, contest.version)}{aside}"
    if harmed:
        says = f"worse in {len(harmed)} of {len(known)} slices by more than it may; {says}"
    else:
        says = f"shown to be worse in none of {len(known)} slices; nearest to it {says}"
    return Check(
        name=name,
        outcome=Outcome.FAILED if harmed else Outcome.PASSED,
        sentence=says,
        value=worst.plain.value,
        low=low + allowed,
        high=high + allowed,
        limit=margin + allowed,
    )


def calibration(contest: Contest) -> Check:
    """Whether its probabilities are shown to be less true than the champion's by more than they may."""
    of = metric("calibration_error")
    ours, theirs = (readings(each, [of])[of.name] for each in (contest.ours, contest.theirs))
    for each in (ours, theirs):
        if isinstance(each, Undefined):
            return Check(name="calibration", outcome=Outcome.UNDECIDED, sentence=each.reason, decides=False)
    assert not isinstance(ours, Undefined) and not isinstance(theirs, Undefined)  # noqa: S101, PT018 - looked at above
    found, limit = gap(ours, theirs), contest.terms.calibration_worse
    low, high = found.bounds(contest.alpha) or (found.value, found.value)
    says = f"calibration error {digits(ours.value)}, that of {contest.version} {digits(theirs.value)}"
    return Check(
        name="calibration",
        outcome=Outcome.FAILED if low > limit else Outcome.PASSED,
        sentence=f"{says}: {digits(found.value, '+')} ({digits(low, '+')} to {digits(high, '+')}), limit {limit:g}",
        value=found.value,
        low=low,
        high=high,
        limit=limit,
    )


def treatment(ours: Rows, columns: Mapping[str, Column], terms: Terms) -> Iterator[Check]:
    """Field by field, whether groups are shown to lie no farther apart than they may."""
    said = Answered.of(ours)
    for field, column in columns.items():
        name, limit = f"fairness {field}", terms.fairness_gap
        found = fairness(said, ours.truth, {field: column}, positive=terms.positive)
        if isinstance(found, Shortfall):
            yield Check(name=name, outcome=Outcome.UNDECIDED, sentence=found.reason)
            continue
        apart = found[0].gaps[terms.fairness_measure]
        within, figure = apart.within(limit), apart.estimate
        outcome = Outcome.UNDECIDED if within is None else Outcome.PASSED if within else Outcome.FAILED
        between = f" between {apart.lowest} and {apart.highest}" if apart.lowest else ""
        says = f"{terms.fairness_measure.replace('_', ' ')} {shown(figure)}{between}; it may be {limit:g}"
        why = figure.reason if figure.value is None else says
        yield Check(
            name=name, outcome=outcome, sentence=why, value=figure.value, low=figure.low, high=figure.high, limit=limit
        )


def latency(ours: Side, theirs: Side | None, terms: Terms) -> Check | None:
    """Whether a row takes no longer than it may; None where nobody measured."""
    if ours.row_us is None:
        return None
    other = 0.0 if theirs is None else theirs.row_us or 0.0
    limit = max(terms.latency_quick_us, terms.latency_ratio * other)
    return _at_most("latency", ours.row_us, limit, "µs a row")


def size(ours: Side, theirs: Side | None, terms: Terms) -> Check | None:
    """Whether the model is no larger than it may be; None where nobody measured."""
    if ours.bytes is None:
        return None
    other = 0 if theirs is None else theirs.bytes or 0
    return _at_most("size", ours.bytes, max(float(terms.size_small), terms.size_ratio * other), "bytes")


def _at_most(name: str, value: float, limit: float, unit: str) -> Check:
    return Check(
        name=name,
        outcome=Outcome.PASSED if value <= limit else Outcome.FAILED,
        sentence=f"{value:,.0f} {unit}, and it may be {limit:,.0f}",
        value=float(value),
        limit=float(limit),
    )
