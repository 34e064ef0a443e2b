"""Why a metric dropped between two windows: the one call of this room, and the record it leaves.

Nothing here fails on data: what cannot be told is `undecided`, and what cannot be compared `broken`, with the reason.
"""

import math
from collections.abc import Iterable

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, Undefined, estimate, quantile_of
from headgate.evaluation.metrics import CONFIDENCE, Metric, estimates, for_task
from headgate.evaluation.rows import Rows
from headgate.evaluation.weighted import reweighable
from headgate.monitors.attribution.faults import Fault
from headgate.monitors.attribution.gaps import Gap
from headgate.monitors.attribution.kinds import Drift, Findings, Remedy, named
from headgate.monitors.attribution.overlap import Checks, Overlap
from headgate.monitors.attribution.pair import ERROR_RATE, Pair, compare
from headgate.monitors.attribution.ranking import Shift, shifts
from headgate.monitors.attribution.samples import Sample, incomparable, thinned, too_few
from headgate.monitors.attribution.split import dropped, split, worse
from headgate.monitors.attribution.weakness import Weakness, losses, weakest

Figures = tuple[dict[str, Estimate], ...]
"""Estimates by metric, of the reference and of the current window."""


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """Why a metric changed; positive parts made it worse, and `data`, `concept` and `unshared` sum to `drop`."""

    metric: str
    drift: Drift
    remedy: Remedy
    reasons: tuple[str, ...] = ()
    """What could not be told and why, and what is wrong with a field; empty where there is nothing to say."""
    reference: Estimate
    current: Estimate
    drop: Estimate
    data: Estimate
    """What other inputs cost where both windows have rows."""
    concept: Estimate
    """What another relation of input and output costs there."""
    unshared: Estimate
    """What rows without a counterpart in the other window cost."""
    checks: Checks | None = None
    """What the weights were judged by; None where nothing was weighted."""
    faults: tuple[Fault, ...] = ()
    """Fields that arrive broken, whatever else is said."""
    gaps: tuple[Gap, ...] = ()
    """Where most current rows without a counterpart are."""
    shifts: tuple[Shift, ...] = ()
    """Fields that moved, those with the largest effect on the metric first."""
    slices: tuple[Weakness, ...] = ()
    """Slices that got worse, those that surely add most to the drop first."""


def attribute(
    reference: Sample,
    current: Sample,
    name: str,
    *,
    confidence: float = CONFIDENCE,
    tolerance: float = 0.0,
    seed: int = 0,
) -> Attribution:
    """Why the metric `name` changed from one window to another, and what is likely to help.

    Both windows must hold answers of one version. Of more than 25,000 rows in a window, so many are looked at, the same
    ones for the same `seed`; the figures of either window are of all its rows. A changed relation is named where its
    cost or gain exceeds `tolerance`, in the metric's unit, beyond chance: wrongly in one of a hundred comparisons at
    most, as is a change of the inputs. Intervals have the coverage `confidence`. Raises headgate.errors.BadInput for a
    metric that is unknown or of another task, a `confidence` outside 0 to 1 and a `tolerance` below 0.

    >>> import numpy as np
    >>> from headgate.vocabulary import Task
    >>> random = np.random.default_rng(3)
    >>> ages = random.uniform(20, 80, 4000)
    >>> late = (random.random(4000) < np.repeat((0.2, 0.4), 2000)).astype(int)
    >>> said = Rows(Task.BINARY, late, np.zeros(4000, int), None, (False, True))
    >>> early, now = np.arange(4000) < 2000, np.arange(4000) >= 2000
    >>> found = attribute(
    ...     Sample({"age": ages[early]}, said.take(early)), Sample({"age": ages[now]}, said.take(now)), "accuracy"
    ... )
    >>> found.drift.value, found.remedy.value, found.concept.value > 0.15
    ('concept', 'relearn', True)
    """
    return attributions(reference, current, [name], confidence=confidence, tolerance=tolerance, seed=seed)[name]


