"""Every metric by the name users write, what it needs, and which way is better.

The registry's reports and the monitors' windows measure through this file, so a figure means one thing
everywhere. A metric is a function from rows to a reading; what it needs is declared beside it.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from headgate.errors import BadInput
from headgate.evaluation import classification, probability, ranking, regression
from headgate.evaluation.estimate import Estimate, Floats, Reading, Undefined, estimate, quantile_of
from headgate.evaluation.rows import Class, Column, Rows, labelled
from headgate.vocabulary import Task

Measure = Callable[[Rows, float], Reading | Undefined]
"""Rows (at least one) and a normal quantile to a reading."""

CLASSES: Final = frozenset({Task.BINARY, Task.MULTICLASS})
NUMBERS: Final = frozenset({Task.REGRESSION})
CONFIDENCE: Final = 0.95
SUM_TOLERANCE: Final = 1e-3
"""How far a row of probabilities may sum from 1; float32 softmaxes stay well within it."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its function, which tasks it is for, and what it reads beside the labels."""

    name: str
    measure: Measure
    higher_is_better: bool
    tasks: frozenset[Task]
    predictions: bool = False
    scores: bool = False
    probabilities: bool = False
    """Whether the scores must lie within 0..1 and sum to one."""

    def better(self, difference: float) -> float:
        """A difference turned so that positive means better."""
        return difference if self.higher_is_better else -difference


METRICS: Final = {
    each.name: each
    for each in (
        Metric("accuracy", classification.accuracy, True, CLASSES, predictions=True),
        Metric("precision", classification.precision, True, CLASSES, predictions=True),
        Metric("recall", classification.recall, True, CLASSES, predictions=True),
        Metric("f1", classification.f1, True, CLASSES, predictions=True),
        Metric("auc", ranking.auc, True, CLASSES, scores=True),
        Metric("average_precision", ranking.average_precision, True, CLASSES, scores=True),
        Metric("log_loss", probability.log_loss, False, CLASSES, scores=True, probabilities=True),
        Metric("brier", probability.brier, False, CLASSES, scores=True, probabilities=True),
        Metric("calibration_error", probability.calibration_error, False, CLASSES, scores=True, probabilities=True),
        Metric("mae", regression.mae, False, NUMBERS, predictions=True),
        Metric("rmse", regression.rmse, False, NUMBERS, predictions=True),
        Metric("r2", regression.r2, True, NUMBERS, predictions=True),
        Metric("pinball", regression.pinball, False, NUMBERS, predictions=True),
    )
}


def metric(name: str) -> Metric:
    """The metric of that name; ``pinball@0.9`` is the pinball loss at the quantile 0.9.

    Raises headgate.errors.BadInput, naming the metrics there are.

    >>> metric("auc").higher_is_better, metric("pinball@0.9").name
    (True, 'pinball@0.9')
    """
    if name in METRICS:
        return METRICS[name]
    family, _, parameter = name.partition("@")
    if family == "pinball" and parameter:
        try:
            quantile = float(parameter)
        except ValueError:
            quantile = 0.0
        if not 0.0 < quantile < 1.0:
            raise BadInput("metric", "range", "the quantile after pinball@ must be a number between 0 and 1")
        measure = partial(regression.pinball, quantile=quantile)
        return Metric(name, measure, False, NUMBERS, predictions=True)
    raise BadInput("metric", "unknown", f"no metric has this name; there are {', '.join(METRICS)}")


def names_for(task: Task) -> tuple[str, ...]:
    """The metrics measured for a task unless others are asked for; none for ``tensor``.

    >>> names_for(Task.REGRESSION)
    ('mae', 'rmse', 'r2', 'pinball')
    """
    return tuple(each.name for each in METRICS.values() if task in each.tasks)


def for_task(task: Task, names: Iterable[str] | None) -> tuple[Metric, ...]:
    """The metrics of these names, or the task's own; BadInput for a name unknown or of another task."""
    chosen = tuple(metric(name) for name in (names_for(task) if names is None else dict.fromkeys(names)))
    for each in chosen:
        if task not in each.tasks:
            raise BadInput("metric", "task", f"{each.name} is not for {task}; there are {', '.join(names_for(task))}")
    return chosen


