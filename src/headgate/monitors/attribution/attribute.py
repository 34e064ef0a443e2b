"""Why a metric dropped between two windows: the one call of this room, and the record it leaves.

Nothing here fails on data: what cannot be told is `undecided`, and what cannot be compared `broken`, with the reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Estimate, Floats, Undefined, quantile_of
from headgate.evaluation.metrics import CONFIDENCE, Metric, estimates, for_task
from headgate.evaluation.rows import Column, Rows
from headgate.evaluation.weighted import reweighable
from headgate.monitors.attribution.basis import Basis, Moved, basis, moved
from headgate.monitors.attribution.faults import Fault, faults
from headgate.monitors.attribution.kinds import Drift, Findings, Remedy, named
from headgate.monitors.attribution.overlap import Checks, Overlap, overlap
from headgate.monitors.attribution.pooled import Field, pooled, taken
from headgate.monitors.attribution.ranking import Shift, shifts
from headgate.monitors.attribution.split import Split, dropped, split, worse
from headgate.monitors.attribution.weakness import Weakness, losses, weakest
from headgate.vocabulary import Task

FEWEST: Final = 200
"""Labelled rows either window needs."""
MOST: Final = 25_000
"""Rows of either window that are looked at; of more, as many at random."""
ERROR_RATE: Final = 0.01
"""How often a change of the inputs, and how often one of the relation, may be named where there is none."""
SCORES: Final = 8
"""Classes up to which the score of each is a column, beside the class that was said."""

Figures = tuple[dict[str, Estimate], ...]
"""Estimates by metric, of the reference and of the current window."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The labelled rows of one window that one version answered, and the fields it was asked with."""

    fields: Mapping[str, Column]
    """One value per row, in the order of `rows`."""
    rows: Rows


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
    shifts: tuple[Shift, ...] = ()
    """Fields that moved, costliest first."""
    slices: tuple[Weakness, ...] = ()
    """Slices that got worse, surest first."""


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

    Both windows must hold answers of one version. Of more than `MOST` rows in a window, so many are looked at, the same
    ones for the same `seed`; the figures of either window are of all its rows. A changed relation is named where its cost or gain exceeds
    `tolerance`, in the metric's unit, beyond chance: wrongly in one of a hundred comparisons at most, as is a change
    of the inputs. Intervals have the coverage `confidence`. Raises headgate.errors.BadInput for a metric that is
    unknown or of another task.

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
    metrics = for_task(reference.rows.task, names)
    if wrong := _broken(reference, current):
        unknown = {each.name: Estimate(each.name, None, None, None, 0, wrong) for each in metrics}
        return {each.name: _nothing(each, (unknown, unknown), Drift.BROKEN, wrong) for each in metrics}
    figures = tuple(estimates(each.rows, metrics, confidence) for each in (reference, current))
    if few := _few(reference, current):
        return {each.name: _nothing(each, figures, Drift.UNDECIDED, few) for each in metrics}
    pair = _compare(*(_thinned(each, seed) for each in (reference, current)), seed)
    return {each.name: _attributed(each, figures, pair, confidence, tolerance) for each in metrics}


def _thinned(given: Sample, seed: int) -> Sample:
    """The rows, or `MOST` of them at random and in their order."""
    count = len(given.rows)
    if count <= MOST:
        return given
    chosen = np.sort(np.random.default_rng(seed).choice(count, MOST, replace=False))
    fields = {name: taken(column, chosen) for name, column in given.fields.items()}
    return Sample(fields, given.rows.take(chosen))


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Everything of two windows that no metric is needed for."""

    reference: Sample
    current: Sample
    fields: tuple[Field, ...]
    columns: Basis
    moved: tuple[Moved, ...]
    faults: tuple[Fault, ...]
    matrix: Floats
    """Columns of the fields and of the model's answers."""
    shared: Overlap
    notes: tuple[str, ...]


def _compare(reference: Sample, current: Sample, seed: int) -> _Pair:
    is_current = np.repeat([False, True], [len(reference.rows), len(current.rows)])
    fields = pooled(reference.fields, current.fields)
    columns = basis(fields)
    everything = basis((*fields, *_answers(reference.rows, current.rows)))
    matrix = everything.widest(is_current)
    differing = sorted(set(reference.fields) ^ set(current.fields))
    notes = (f"only one window has {', '.join(differing[:5])}; not compared",) if differing else ()
    surely = tuple(each for each in moved(columns, is_current) if each.log_p <= np.log(ERROR_RATE))
    return _Pair(
        reference,
        current,
        fields,
        columns,
        surely,
        faults(fields, is_current),
        matrix,
        overlap(matrix, is_current, seed),
        notes,
    )


