"""What has changed since an alarm: the one call of this room, and the record it leaves.

Nothing here fails on data: what cannot be told is undecided or broken, with its reason, and the rest is told all the
same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.contracts.contract import Kind
from headgate.errors import HeadgateError
from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.attribute import Attribution, attributions
from headgate.monitors.attribution.changepoint import ChangePoint, change_point
from headgate.monitors.attribution.courses import Course
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.comparison.compared import ComparedColumn
from headgate.monitors.comparison.comparison import compare
from headgate.monitors.comparison.sources import TableSource
from headgate.monitors.diagnosis.sides import Side
from headgate.monitors.standing import Standing
from headgate.vocabulary import Micros, Task, readable

METRICS: Final = {
    Task.BINARY: ("log_loss", "auc", "accuracy"),
    Task.MULTICLASS: ("log_loss", "accuracy"),
    Task.REGRESSION: ("mae", "rmse"),
    Task.TENSOR: (),
}
"""What is divided, the metric that sees most first: two points of accuracy are seen half the time, and always in it."""
SCORED: Final = frozenset({"log_loss", "auc"})
"""Those of them that need scores."""
COLUMNS: Final = 100
"""Columns that are kept; of more, those that differ most."""


@readable
class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What has changed between a version's reference and a window; ``msgspec.json.encode`` is its JSON."""

    version: str
    """Whose answers were looked at, ``model:number``."""
    start: Micros
    end: Micros
    """Inputs in [start, end) are the window."""
    matured: Micros
    """Of those before it labels count."""
    known: Micros
    """What was known at this moment was looked at."""
    inputs: int
    """That the version answered in the window."""
    labelled: int
    """Those of them whose label counts."""
    metric: str = ""
    """By which the drift is named; empty for a task that has none."""
    reference: str = ""
    """The rows that the split compares with, in words."""
    compared_with: str = ""
    """The rows that columns are compared with, in words."""
    attributions: tuple[Attribution, ...] = ()
    """Why each metric changed, `metric` first."""
    course: ChangePoint = ChangePoint(course=Course.UNDECIDED)
    """When `metric` began to change and how, by the figures of the days."""
    columns: tuple[ComparedColumn, ...] = ()
    """Each field beside the reference, those that differ most first."""
    notes: tuple[str, ...] = ()
    """What was left out, or could not be measured, and why."""

    @property
    def main(self) -> Attribution | None:
        """Why `metric` changed."""
        return self.attributions[0] if self.attributions else None

    @property
    def drift(self) -> Drift:
        """What changed."""
        return Drift.UNDECIDED if self.main is None else self.main.drift

    @property
    def remedy(self) -> Remedy:
        """What is likely to help."""
        return Remedy.WAIT if self.main is None else self.main.remedy

    @property
    def moved(self) -> tuple[ComparedColumn, ...]:
        """The fields that differ from the reference by more than chance."""
        return tuple(each for each in self.columns if each.standing is Standing.ALARM)


@dataclass(frozen=True, slots=True, eq=False)
class Against:
    """Rows that a window is compared with."""

    side: Side
    words: str
    """Which these are."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked."""

    version: str
    task: Task
    start: Micros
    end: Micros
    matured: Micros
    known: Micros
    kinds: Mapping[str, Kind]
    """What each field holds."""
    metric: str = ""
    """The one that gave the alarm; where it is none that can be divided, the task's first one is taken."""
    seed: int = 0


def diagnose(
    asked: Question,
    now: Side,
    reference: Against | None,
    columns: Against | None,
    days: Sequence[tuple[Micros, Mapping[str, Estimate]]],
) -> Diagnosis:
    """What has changed in the window whose rows are `now`.

    `reference` has the rows that the metric's drop is divided against, `columns` those that fields are compared with;
    None where there are none. `days` are the figures of every metric, day by day, before and in the window.

    >>> from headgate.evaluation.rows import Rows
    >>> import numpy as np, pyarrow as pa
    >>> from headgate.monitors.attribution.samples import Sample
    >>> random = np.random.default_rng(1)
    >>> def side(share):
    ...     x, late = random.normal(size=1000), (random.random(1000) < share).astype(int)
    ...     rows = Rows(Task.BINARY, late, np.zeros(1000, int), None, (False, True))
    ...     return Side(pa.table({"x": x}), Sample({"x": x}, rows), 1000, 1000)
    >>> span = {"start": Micros(0), "end": Micros(9), "matured": Micros(9), "known": Micros(9)}
    >>> asked = Question("late:1", Task.BINARY, kinds={}, **span)
    >>> before = Against(side(0.1), "the first day")
    >>> found = diagnose(asked, side(0.4), before, before, [])
    >>> found.metric, found.drift.value, found.remedy.value, [each.standing.value for each in found.columns]
    ('accuracy', 'concept', 'relearn', ['steady'])
    """
    compared, notes = _columns(asked, now, columns)
    divided, why = _divided(asked, now, reference)
    metric = divided[0].metric if divided else ""
    return Diagnosis(
        version=asked.version,
        start=asked.start,
        end=asked.end,
        matured=asked.matured,
        known=asked.known,
        inputs=now.inputs,
        labelled=now.labelled,
        metric=metric,
        reference="" if reference is None else reference.words,
        compared_with="" if columns is None else columns.words,
        attributions=divided,
        course=_course(metric, days, asked.seed),
        columns=compared,
        notes=(*why, *notes),
    )


def _divided(asked: Question, now: Side, reference: Against | None) -> tuple[tuple[Attribution, ...], tuple[str, ...]]:
    """Why each metric changed, the one that names the drift first; or why that cannot be told."""
    if not METRICS[asked.task]:
        return (), (f"a model of the task {asked.task} has no metric that could have dropped",)
    if reference is None:
        return (), (
            "there are no rows with labels to compare with: too few before the window, and none in the package",
        )
    samples = reference.side.sample, now.sample
    scored = all(each.rows.scores is not None or not len(each.rows) for each in samples)
    names = [each for each in METRICS[asked.task] if scored or each not in SCORED]
    try:
        found = attributions(*samples, names, seed=asked.seed)
    except HeadgateError as error:
        return (), (f"the metrics cannot be divided: {error}",)
    told = [name for name in names if found[name].reference.known and found[name].current.known] or names
    first = asked.metric if asked.metric in told else told[0]
    return (found[first], *(found[name] for name in names if name != first)), ()


def _columns(asked: Question, now: Side, columns: Against | None) -> tuple[tuple[ComparedColumn, ...], tuple[str, ...]]:
    """Each field beside the reference, and what was left out of that."""
    if columns is None:
        return (), ("there are no rows to compare fields with",)
    kinds = {name: kind for name, kind in asked.kinds.items() if name in columns.side.fields.column_names}
    try:
        found = compare(TableSource(columns.side.fields), TableSource(now.fields), kinds=kinds).columns
    except HeadgateError as error:
        return (), (f"fields cannot be compared: {error}",)
    more = len(found) - COLUMNS
    return found[:COLUMNS], (f"{more:,} more fields were compared and differ less",) if more > 0 else ()


def _course(metric: str, days: Sequence[tuple[Micros, Mapping[str, Estimate]]], seed: int) -> ChangePoint:
    """When the metric began to change, from one figure a day."""
    figures = [(start, found[metric]) for start, found in days if metric in found]
    starts, values = [start for start, _ in figures], [each.value for _, each in figures]
    return change_point(starts, values, [each.rows for _, each in figures], seed=seed)