def measure(
    task: Task,
    labels: Column,
    predictions: Column | None,
    scores: Column | None,
    classes: Sequence[Class] = (),
    *,
    metrics: Iterable[str] | None = None,
    confidence: float = CONFIDENCE,
) -> dict[str, Estimate]:
    """Every metric of the task on the labelled rows, each with its interval.

    `scores` has one column per class in the order of `classes`, whose last is a binary task's positive one.
    Rows without a label (None, NaN) are left out. A ``tensor`` task has no metrics.
    A metric that has no value on these rows is an estimate without one, with the reason; it is never NaN and
    never an error. Raises headgate.errors.BadInput for
    columns of the wrong length or shape, labels that are none of the classes, and unknown metrics.

    >>> figures = measure(Task.BINARY, [0, 0, 1, 1], [0, 1, 1, 1], [0.1, 0.6, 0.7, 0.9], (0, 1))
    >>> figures["accuracy"].value, round(figures["precision"].value, 3), figures["auc"].value
    (0.75, 0.667, 1.0)
    >>> measure(Task.BINARY, [1, 1], [1, 1], None, (0, 1))["auc"].reason
    'the model gives no scores'
    """
    if task is Task.TENSOR:
        return {}
    rows, _ = labelled(task, labels, predictions, scores, classes)
    return estimates(rows, for_task(task, metrics), confidence)


def estimates(rows: Rows, metrics: Sequence[Metric], confidence: float = CONFIDENCE) -> dict[str, Estimate]:
    """Estimates by metric name; `metrics` must be of the rows' task."""
    return {name: estimate(name, each, len(rows)) for name, each in readings(rows, metrics, confidence).items()}


def readings(rows: Rows, metrics: Sequence[Metric], confidence: float = CONFIDENCE) -> dict[str, Reading | Undefined]:
    """Readings by metric name, for callers who pair two models on the same rows."""
    z = quantile_of(confidence)
    lacking = _lacking(rows)
    result: dict[str, Reading | Undefined] = {}
    for each in metrics:
        reason = lacking.of(each)
        result[each.name] = Undefined(reason) if reason else _finite(each, rows, z)
    return result


def _finite(metric: Metric, rows: Rows, z: float) -> Reading | Undefined:
    """The reading, unless the numbers are so large that its value or interval overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        reading = metric.measure(rows, z)
    if isinstance(reading, Undefined):
        return reading
    if not math.isfinite(reading.value):
        return Undefined("the numbers are too large for it")
    if reading.low is None or reading.high is None or math.isfinite(reading.high - reading.low):
        return reading
    return Reading(reading.value, None, None, reading.influence, "the numbers are too large for an interval")


@dataclass(frozen=True, slots=True)
class _Lacking:
    """Why metrics that read predictions, scores or probabilities have no value; empty where they do."""

    predictions: str
    scores: str
    probabilities: str

    def of(self, each: Metric) -> str:
        return (
            (self.predictions if each.predictions else "")
            or (self.scores if each.scores else "")
            or (self.probabilities if each.probabilities else "")
        )


def _lacking(rows: Rows) -> _Lacking:
    if len(rows) == 0:
        empty = "no labelled rows"
        return _Lacking(empty, empty, empty)
    predictions = scores = probabilities = ""
    if rows.predicted is None:
        predictions = "the model gives no predictions"
    elif rows.task is Task.REGRESSION and not bool(np.isfinite(rows.predicted).all()):
        predictions = f"{int((~np.isfinite(rows.predicted)).sum())} rows have no finite prediction"
    if rows.scores is None:
        scores = "the model gives no scores"
    elif not bool(np.isfinite(rows.scores).all()):
        scores = f"{int((~np.isfinite(rows.scores)).any(axis=1).sum())} rows have no finite scores"
    else:
        probabilities = improbable(rows.scores)
    return _Lacking(predictions, scores, probabilities)


def improbable(scores: Floats) -> str:
    """Why finite scores, (rows, classes), are no probabilities; empty where they are.

    >>> improbable(np.array([[0.5, 0.5]])), improbable(np.array([[0.5, 0.6]]))
    ('', 'the scores are not probabilities: some rows do not sum to 1')
    """
    if bool((scores < 0).any()) or bool((scores > 1).any()):
        return "the scores are not probabilities: some lie outside 0..1"
    if bool((np.abs(scores.sum(axis=1) - 1) > SUM_TOLERANCE).any()):
        return "the scores are not probabilities: some rows do not sum to 1"
    return ""