def attributions(
    reference: Sample,
    current: Sample,
    names: Iterable[str],
    *,
    confidence: float = CONFIDENCE,
    tolerance: float = 0.0,
    seed: int = 0,
) -> dict[str, Attribution]:
    """`attribute` for several metrics, by name; what does not depend on the metric is worked out once."""
    if not 0.0 <= tolerance < math.inf:
        raise BadInput("tolerance", "range", "a tolerance is a number of the metric's unit, 0 or more")
    metrics = for_task(reference.rows.task, names)
    if wrong := incomparable(reference, current):
        unknown = {each.name: Estimate(each.name, None, None, None, 0, wrong) for each in metrics}
        return {each.name: _nothing(each, Drift.BROKEN, wrong, (unknown, unknown)) for each in metrics}
    figures = tuple(estimates(each.rows, metrics, confidence) for each in (reference, current))
    if few := too_few(reference, current):
        return {each.name: _nothing(each, Drift.UNDECIDED, few, figures) for each in metrics}
    pair = compare(thinned(reference, seed), thinned(current, seed), seed)
    return {each.name: _attributed(each, figures, pair, confidence, tolerance) for each in metrics}


@np.errstate(over="ignore", invalid="ignore")  # numbers too large for a float are said where they are read
def _attributed(asked: Metric, figures: Figures, pair: Pair, confidence: float, tolerance: float) -> Attribution:
    before, now, shared, z = pair.reference.rows, pair.current.rows, pair.shared, quantile_of(confidence)
    found = _findings(asked, pair)
    drift, remedy, reasons = named(found, quantile_of(1 - ERROR_RATE), tolerance)
    measure, harm = reweighable(asked, before), losses(asked, before, now)
    cost = measure if isinstance(measure, Undefined) else worse(asked, measure)
    return Attribution(
        metric=asked.name,
        drift=drift,
        remedy=remedy,
        reasons=(*reasons, *pair.notes),
        reference=figures[0][asked.name],
        current=figures[1][asked.name],
        drop=_drop(asked, before, now, z),
        **_parts(found, shared, z),
        checks=shared.checks,
        faults=pair.faults,
        gaps=pair.gaps,
        shifts=shifts(pair.moved, pair.ratios, cost),
        slices=() if isinstance(harm, Undefined) else weakest(pair.fields, pair.matrix, shared, harm, confidence),
    )


def _findings(asked: Metric, pair: Pair) -> Findings:
    """What the drift is named by, with all that speaks against judging the relation."""
    shared = pair.shared
    parts = split(asked, pair.reference.rows, pair.current.rows, pair.matrix, shared)
    against = list(shared.checks.failed)
    if isinstance(parts, Undefined) and not against:
        against = [parts.reason]
    against += [f"{each.field} no longer means what it meant" for each in pair.faults if each.hides_relation]
    told = None if isinstance(parts, Undefined) else parts
    return Findings(bool(pair.moved), pair.faults, told, tuple(against), 1 - shared.checks.current_share, pair.gaps)


def _drop(asked: Metric, before: Rows, now: Rows, z: float) -> Estimate:
    found = dropped(asked, before, now)
    return estimate("drop", found if isinstance(found, Undefined) else found.reading(z), len(before) + len(now))


def _parts(found: Findings, shared: Overlap, z: float) -> dict[str, Estimate]:
    """The parts of the drop; without a value where something speaks against dividing it.

    Where every row has a counterpart, those without one cost nothing, and that is certain.
    """
    if found.split is None or found.against:
        return _unknown("; ".join(found.against), len(shared.shared), "data", "concept", "unshared")
    certain = Estimate("unshared", 0.0, 0.0, 0.0, len(shared.shared))
    return {
        "data": found.split.data.estimate("data", z),
        "concept": found.split.concept.estimate("concept", z),
        "unshared": certain if bool(shared.shared.all()) else found.split.unshared.estimate("unshared", z),
    }


def _unknown(reason: str, rows: int, *names: str) -> dict[str, Estimate]:
    return {name: Estimate(name, None, None, None, rows, reason) for name in names}


def _nothing(asked: Metric, drift: Drift, reason: str, figures: Figures) -> Attribution:
    """What is said where windows cannot be compared: their own figures, and why there is nothing else."""
    before, now = (each[asked.name] for each in figures)
    unknown = _unknown(reason, before.rows + now.rows, "drop", "data", "concept", "unshared")
    return Attribution(
        metric=asked.name,
        drift=drift,
        remedy=Remedy.WAIT,
        reasons=(reason,),
        reference=before,
        current=now,
        drop=unknown["drop"],
        data=unknown["data"],
        concept=unknown["concept"],
        unshared=unknown["unshared"],
    )