def _answers(reference: Rows, current: Rows) -> tuple[Field, ...]:
    """What the model said, as fields: a loss depends on that more than on anything else."""
    found = []
    for place in range(min(_classes(reference), _classes(current), SCORES)):
        scores = np.concatenate([_score(rows, place) for rows in (reference, current)])
        found.append(Field(f"(score {place})", scores))
    if reference.predicted is not None and current.predicted is not None:
        said = np.concatenate((reference.predicted, current.predicted)).astype(np.float64)
        found.append(Field("(answer)", said))
    return tuple(found)


def _classes(rows: Rows) -> int:
    """Scores per row that say something; of two classes one says it all."""
    if rows.scores is None:
        return 0
    return 1 if rows.task is Task.BINARY else int(rows.scores.shape[1])


def _score(rows: Rows, place: int) -> Floats:
    assert rows.scores is not None  # noqa: S101 - there are no places without scores
    chosen: Floats = rows.scores[:, 1 if rows.task is Task.BINARY else place]
    return chosen


def _attributed(
    asked: Metric, figures: Figures, pair: _Pair, confidence: float, tolerance: float
) -> Attribution:
    before, now, shared = pair.reference.rows, pair.current.rows, pair.shared
    parts = split(asked, before, now, pair.matrix, shared)
    against = list(shared.checks.failed)
    if isinstance(parts, Undefined) and not against:
        against = [parts.reason]
    against += [f"{each.field} no longer means what it meant" for each in pair.faults if each.hides_relation]
    told = None if isinstance(parts, Undefined) else parts
    findings = Findings(bool(pair.moved), pair.faults, told, tuple(against), 1 - shared.checks.current_share)
    drift, remedy, reasons = named(findings, quantile_of(1 - ERROR_RATE), tolerance)
    measure, harm = reweighable(asked, before), losses(asked, before, now)
    return Attribution(
        metric=asked.name,
        drift=drift,
        remedy=remedy,
        reasons=(*reasons, *pair.notes),
        reference=figures[0][asked.name],
        current=figures[1][asked.name],
        drop=_drop(asked, before, now, quantile_of(confidence)),
        **_parts(told, "; ".join(against), shared, quantile_of(confidence)),
        checks=shared.checks,
        faults=pair.faults,
        shifts=shifts(
            pair.moved,
            pair.columns,
            shared.is_current,
            measure if isinstance(measure, Undefined) else worse(asked, measure),
        ),
        slices=() if isinstance(harm, Undefined) else weakest(pair.fields, pair.matrix, shared, harm, confidence),
    )


def _drop(asked: Metric, before: Rows, now: Rows, z: float) -> Estimate:
    found, rows = dropped(asked, before, now), len(before) + len(now)
    if isinstance(found, Undefined):
        return Estimate("drop", None, None, None, rows, found.reason)
    return found.estimate("drop", z)


def _parts(told: Split | None, against: str, shared: Overlap, z: float) -> dict[str, Estimate]:
    """The parts of the drop; without a value where something speaks against dividing it.

    Where every row has a counterpart, those without one cost nothing, and that is certain.
    """
    rows = len(shared.shared)
    if told is None or against:
        return _unknown(against, rows, "data", "concept", "unshared")
    certain = Estimate("unshared", 0.0, 0.0, 0.0, rows)
    return {
        "data": told.data.estimate("data", z),
        "concept": told.concept.estimate("concept", z),
        "unshared": certain if bool(shared.shared.all()) else told.unshared.estimate("unshared", z),
    }


def _unknown(reason: str, rows: int, *names: str) -> dict[str, Estimate]:
    return {name: Estimate(name, None, None, None, rows, reason) for name in names}


def _nothing(asked: Metric, figures: Figures, drift: Drift, reason: str) -> Attribution:
    return Attribution(
        metric=asked.name,
        drift=drift,
        remedy=Remedy.WAIT,
        reasons=(reason,),
        reference=figures[0][asked.name],
        current=figures[1][asked.name],
        **_unknown(reason, 0, "drop", "data", "concept", "unshared"),
    )


def _broken(reference: Sample, current: Sample) -> str:
    """Why the two cannot be compared at all; empty where they can."""
    if reference.rows.task is not current.rows.task:
        return f"the reference is of a {reference.rows.task} model, the current window of a {current.rows.task} one"
    if reference.rows.classes != current.rows.classes:
        return "the windows have different classes"
    for name, sample in (("reference", reference), ("current window", current)):
        for field, column in sample.fields.items():
            if len(column) != len(sample.rows):
                return f"field {field} of the {name} has {len(column)} values for {len(sample.rows)} labelled rows"
    if not set(reference.fields) & set(current.fields):
        return "there is no field that both windows have"
    return ""


def _few(reference: Sample, current: Sample) -> str:
    """Which window has too few rows; empty where none has."""
    for name, sample in (("reference", reference), ("current window", current)):
        if len(sample.rows) < FEWEST:
            return f"the {name} has {len(sample.rows):,} labelled rows; {FEWEST} are needed"
    return ""
